//! One DPoP proof, read and verified (RFC 9449 section 4).

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{CLOCK_SKEW, ProofRequest};
use crate::{
    Headers, Request, UnixTime, digest,
    jose::{
        Algorithms, TokenError, algorithm,
        claims::{UniqueNames, time},
        jwk::Key,
        token::{Parts, decode},
    },
    path::{Reading, Url},
};

/// No honest proof comes near: the largest holds an RSA key and a signature of 1 KiB each.
const PROOF_LIMIT: usize = 8 * 1024;
/// A `jti` is random, and hashed before it is kept.
const ID_LIMIT: usize = 512;
/// The members of a JWK that are nobody else's business (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why a proof is not accepted, by fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProofError {
    /// There is no `DPoP` header, or more than one, or not a JWS.
    #[error("there must be one `DPoP` header with a JWS")]
    Missing,
    /// The proof is not what RFC 9449 section 4.2 requires.
    #[error("{0}")]
    Malformed(&'static str),
    /// The signature algorithm is not allowed.
    #[error("its signature algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// The key in the proof is private, too weak, or not for that algorithm.
    #[error("its key cannot be used")]
    UnfitKey,
    /// The signature does not belong to this proof and key.
    #[error("its signature is wrong")]
    WrongSignature,
    /// `htm` or `htu` is of another request.
    #[error("it is for another request")]
    OtherRequest,
    /// `iat` is too long ago, or in the future.
    #[error("it was not made just now")]
    NotFresh,
    /// `ath` is of another token.
    #[error("it is for another token")]
    OtherToken,
    /// The token is bound to another key.
    #[error("the token is bound to another key")]
    OtherKey,
    /// The proof holds no nonce of ours, or an old one.
    #[error("it lacks the nonce")]
    NonceWanted,
    /// The proof was seen before.
    #[error("it was used before")]
    Replayed,
    /// More proofs came in than are remembered.
    #[error("there were too many others")]
    TooMany,
}

/// A proof whose signature holds under the key that it carries.
#[derive(Debug)]
pub(super) struct Proof {
    /// The thumbprint of that key (RFC 7638).
    pub(super) thumbprint: String,
    /// `jti`
    pub(super) id: String,
    pub(super) issued: UnixTime,
    /// `ath`
    pub(super) access_token_hash: String,
    pub(super) nonce: Option<String>,
    method: String,
    url: String,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    typ: Cow<'a, str>,
    #[serde(borrow)]
    alg: Cow<'a, str>,
    jwk: Map<String, Value>,
    #[serde(default)]
    crit: Option<Value>,
    #[serde(default)]
    b64: Option<Value>,
}

impl Proof {
    /// Reads a proof and verifies its signature (RFC 9449 section 4.3, numbers 2 to 7).
    pub(super) fn verify(text: &str, allowed: &Algorithms) -> Result<Self, ProofError> {
        if text.len() > PROOF_LIMIT {
            return Err(ProofError::Malformed("it is too long"));
        }
        let parts = Parts::split(text).map_err(|_| ProofError::Missing)?;
        let header = read(parts.header)?;
        let header: Header<'_> = serde_json::from_slice(&header)
            .map_err(|_| ProofError::Malformed("its header is not that of a proof"))?;
        if !header.typ.eq_ignore_ascii_case("dpop+jwt") {
            return Err(ProofError::Malformed("its `typ` is not `dpop+jwt`"));
        }
        if header.crit.is_some() || header.b64.is_some() {
            return Err(ProofError::Malformed("its header has an extension"));
        }
        let algorithm = algorithm::named(&header.alg)
            .filter(|algorithm| allowed.contains(*algorithm))
            .ok_or(ProofError::AlgorithmNotAllowed)?;
        let (key, thumbprint) = public_key(header.jwk)?;
        if !key.fits(algorithm) {
            return Err(ProofError::UnfitKey);
        }
        if !key.signed(algorithm, parts.message, parts.signature) {
            return Err(ProofError::WrongSignature);
        }
        Self::of_claims(parts.payload, thumbprint)
    }

