//! The endpoints for operators.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::paging::Paging;
use crate::App;
use crate::flows::refusal::Refusal;
use crate::id::{IdentityId, SessionId};

/// What an operator may filter sessions by.
#[derive(Debug, Default, Deserialize)]
pub struct Filter {
    active: Option<String>,
}

/// `GET /admin/identities/{id}/sessions`
///
/// # Errors
/// 404.
pub async fn list_of(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
    Query(filter): Query<Filter>,
) -> Result<(HeaderMap, Json<Vec<Value>>), Refusal> {
    let id = identity_id(&id)?;
    let now = app.clock().now();
    let mut transaction = app.storage().read().await?;
    let identity = transaction.identity(&id).await?.ok_or_else(no_identity)?;
    let live_at = (filter.active.as_deref() == Some("true")).then_some(now);
    let total = transaction.count_sessions_of(&id, live_at, None).await?;
    let sessions = transaction
        .sessions_of(&id, live_at, None, paging.limit(), paging.offset())
        .await?;
    let public_url = app.settings().public_url("");
    let body = sessions
        .iter()
        .map(|session| session.to_json(Some(&identity), now, &public_url))
        .collect();
    Ok((
        paging.headers(&format!("/admin/identities/{id}/sessions"), total),
        Json(body),
    ))
}

/// `DELETE /admin/identities/{id}/sessions`: ends them all.
///
/// # Errors
/// 404.
pub async fn revoke_all_of(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = identity_id(&id)?;
    let mut transaction = app.storage().begin().await?;
    transaction.identity(&id).await?.ok_or_else(no_identity)?;
    transaction.revoke_sessions_of(&id, None).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /admin/sessions/{id}`
///
/// # Errors
/// 404.
pub async fn get(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    let id = session_id(&id)?;
    let mut transaction = app.storage().read().await?;
    let session = transaction.session(&id).await?.ok_or_else(no_session)?;
    let identity = transaction.identity(&session.identity).await?;
    Ok(Json(session.to_json(
        identity.as_ref(),
        app.clock().now(),
        &app.settings().public_url(""),
    )))
}

/// `DELETE /admin/sessions/{id}`: ends it.
///
/// # Errors
/// 404.
pub async fn revoke(State(app): State<App>, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    let id = session_id(&id)?;
    let mut transaction = app.storage().begin().await?;
    transaction.session(&id).await?.ok_or_else(no_session)?;
    transaction.revoke_session(&id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn identity_id(text: &str) -> Result<IdentityId, Refusal> {
    text.parse().map_err(|_| no_identity())
}

fn session_id(text: &str) -> Result<SessionId, Refusal> {
    text.parse().map_err(|_| no_session())
}

fn no_identity() -> Refusal {
    Refusal::not_found("There is no such identity")
}

fn no_session() -> Refusal {
    Refusal::not_found("There is no such session")
}
