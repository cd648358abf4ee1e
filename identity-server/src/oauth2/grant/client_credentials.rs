//! `client_credentials` (RFC 6749 §4.4): a client asks for itself. No refresh token, no ID token; `sub` is the client.

use serde_json::Map;

use super::Request;
use super::issue::{Access, Spans, response};
use crate::oauth2::error::OAuthError;
use crate::oauth2::scope::{check_audiences, check_scopes};
use crate::oauth2::token::TokenResponse;

/// Issues an access token.
///
/// # Errors
/// `invalid_grant` for public clients, `invalid_scope`, `invalid_request` for an audience that is not the client's.
pub async fn issue(request: Request<'_>) -> Result<TokenResponse, OAuthError> {
    let Request {
        app,
        client,
        params,
        ..
    } = request;
    if client.is_public() {
        return Err(OAuthError::InvalidGrant(
            "a client without a secret cannot ask for itself".into(),
        ));
    }
    let scope = params.list("scope");
    check_scopes(
        app.settings().strategies.scope,
        &client.profile.scope,
        &scope,
    )?;
    let audience = params.list("audience");
    check_audiences(&client.profile.audience, &audience)?;
    let subject = client.id.as_str();
    let access = Access {
        grant_id: None,
        subject,
        scope,
        audience,
        extra: Map::new(),
    };
    let lifespans = client.profile.lifespans;
    let spans = Spans {
        access: lifespans.client_credentials_grant_access_token_lifespan,
        ..Spans::default()
    };
    let issued = request.access_token(access, spans)?;
    let mut tx = app.storage().begin().await?;
    tx.insert_access_token(&issued.record).await?;
    tx.commit().await?;
    Ok(response(&issued, None, None))
}
