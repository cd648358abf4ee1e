//! Answers are for the one who asked, now.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

/// Gives every answer to a GET Hydra's `Cache-Control`, unless the handler chose its own (the key set does).
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    if reading {
        response
            .headers_mut()
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static(
                "private, no-cache, no-store, must-revalidate",
            ));
    }
    response
}
