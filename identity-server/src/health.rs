//! Whether this process is up and can work.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::app::App;

/// `GET /health/alive`: the process answers. Restart it if it does not.
pub async fn alive() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

/// `GET /health/ready`: the database answers too. Send no requests here while it does not.
pub async fn ready(State(app): State<App>) -> Response {
    match app.storage().ping().await {
        Ok(()) => Json(json!({"status": "ok"})).into_response(),
        Err(cause) => {
            tracing::warn!(%cause, "not ready");
            // The cause may name files and hosts; it belongs in the log.
            let body = json!({"errors": {"database": "the database does not answer"}});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// `GET /version`
pub async fn version() -> Response {
    Json(json!({"version": env!("CARGO_PKG_VERSION")})).into_response()
}
