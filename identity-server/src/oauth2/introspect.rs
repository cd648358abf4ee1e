//! Introspection (RFC 7662), for operators' own services: `POST /admin/oauth2/introspect`.
//!
//! Whatever is wrong with a token, the answer is the same `{"active":false}`. A token is looked up by the digest of
//! the whole string, so a token with any byte changed is simply unknown, whatever its format.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::authorize::response::never_store;
use super::error::OAuthError;
use super::params::Params;
use super::subject::live_grant;
use super::tokens::{AccessToken, Grant, RefreshToken};
use crate::app::App;
use crate::id::ClientId;
use crate::secret::digest;

/// What is known about a token.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Introspection {
    /// It is good now.
    Active(Box<Active>),
    /// It is not, for whatever reason.
    Inactive {
        /// Always false.
        active: bool,
    },
}

/// An active token, in Hydra's shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(
    missing_docs,
    reason = "the members of RFC 7662 §2.2 and Hydra, by name"
)]
pub struct Active {
    pub active: bool,
    pub scope: String,
    pub client_id: ClientId,
    pub sub: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    pub iat: i64,
    pub nbf: i64,
    pub aud: Vec<String>,
    pub iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<&'static str>,
    pub token_use: &'static str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
}

/// `POST /admin/oauth2/introspect`
///
/// # Errors
/// `invalid_request` without a token.
pub async fn introspect(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let params = Params::from_form(&headers, &body)?;
    let token = params.required("token")?;
    let found = look_up(&app, token, app.clock().now()).await?;
    let wanted = params.list("scope");
    let found = found.filter(|active| {
        wanted
            .iter()
            .all(|scope| active.scope.split(' ').any(|known| known == scope))
    });
    let answer = found.map_or(Introspection::Inactive { active: false }, |active| {
        Introspection::Active(Box::new(active))
    });
    let mut response = Json(answer).into_response();
    never_store(response.headers_mut());
    Ok(response)
}

/// What is known about a token, if it is good at `now`.
///
/// # Errors
/// `server_error`, `temporarily_unavailable`.
pub async fn look_up(
    app: &App,
    token: &str,
    now: OffsetDateTime,
) -> Result<Option<Active>, OAuthError> {
    let settings = app.settings();
    let issuer = &settings.issuer;
    let digest = digest(token);
    let mut tx = app.storage().read().await?;
    if let Some(token) = tx.access_token(&digest).await? {
        let good = now < token.expires_at
            && match &token.grant_id {
                Some(id) => live_grant(&mut *tx, settings, id).await?.is_some(),
                // A client acting for itself.
                None => true,
            };
        return Ok(good.then(|| of_access(token, issuer)));
    }
    let Some(token) = tx.refresh_token(&digest).await? else {
        return Ok(None);
    };
    let good = token.rotation.is_none() && token.expires_at.is_none_or(|end| now < end);
    let grant = if good {
        live_grant(&mut *tx, settings, &token.grant_id).await?
    } else {
        None
    };
    Ok(grant.map(|grant| of_refresh(&token, grant, issuer)))
}

fn of_access(token: AccessToken, issuer: &str) -> Active {
    Active {
        active: true,
        scope: token.scope.join(" "),
        client_id: token.client_id,
        sub: token.subject,
        exp: Some(token.expires_at.unix_timestamp()),
        iat: token.issued_at.unix_timestamp(),
        nbf: token.issued_at.unix_timestamp(),
        aud: token.audience,
        iss: issuer.to_owned(),
        token_type: Some("Bearer"),
        token_use: "access_token",
        ext: token.extra,
    }
}

fn of_refresh(token: &RefreshToken, grant: Grant, issuer: &str) -> Active {
    Active {
        active: true,
        scope: grant.details.scope.join(" "),
        client_id: grant.client_id,
        sub: grant.subject,
        exp: token.expires_at.map(OffsetDateTime::unix_timestamp),
        iat: token.issued_at.unix_timestamp(),
        nbf: token.issued_at.unix_timestamp(),
        aud: grant.details.audience,
        iss: issuer.to_owned(),
        token_type: None,
        token_use: "refresh_token",
        ext: grant.details.claims.access_token,
    }
}
