//! ID tokens (OpenID Connect Core §2).

use aws_lc_rs::digest::{SHA256, SHA512};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::claims;
use crate::app::App;
use crate::keys::{Algorithm, Envelope, KeySet};
use crate::oauth2::error::OAuthError;
use crate::oauth2::tokens::Grant;

/// Signs the ID token that goes with `access_token`.
///
/// # Errors
/// `server_error`, when there is no key.
pub fn issue(
    app: &App,
    grant: &Grant,
    access_token: &str,
    now: OffsetDateTime,
    lifespan: Duration,
) -> Result<String, OAuthError> {
    let issued_at = now.replace_nanosecond(0).unwrap_or(now);
    let expires_at = issued_at.saturating_add(lifespan);
    let algorithm = app.keys().algorithm(KeySet::IdToken, now)?;
    let mut claims = claims::of(grant, &app.settings().issuer);
    claims.insert("iat".into(), issued_at.unix_timestamp().into());
    claims.insert("exp".into(), expires_at.unix_timestamp().into());
    claims.insert("jti".into(), app.entropy().uuid()?.to_string().into());
    claims.insert("sid".into(), grant.session_id.as_str().into());
    claims.insert("at_hash".into(), half_hash(algorithm, access_token).into());
    if let Some(nonce) = &grant.details.nonce {
        claims.insert("nonce".into(), nonce.as_str().into());
    }
    let envelope = Envelope {
        set: KeySet::IdToken,
        typ: "JWT",
        issued_at: now,
        expires_at,
    };
    Ok(app.keys().sign(envelope, &claims)?)
}

/// Whom an ID token that a client sent back (`id_token_hint`) is about, if we issued it to that client. It may have
/// expired: it is a hint about a person, not a credential.
#[must_use]
pub fn subject_of_hint(
    app: &App,
    hint: &str,
    client_id: &str,
    now: OffsetDateTime,
) -> Option<String> {
    let claims = app.keys().signed_claims(KeySet::IdToken, hint, now)?;
    let ours = claims.get("iss").and_then(Value::as_str) == Some(app.settings().issuer.as_str());
    let theirs = match claims.get("aud")? {
        Value::String(audience) => audience == client_id,
        Value::Array(audiences) => audiences.iter().any(|audience| audience == client_id),
        _ => false,
    };
    claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|_| ours && theirs)
        .map(str::to_owned)
}

/// The left half of the token's hash, with the hash function that belongs to the signature (Core §3.1.3.6).
fn half_hash(algorithm: Algorithm, token: &str) -> String {
    let function = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => &SHA256,
        // Ed25519 is built on SHA-512.
        Algorithm::EdDsa => &SHA512,
    };
    let hash = aws_lc_rs::digest::digest(function, token.as_bytes());
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_fits_the_algorithm() {
        // `printf jHkWEdUXMU1BwAsC4vtUsZwnvTVxEl0z9K3vx5KF0Y | openssl dgst -sha256 -binary | head -c 16 | basenc --base64url`
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnvTVxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::Rs256, token), "gtP4w5q2AMIHMxaVPPLJCA");
        assert_eq!(half_hash(Algorithm::Es256, token), "gtP4w5q2AMIHMxaVPPLJCA");
        assert_eq!(half_hash(Algorithm::EdDsa, token).len(), 43);
    }
}
