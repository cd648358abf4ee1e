//! Every layer around the routes, in the order in which a request passes them.

mod address;
mod browsers;
mod caching;
mod panics;
mod request_id;
mod trace;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

use crate::app::App;

/// Which listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Everybody's.
    Public,
    /// The operators'.
    Admin,
}

/// Larger bodies are refused with 413. A client with a hundred keys needs a tenth of it.
const BODY_LIMIT: usize = 1024 * 1024;

/// No answer takes longer; the slowest one hashes a password.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// No client may pause longer than this in the middle of its body.
const BODY_PAUSE: Duration = Duration::from_secs(10);

/// Puts the layers around `routes`.
pub fn wrap(routes: Router, app: App, side: Side) -> Router {
    // axum applies layers to routes that were found already, so what changes the address wraps a whole router.
    let addressed = Router::new().fallback_service(match side {
        Side::Public => tower::util::Either::Left(address::public(routes)),
        Side::Admin => tower::util::Either::Right(address::admin(routes)),
    });
    // 8. no browser on the operators' side
    let addressed = match side {
        Side::Public => addressed,
        Side::Admin => addressed.layer(from_fn_with_state(app.clone(), browsers::refuse)),
    };
    // Read from the bottom up: the last layer added is the first that a request meets.
    addressed
        // 7. how much anybody may send, and how slowly
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        // 5. nobody waits for ever
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_WITHIN,
        ))
        // 4. a bug in one request costs that request only
        .layer(CatchPanicLayer::custom(panics::answer))
        // 3. nothing that we answer is kept by a cache, unless the handler says so
        .layer(from_fn(caching::no_store))
        // 2. one line per request in the log, without query, headers or body
        .layer(from_fn(trace::log))
        // 1. a name for the request, in every line about it and in the answer
        .layer(from_fn_with_state(app, request_id::name))
}
