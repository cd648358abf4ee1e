//! `GET /.well-known/jwks.json`: the public keys, cacheable.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::PublishedKeys;
use crate::app::App;
use crate::error::ApiError;
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

/// The public keys of the mutator `id_token`, as Oathkeeper serves them on its API port; 500 if there are none. To be
/// merged into the router of whatever decides in Oathkeeper's place.
pub fn of_mutator<S: Clone + Send + Sync + 'static>(
    keys: PublishedKeys,
    max_age: Duration,
) -> Router<S> {
    let answer = async move |headers: HeaderMap| match keys.keys() {
        none if none.is_empty() => ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Server Error",
            "No rule signs tokens with a key that can be published",
        )
        .into_response(),
        keys => respond(&json!({"keys": keys}), max_age, &headers),
    };
    Router::new().route(PATH, get(answer))
}

fn respond(set: &Value, max_age: Duration, headers: &HeaderMap) -> Response {
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
