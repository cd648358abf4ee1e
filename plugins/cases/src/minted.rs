//! Whether a token that the upstream gets is what a case says.

use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};

use crate::{
    case::Minted,
    keys::{algorithm, jwk},
    script::includes,
};

/// Checks `Bearer` and a token with the public half of the key that must have signed it.
///
/// # Errors
/// In what it differs.
pub fn check(expected: &Minted, authorization: &str) -> anyhow::Result<()> {
    let token = authorization
        .strip_prefix("Bearer ")
        .context("not a bearer token")?;
    let (message, signature) = token.rsplit_once('.').context("not a JWS")?;
    let (header, claims) = message.split_once('.').context("not a JWS")?;
    let (header, claims) = (decode(header)?, decode(claims)?);
    let algorithm = algorithm(&expected.key)?;
    let fixed = json!({"alg": algorithm, "typ": "JWT"});
    ensure!(
        includes(&header, &fixed) && includes(&header, &Value::Object(expected.header.clone())),
        "the token's header is {header}"
    );
    ensure!(
        includes(&claims, &expected.claims),
        "expected the token to claim {}, got {claims}",
        expected.claims
    );
    let id = claims
        .get("jti")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure!(
        id.len() == 36 && id.split('-').count() == 5,
        "`jti` is no UUID: {claims}"
    );
    let key = DecodingKey::from_jwk(&serde_json::from_value(jwk(&expected.key)?)?)?;
    ensure!(
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm)?,
        "the token was not signed with `{}`",
        expected.key
    );
    Ok(())
}

fn decode(part: &str) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
}
