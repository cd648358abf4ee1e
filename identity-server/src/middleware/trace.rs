//! One line per request.
//!
//! It has method, path, status, duration and request id. Never the query (codes, challenges and tokens travel
//! there), never a header (cookies, credentials), never a body.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::request_id::RequestId;

/// Opens a span around the request and closes it with a line.
#[expect(
    clippy::disallowed_methods,
    reason = "measures a duration for the log; decides nothing"
)]
pub(super) async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.0.to_str().ok())
        .unwrap_or("-")
        .to_owned();
    let span = tracing::info_span!("request", id);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(%method, path, status, milliseconds, "answered"));
    response
}
