//! Every route of the endpoint.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{ConnectInfo, Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

use super::{endpoint::Endpoint, ext_authz, trouble::refusal};
use crate::keys::jwks;

/// The routes. A connection's address has to come with each request, as [`ConnectInfo`].
pub fn routes(endpoint: Arc<Endpoint>) -> Router {
    Router::new()
        .route("/rules", get(rules))
        .route("/rules/{id}", get(rule))
        .route("/health/alive", get(alive))
        .route("/health/ready", get(ready))
        .route("/version", get(version))
        .route("/.well-known/jwks.json", get(public_keys))
        .route(ext_authz::CHECK, post(ext_authz::check))
        // All that begins with `/decisions`, however odd: no router may turn a question into another.
        .fallback(decide)
        .layer(CatchPanicLayer::custom(|_| {
            refusal(StatusCode::INTERNAL_SERVER_ERROR)
        }))
        .with_state(endpoint)
}

async fn decide(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    question: Request,
) -> Response {
    endpoint.answer(question, peer.ip()).await
}

/// Oathkeeper's paging.
#[derive(Deserialize)]
struct Page {
    limit: Option<usize>,
    offset: Option<usize>,
}

/// How long upstreams may keep the keys of `id_token`.
const KEYS_MAX_AGE: Duration = Duration::from_secs(300);

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 500;

async fn rules(State(endpoint): State<Arc<Endpoint>>, Query(page): Query<Page>) -> Response {
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT);
    let listed = endpoint.listed();
    let rules = listed.page(limit, page.offset.unwrap_or(0));
    escaped(&serde_json::Value::from_iter(rules.into_iter().cloned()))
}

async fn rule(State(endpoint): State<Arc<Endpoint>>, Path(id): Path<String>) -> Response {
    match endpoint.listed().find(&id) {
        Some(rule) => escaped(rule),
        None => refusal(StatusCode::NOT_FOUND),
    }
}

/// 500 without any, as in Oathkeeper: an empty set would have upstreams refuse every token for as long as
/// they keep it.
async fn public_keys(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap) -> Response {
    match endpoint.listed().public_keys() {
        [] => refusal(StatusCode::INTERNAL_SERVER_ERROR),
        keys => jwks::respond(&json!({"keys": keys}), KEYS_MAX_AGE, &headers),
    }
}

async fn alive() -> Response {
    Json(json!({"status": "ok"})).into_response()
}

async fn ready(State(endpoint): State<Arc<Endpoint>>) -> Response {
    match endpoint.listed().unready() {
        None => Json(json!({"status": "ok"})).into_response(),
        Some(why) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let error = json!({"code": 503, "status": "Service Unavailable", "message": why});
            (status, Json(json!({"error": error}))).into_response()
        }
    }
}

async fn version() -> Response {
    Json(json!({"version": env!("CARGO_PKG_VERSION")})).into_response()
}

/// JSON in which a browser sees no markup, as Go writes it: rules hold `<` and `>`.
fn escaped(value: &serde_json::Value) -> Response {
    let text = value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], text).into_response()
}
