//! One resource, one address: a trailing slash is dropped, and the admin prefix is optional.

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use tower::Layer;
use tower::util::{MapRequest, MapRequestLayer};
use tower_http::normalize_path::{NormalizePath, NormalizePathLayer};

type Rewritten = MapRequest<Router, fn(Request) -> Request>;

/// Drops one trailing slash.
pub(super) fn public(routes: Router) -> NormalizePath<Rewritten> {
    let keep: fn(Request) -> Request = |request| request;
    NormalizePathLayer::trim_trailing_slash().layer(MapRequestLayer::new(keep).layer(routes))
}

/// Drops one trailing slash, then adds `/admin` where it is missing.
pub(super) fn admin(routes: Router) -> NormalizePath<Rewritten> {
    let prefix: fn(Request) -> Request = with_prefix;
    NormalizePathLayer::trim_trailing_slash().layer(MapRequestLayer::new(prefix).layer(routes))
}

fn with_prefix(mut request: Request) -> Request {
    let path = request.uri().path();
    let bare = ["/admin", "/health", "/version", "/metrics", "/playground"];
    if bare.iter().any(|name| {
        path.strip_prefix(name)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }) {
        return request;
    }
    let tail = request
        .uri()
        .path_and_query()
        .map_or("", PathAndQuery::as_str);
    let prefixed = format!("/admin{tail}")
        .parse::<PathAndQuery>()
        .ok()
        .and_then(|path_and_query| {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(path_and_query);
            Uri::from_parts(parts).ok()
        });
    if let Some(uri) = prefixed {
        *request.uri_mut() = uri;
    }
    request
}
