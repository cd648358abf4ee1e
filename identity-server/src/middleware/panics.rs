//! The last net: a panic is a bug, and costs one request.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Answers 500. The panic's text may hold what the client sent, so it is not repeated in the answer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the layer asks for"
)]
pub(super) fn answer(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("of unknown kind");
    ApiError::internal(&format_args!("panic: {text}")).into_response()
}
