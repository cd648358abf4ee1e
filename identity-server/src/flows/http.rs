//! The endpoints of flows.

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::{FlowKind, Transport, dispatch, instant};

/// `GET /self-service/login/browser`
pub async fn open_browser_login(exchange: Exchange) -> Response {
    dispatch::open(exchange, FlowKind::Login, Transport::Browser).await
}

/// `GET /self-service/login/api`
pub async fn open_api_login(exchange: Exchange) -> Response {
    dispatch::open(exchange, FlowKind::Login, Transport::Api).await
}

/// `GET /self-service/login/flows?id=`
///
/// # Errors
/// See [`dispatch::show`].
pub async fn show_login(exchange: Exchange) -> Result<Response, Refusal> {
    dispatch::show(&exchange, FlowKind::Login).await
}

/// `POST /self-service/login?flow=`
pub async fn submit_login(exchange: Exchange, body: Bytes) -> Response {
    dispatch::submit(exchange, FlowKind::Login, body).await
}

/// `GET /self-service/registration/browser`
pub async fn open_browser_registration(exchange: Exchange) -> Response {
    dispatch::open(exchange, FlowKind::Registration, Transport::Browser).await
}

/// `GET /self-service/registration/api`
pub async fn open_api_registration(exchange: Exchange) -> Response {
    dispatch::open(exchange, FlowKind::Registration, Transport::Api).await
}

/// `GET /self-service/registration/flows?id=`
///
/// # Errors
/// See [`dispatch::show`].
pub async fn show_registration(exchange: Exchange) -> Result<Response, Refusal> {
    dispatch::show(&exchange, FlowKind::Registration).await
}

/// `POST /self-service/registration?flow=`
pub async fn submit_registration(exchange: Exchange, body: Bytes) -> Response {
    dispatch::submit(exchange, FlowKind::Registration, body).await
}

/// `GET /self-service/errors?id=`: why a browser was sent to the error page.
///
/// # Errors
/// 404.
pub async fn error(exchange: Exchange) -> Result<Response, Refusal> {
    let id = exchange.query("id").or_else(|| exchange.query("error"));
    let id = id.ok_or_else(|| Refusal::bad_request("The query parameter `id` is missing"))?;
    if id == "stub:500" {
        return Ok(Json(sample_error()).into_response());
    }
    let error = find_error(&exchange, &id)
        .await?
        .ok_or_else(|| Refusal::not_found("There is no such error"))?;
    Ok(Json(error).into_response())
}

/// The error with this id, as the API shows it.
///
/// # Errors
/// Those of the storage.
pub async fn find_error(exchange: &Exchange, id: &str) -> Result<Option<Value>, Refusal> {
    let Ok(id) = uuid::Uuid::parse_str(id) else {
        return Ok(None);
    };
    let found = exchange.app.storage().read().await?.flow_error(&id).await?;
    Ok(found.map(|found| {
        let at = instant::format(found.created_at);
        json!({ "id": found.id.to_string(), "error": found.error, "created_at": at, "updated_at": at })
    }))
}

/// For people who build an error page.
fn sample_error() -> Value {
    json!({
        "id": "stub:500",
        "error": {
            "code": 500,
            "status": "Internal Server Error",
            "reason": "This is a sample error for developing an error page.",
            "message": "An internal server error occurred",
        },
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    })
}
