//! A key set as it arrives: the answer of a JWKS endpoint (RFC 7517 section 5), read with distrust.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, Error, SeqAccess, Visitor},
};
use serde_json::Value;

use super::jwk::Key;
use crate::{FailedCall, Reply};

/// No honest key set comes near; a body that does is not even parsed.
const BODY_LIMIT: usize = 256 * 1024;
/// More keys than any issuer rotates through.
const KEYS_LIMIT: usize = 64;

/// Why the answer to a fetch did not replace a key set, or did not tell where it is. The last good one
/// stays in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFault {
    /// There was no answer.
    #[error("the key set could not be fetched: {0}")]
    Failed(#[from] FailedCall),
    /// The driver never told the end of the fetch.
    #[error("the key set could not be fetched: the call was lost")]
    Lost,
    /// The status is not 200. Redirects are not followed: they would let a third party choose keys.
    #[error("the URL answered with status {0} instead of 200")]
    Status(u16),
    /// The body is larger than a key set may be.
    #[error("the answer is larger than 256 KiB")]
    TooLarge,
    /// The body is not a JSON object with a short array `keys`.
    #[error("it is not a key set of up to 64 keys")]
    NotAKeySet,
    /// No key in it can verify a signature.
    #[error("the key set holds no key that can verify signatures")]
    NoUsableKey,
    /// No key in it can sign.
    #[error("the key set holds no private key to sign with")]
    NoSigningKey,
    /// The issuer's metadata is not what OpenID Connect Discovery 1.0 and RFC 8414 require.
    #[error("the issuer's metadata is not a JSON object with `issuer` and `jwks_uri`")]
    NotMetadata,
    /// The metadata is another issuer's.
    #[error("the metadata names another `issuer` than the rule")]
    OtherIssuer,
    /// The metadata points to a place that the configuration does not know.
    #[error("the metadata's `jwks_uri` is on an origin that `jwks_origins` does not list")]
    ForeignOrigin,
}

/// The body of a reply, if it is one to be read.
pub(super) fn body_of(reply: Reply) -> Result<Vec<u8>, FetchFault> {
    let response = reply?;
    if response.status != 200 {
        return Err(FetchFault::Status(response.status));
    }
    if response.body.len() > BODY_LIMIT {
        return Err(FetchFault::TooLarge);
    }
    Ok(response.body)
}

/// The usable keys of a reply.
pub(super) fn read(reply: Reply) -> Result<Vec<Key>, FetchFault> {
    usable(serde_json::from_slice(&body_of(reply)?))
}

/// The keys of a set that stands in the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct InlineKeys(pub(super) Vec<Key>);

impl InlineKeys {
    /// Reads a JWK Set (RFC 7517 section 5).
    ///
    /// # Errors
    /// It is not a key set, or holds no key that can verify signatures.
    pub fn read(set: &Value) -> Result<Self, FetchFault> {
        usable(Document::deserialize(set)).map(Self)
    }
}

fn usable(document: Result<Document, serde_json::Error>) -> Result<Vec<Key>, FetchFault> {
    let document = document.map_err(|_| FetchFault::NotAKeySet)?;
    if document.keys.0.is_empty() {
        return Err(FetchFault::NoUsableKey);
    }
    Ok(document.keys.0)
}

#[derive(Deserialize)]
struct Document {
    keys: UsableKeys,
}

/// Reads key by key, so that an unusable one costs nothing but itself.
struct UsableKeys(Vec<Key>);

impl<'de> Deserialize<'de> for UsableKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(KeysVisitor)
    }
}

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = UsableKeys;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of keys")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<UsableKeys, A::Error> {
        let mut keys = Vec::new();
        let mut seen = 0..KEYS_LIMIT;
        while let Some(element) = elements.next_element::<Value>()? {
            if seen.next().is_none() {
                return Err(A::Error::custom("too many keys"));
            }
            keys.extend(Key::read(&element));
        }
        Ok(UsableKeys(keys))
    }
}