    fn of_claims(payload: &str, thumbprint: String) -> Result<Self, ProofError> {
        const ODD: ProofError = ProofError::Malformed("its claims are not those of a proof");
        let UniqueNames(mut claims) = serde_json::from_slice(&read(payload)?).map_err(|_| ODD)?;
        let issued = time(&claims, "iat", "").map_err(|_: TokenError| ODD)?;
        let mut text = |name| match claims.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ODD),
        };
        let id = text("jti")?.ok_or(ODD)?;
        if id.is_empty() || id.len() > ID_LIMIT {
            return Err(ODD);
        }
        Ok(Self {
            thumbprint,
            id,
            issued: issued.ok_or(ODD)?,
            access_token_hash: text("ath")?.ok_or(ODD)?,
            nonce: text("nonce")?,
            method: text("htm")?.ok_or(ODD)?,
            url: text("htu")?.ok_or(ODD)?,
        })
    }

    /// Whether the proof is for this request (numbers 8 and 9).
    pub(super) fn check_request(&self, request: &ProofRequest<'_>) -> Result<(), ProofError> {
        let meant = target(&self.url, request.url.reading).ok_or(ProofError::OtherRequest)?;
        let is_same = self.method == request.method
            && meant.scheme == request.url.scheme
            && without_default_port(&meant) == without_default_port(request.url)
            && meant.path == request.url.path;
        is_same.then_some(()).ok_or(ProofError::OtherRequest)
    }

    /// Whether the proof was made just now (number 11).
    pub(super) fn check_time(&self, max_age: Duration, now: UnixTime) -> Result<(), ProofError> {
        let is_fresh = self.issued <= now.after(CLOCK_SKEW) && now.since(self.issued) <= max_age;
        is_fresh.then_some(()).ok_or(ProofError::NotFresh)
    }
}

fn read(part: &str) -> Result<Vec<u8>, ProofError> {
    decode(part).map_err(|_| ProofError::Malformed("a part of it is not base64url"))
}

/// The key in a proof's header, with its thumbprint. Whoever sends a private key, or a shared secret,
/// has proved nothing.
fn public_key(jwk: Map<String, Value>) -> Result<(Key, String), ProofError> {
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err(ProofError::UnfitKey);
    }
    let thumbprint = thumbprint(&jwk).ok_or(ProofError::UnfitKey)?;
    let key = Key::read(&Value::Object(jwk)).ok_or(ProofError::UnfitKey)?;
    Ok((key, thumbprint))
}

/// The SHA-256 of a public key's required members, in the order of their names (RFC 7638 section 3).
/// `jsonwebtoken` could do it too, but only where the driver's crypto provider has hashes.
fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let required: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let members: Option<BTreeMap<&str, &str>> = required
        .iter()
        .map(|name| Some((*name, jwk.get(*name)?.as_str()?)))
        .collect();
    let text = serde_json::to_vec(&members?).ok()?;
    Some(digest::base64url(&digest::sha256(&text)))
}

/// A proof's `htu`, in the canonical form in which the request was matched; query and fragment do not
/// count.
fn target(url: &str, reading: Reading) -> Option<Url> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at_checked(slash)?,
        None => (rest, "/"),
    };
    let headers: Headers = [
        (":method", "GET"),
        (":scheme", scheme),
        (":authority", authority),
        (":path", path),
    ]
    .into_iter()
    .collect();
    let request = Request {
        headers,
        ..Request::default()
    };
    Url::read(&request, reading).ok()
}

fn without_default_port(url: &Url) -> &str {
    let port = if url.scheme == "https" { ":443" } else { ":80" };
    url.host.strip_suffix(port).unwrap_or(&url.host)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thumbprints_are_those_of_rfc_7638_and_rfc_8037() {
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_\
                       BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_\
                       FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4\
                       vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        for (jwk, expected) in [
            (
                json!({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
        ] {
            let members = jwk.as_object().unwrap();
            assert_eq!(thumbprint(members).as_deref(), Some(expected));
        }
        for odd in [
            json!({}),
            json!({"kty": "oct", "k": "x"}),
            json!({"kty": "RSA", "e": 1, "n": "x"}),
        ] {
            assert_eq!(thumbprint(odd.as_object().unwrap()), None);
        }
    }
}
