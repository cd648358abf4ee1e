//! Claims to token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use time::OffsetDateTime;

use super::ring::LoadedKey;
use super::{KeyError, KeySet};

/// Everything about a token to be signed that is not a claim, plus the two times that decide about keys.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Which keys sign it.
    pub set: KeySet,
    /// The `typ` header: `JWT`, `at+jwt`.
    pub typ: &'a str,
    /// Now; the same as its `iat`.
    pub issued_at: OffsetDateTime,
    /// The same as its `exp`. At most [`Settings::longest_token`](crate::config::Settings::longest_token) later, or
    /// the token would outlive the publication of its key.
    pub expires_at: OffsetDateTime,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// The token in compact form (RFC 7515 §7.1).
pub(super) fn compact<C: Serialize>(
    key: &LoadedKey,
    typ: &str,
    claims: &C,
) -> Result<String, KeyError> {
    let header = Header {
        alg: key.stored.algorithm.name(),
        kid: key.stored.id.as_str(),
        typ,
    };
    let mut token = String::with_capacity(1024);
    append(&mut token, &header)?;
    token.push('.');
    append(&mut token, claims)?;
    let signature = key.pair.sign(token.as_bytes())?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(token)
}

fn append<T: Serialize>(token: &mut String, part: &T) -> Result<(), KeyError> {
    let json = serde_json::to_vec(part).map_err(|error| KeyError::Claims(error.to_string()))?;
    URL_SAFE_NO_PAD.encode_string(json, token);
    Ok(())
}
