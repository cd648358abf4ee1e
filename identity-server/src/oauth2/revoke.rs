//! Revocation (RFC 7009): `POST /oauth2/revoke`, and the operators' `DELETE /admin/oauth2/tokens`.
//!
//! Revoking any token of a grant revokes the family. A token that is unknown or belongs to another client is answered
//! like one that was revoked: the client wanted it gone, and for this client it is.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::authorize::response::never_store;
use super::client_auth;
use super::error::OAuthError;
use super::params::Params;
use crate::app::App;
use crate::error::ApiError;
use crate::id::ClientId;
use crate::secret::digest;
use crate::storage::{StorageError, Transaction};

/// `POST /oauth2/revoke`
///
/// # Errors
/// `invalid_request` without a token, `invalid_client`.
pub async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let params = Params::from_form(&headers, &body)?;
    let client = client_auth::authenticate(&app, &headers, &params).await?;
    // `token_type_hint` would only save a look-up.
    let digest = digest(params.required("token")?);
    let mut tx = app.storage().begin().await?;
    match find(&mut *tx, &digest, &client.id).await? {
        Some(Found::Grant(id)) => tx.revoke_grant(&id, app.clock().now()).await?,
        Some(Found::Lone) => tx.delete_access_token(&digest).await?,
        None => {}
    }
    tx.commit().await?;
    let mut response = StatusCode::OK.into_response();
    never_store(response.headers_mut());
    Ok(response)
}

enum Found {
    /// A token of this grant.
    Grant(String),
    /// An access token without a grant.
    Lone,
}

async fn find(
    tx: &mut dyn Transaction,
    digest: &str,
    client: &ClientId,
) -> Result<Option<Found>, StorageError> {
    if let Some(token) = tx.access_token(digest).await? {
        let found = token.grant_id.map_or(Found::Lone, Found::Grant);
        return Ok((token.client_id == *client).then_some(found));
    }
    let Some(token) = tx.refresh_token(digest).await? else {
        return Ok(None);
    };
    let grant = tx.grant(&token.grant_id).await?;
    Ok(grant
        .filter(|grant| grant.client_id == *client)
        .map(|grant| Found::Grant(grant.id)))
}

/// `DELETE /admin/oauth2/tokens?client_id=`: every access token of a client.
///
/// # Errors
/// 400 without `client_id`.
pub async fn delete_tokens(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    let malformed = |error: OAuthError| ApiError::malformed(error.to_string());
    let params = Params::parse(query.unwrap_or_default().as_bytes()).map_err(malformed)?;
    let client = ClientId::new(params.required("client_id").map_err(malformed)?);
    let mut tx = app.storage().begin().await?;
    tx.delete_access_tokens_of(&client).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
