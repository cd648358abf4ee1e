//! A token taken apart, before anything in it is believed.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny},
};

use super::{TokenError, algorithm};

/// Header fields of proxies end at 8 to 64 KiB; no issuer makes longer tokens, and a longer text is
/// refused before anything looks at it (CVE-2025-30204).
const TOKEN_LIMIT: usize = 16 * 1024;
/// A `kid` is kept in memory while its key is looked for.
const KID_LIMIT: usize = 512;
/// A `typ` is kept with the claims; media types are short.
const TYPE_LIMIT: usize = 128;

/// The parts of a JWS in compact serialization (RFC 7515 section 7.1). All of it is the client's
/// word.
#[derive(Debug)]
pub(super) struct UnverifiedToken<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    /// The kind of token, as the header says (RFC 7515 section 4.1.9).
    pub(super) typ: Option<Box<str>>,
    /// Header and payload with the dot between them, over which the signature is made.
    pub(super) message: &'a str,
    /// The payload, base64url.
    pub(super) payload: &'a str,
    /// The signature, base64url.
    pub(super) signature: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes `token` apart and reads its header.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > TOKEN_LIMIT {
            return Err(TokenError::TooLong);
        }
        let parts = Parts::split(token)?;
        let header = decode(parts.header)?;
        let header: UnverifiedHeader = serde_json::from_slice(&header)
            .map_err(|_| TokenError::Malformed("the header is not what a JWS has"))?;
        header.refuse_extensions()?;
        Ok(Self {
            algorithm: algorithm::named(&header.alg).ok_or(TokenError::AlgorithmNotAllowed)?,
            kid: header.kid.map(Cow::into_owned),
            typ: header.typ.map(|typ| typ.as_ref().into()),
            message: parts.message,
            payload: parts.payload,
            signature: parts.signature,
        })
    }
}

/// The three parts of a JWS in compact serialization, still encoded.
pub(super) struct Parts<'a> {
    /// Header and payload with the dot between them.
    pub(super) message: &'a str,
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn split(token: &'a str) -> Result<Self, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(NOT_THREE_PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(NOT_THREE_PARTS)?;
        if payload.contains('.') {
            return Err(NOT_THREE_PARTS);
        }
        Ok(Self {
            message,
            header,
            payload,
            signature,
        })
    }
}

/// Who the token says issued it. Nobody has vouched for it yet: it may choose among issuers that are
/// configured, and nothing else.
pub(super) fn unverified_issuer(token: &str) -> Result<Option<String>, TokenError> {
    #[derive(Deserialize)]
    struct Issuer {
        #[serde(default)]
        iss: Option<String>,
    }
    const ODD: TokenError = TokenError::Malformed("`iss` is not a single string");
    if token.len() > TOKEN_LIMIT {
        return Err(TokenError::TooLong);
    }
    let payload = decode(Parts::split(token)?.payload)?;
    let claims: Issuer = serde_json::from_slice(&payload).map_err(|_| ODD)?;
    Ok(claims.iss)
}

const NOT_THREE_PARTS: TokenError = TokenError::Malformed("it has not three parts");

/// Decodes base64url without padding; nothing else passes, not even unused bits that are set.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed("a part is not base64url"))
}

/// The header parameters that matter (RFC 7515 section 4.1). Those that offer a key or a place to
/// fetch one (`jwk`, `jku`, `x5c`, `x5u`) are not even read: who sends a token must not choose its
/// key. A repeated parameter is an error.
#[derive(Deserialize)]
struct UnverifiedHeader<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(borrow, default)]
    kid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    typ: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "presence")]
    crit: bool,
    #[serde(default, deserialize_with = "presence")]
    b64: bool,
    #[serde(default, deserialize_with = "presence")]
    zip: bool,
    #[serde(default, deserialize_with = "presence")]
    enc: bool,
}

impl UnverifiedHeader<'_> {
    /// No extension is understood here, and RFC 7515 section 4.1.11 forbids to ignore a critical
    /// one. `b64` (RFC 7797) and `zip` change what the payload means, `enc` belongs to JWE.
    fn refuse_extensions(&self) -> Result<(), TokenError> {
        if self.typ.as_ref().is_some_and(|typ| typ.len() > TYPE_LIMIT) {
            return Err(TokenError::Malformed("the header's `typ` is too long"));
        }
        if self.crit || self.b64 || self.zip || self.enc {
            return Err(TokenError::Malformed(
                "the header has an unsupported extension",
            ));
        }
        match &self.kid {
            Some(kid) if kid.len() > KID_LIMIT => {
                Err(TokenError::Malformed("the header's `kid` is too long"))
            }
            _ => Ok(()),
        }
    }
}

fn presence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
