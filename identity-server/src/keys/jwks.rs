//! `GET /.well-known/jwks.json`: the public keys, cacheable.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::app::App;
use crate::secret;

/// Where key sets are looked for.
pub const PATH: &str = "/.well-known/jwks.json";

/// The public half of every key that is published, active or retired, and the keys of `keys.also_publish`.
///
/// Unlike Hydra's it may be cached: for less time than a new key is published ahead, so no cache misses a key.
pub async fn of_server(State(app): State<App>, headers: HeaderMap) -> Response {
    let set = app.keys().public_set(app.clock().now());
    let max_age = app.settings().keys.jwks_max_age.0.unsigned_abs();
    respond(&set, max_age, &headers)
}

/// The key set, for those who do not have it yet.
pub(crate) fn respond(set: &Value, max_age: Duration, headers: &HeaderMap) -> Response {
    let body = set.to_string();
    let etag = format!("\"{}\"", secret::digest(&body));
    let max_age = max_age.as_secs();
    let caching = [
        (header::CACHE_CONTROL, format!("public, max-age={max_age}")),
        (header::ETAG, etag.clone()),
    ];
    if has_it(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (
        caching,
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body,
    )
        .into_response()
}

/// Whether the client's copy is the current one (RFC 9110 §13.1.2, weak comparison).
fn has_it(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers
        .get_all(header::IF_NONE_MATCH)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    tags.flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
