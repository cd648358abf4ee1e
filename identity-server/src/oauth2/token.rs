//! The token endpoint: the phases that every grant shares, and the dispatch to the one that was asked for.
//!
//! Parse once, authenticate the client, check that it may use the grant; only then does the grant's own file see the
//! request. So no grant can forget one of these.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::authorize::response::never_store;
use super::client_auth;
use super::error::OAuthError;
use super::grant::{self, GrantType, Request};
use super::params::Params;
use crate::app::App;

/// A successful answer (RFC 6749 §5.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Its lifetime in seconds.
    pub expires_in: i64,
    /// The ID token, if `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// The refresh token, if `offline` or `offline_access` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// What the access token allows.
    pub scope: String,
    /// Always `bearer`.
    pub token_type: &'static str,
}

impl IntoResponse for TokenResponse {
    fn into_response(self) -> Response {
        let mut response = Json(self).into_response();
        never_store(response.headers_mut());
        response
    }
}

/// `POST /oauth2/token`
///
/// # Errors
/// Every [`OAuthError`] that a grant can answer.
pub async fn token(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<TokenResponse, OAuthError> {
    let params = Params::from_form(&headers, &body)?;
    let wanted = params.required("grant_type")?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    let grant_type = GrantType::parse(wanted)?;
    if !client.may_use_grant(grant_type.name()) {
        let hint = format!(
            "the client is not registered for the grant type '{}'",
            grant_type.name()
        );
        return Err(OAuthError::UnauthorizedClient(hint));
    }
    let request = Request {
        app: &app,
        client: &client,
        params: &params,
        now: app.clock().now(),
    };
    match grant_type {
        GrantType::AuthorizationCode => grant::authorization_code::exchange(request).await,
        GrantType::ClientCredentials => grant::client_credentials::issue(request).await,
        GrantType::RefreshToken => grant::refresh_token::refresh(request).await,
    }
}
