//! The endpoints for a session's owner.
//!
//! They answer JSON only. With a cookie they rely on `SameSite`, as the reference does: nothing here can be done to
//! somebody by a link from another site.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::current::{self, Current};
use super::paging::Paging;
use crate::App;
use crate::flows::refusal::Refusal;
use crate::id::SessionId;

const IDENTITY_HEADER: HeaderName = HeaderName::from_static("x-kratos-authenticated-identity-id");

/// `/sessions/whoami`: the request's session. Any method will do, so that proxies can ask with the method of the
/// request that they are asked about.
///
/// # Errors
/// 401.
pub async fn whoami(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    let current = required(&app, &headers).await?;
    let mut response = Json(view(&app, &current)).into_response();
    if let Ok(id) = HeaderValue::from_str(&current.identity.id.to_string()) {
        response.headers_mut().insert(IDENTITY_HEADER, id);
    }
    Ok(response)
}

/// `GET /sessions`: the caller's other sessions.
///
/// # Errors
/// 401.
pub async fn list(
    State(app): State<App>,
    Query(paging): Query<Paging>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Refusal> {
    let current = required(&app, &headers).await?;
    let now = app.clock().now();
    let mut transaction = app.storage().read().await?;
    let identity = &current.identity.id;
    let except = Some(&current.session.id);
    let total = transaction
        .count_sessions_of(identity, Some(now), except)
        .await?;
    let sessions = transaction
        .sessions_of(identity, Some(now), except, paging.limit(), paging.offset())
        .await?;
    let public_url = app.settings().public_url("");
    let body: Vec<Value> = sessions
        .iter()
        .map(|session| session.to_json(Some(&current.identity), now, &public_url))
        .collect();
    Ok((paging.headers("/sessions", total), Json(body)))
}

/// `DELETE /sessions`: ends all of the caller's other sessions.
///
/// # Errors
/// 401.
pub async fn revoke_others(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let current = required(&app, &headers).await?;
    let mut transaction = app.storage().begin().await?;
    let count = transaction
        .revoke_sessions_of(&current.identity.id, Some(&current.session.id))
        .await?;
    transaction.commit().await?;
    Ok(Json(json!({ "count": count })))
}

/// `DELETE /sessions/{id}`: ends one of the caller's other sessions.
///
/// # Errors
/// 401; 400 for the caller's own; 404 for one that is not theirs.
pub async fn revoke(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let current = required(&app, &headers).await?;
    let missing = || Refusal::not_found("There is no such session");
    let id: SessionId = id.parse().map_err(|_| missing())?;
    if id == current.session.id {
        return Err(Refusal::bad_request(
            "This is the session that you are using; sign out instead",
        ));
    }
    let mut transaction = app.storage().begin().await?;
    let session = transaction
        .session(&id)
        .await?
        .filter(|session| session.identity == current.identity.id);
    session.ok_or_else(missing)?;
    transaction.revoke_session(&id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn required(app: &App, headers: &HeaderMap) -> Result<Current, Refusal> {
    current::current(app, headers)
        .await?
        .ok_or_else(Refusal::no_session)
}

fn view(app: &App, current: &Current) -> Value {
    current.session.to_json(
        Some(&current.identity),
        app.clock().now(),
        &app.settings().public_url(""),
    )
}
