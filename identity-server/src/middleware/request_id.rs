//! `X-Request-Id`: the same name in the proxy's log, in ours and in the answer.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::app::App;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longer names than this are not ours to log.
const LONGEST: usize = 64;

/// The name of the request, for handlers and for the log.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) HeaderValue);

/// Keeps the name that a proxy gave, if it is harmless in a log line; makes one otherwise.
pub(super) async fn name(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(&HEADER)
        .filter(|value| harmless(value))
        .cloned();
    let Some(id) = given.or_else(|| fresh(&app)) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    response.headers_mut().insert(HEADER, id);
    response
}

fn harmless(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=LONGEST).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn fresh(app: &App) -> Option<HeaderValue> {
    HeaderValue::from_str(&app.entropy().uuid().ok()?.to_string()).ok()
}
