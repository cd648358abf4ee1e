//! The claims that say who somebody is, for ID tokens and userinfo alike.

use serde_json::{Map, Value, json};

use crate::oauth2::tokens::Grant;

/// Claims that the protocol sets. A consent page cannot override them, or it could forge another issuer's statements.
const PROTOCOL: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "rat",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "acr",
    "amr",
    "azp",
    "sid",
];

/// What the consent page said about the person, and what the server knows about the sign-in.
#[must_use]
pub fn of(grant: &Grant, issuer: &str) -> Map<String, Value> {
    let mut claims = grant.details.claims.id_token.clone();
    claims.retain(|name, _| !PROTOCOL.contains(&name.as_str()));
    claims.insert("iss".into(), issuer.into());
    claims.insert("sub".into(), grant.subject.as_str().into());
    claims.insert("aud".into(), json!([grant.client_id]));
    claims.insert(
        "auth_time".into(),
        grant.details.authenticated_at.unix_timestamp().into(),
    );
    claims.insert(
        "rat".into(),
        grant.details.requested_at.unix_timestamp().into(),
    );
    if let Some(acr) = &grant.details.acr {
        claims.insert("acr".into(), acr.as_str().into());
    }
    if !grant.details.amr.is_empty() {
        claims.insert("amr".into(), json!(grant.details.amr));
    }
    claims
}
