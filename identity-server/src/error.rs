//! Hydra's error body for everything that is not a protocol error: two keys, `error` and `error_description`.
//!
//! OAuth2 errors (RFC 6749 §5.2) have the same shape and are made in the OAuth2 room. An endpoint with failures of
//! its own has an enum of its own, and turns it into one of these in one exhaustive match.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::entropy::EntropyError;
use crate::keys::KeyError;
use crate::storage::StorageError;

/// An answer that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl ApiError {
    /// Any status and sentence. The description's double quotes become single ones, as Hydra does.
    pub fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            description: description.into().replace('"', "'"),
        }
    }

    /// 404: a row, challenge or client that is not there.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Unable to locate the resource", "")
    }

    /// 400: the body or a parameter makes no sense.
    pub fn malformed(description: impl Into<String>) -> Self {
        let error = "The request was malformed or contained invalid parameters";
        Self::new(StatusCode::BAD_REQUEST, error, description)
    }

    /// 401: not without credentials.
    pub fn unauthorized(description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
            description,
        )
    }

    /// 403: not with these.
    pub fn forbidden(description: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "The requested action was forbidden",
            description,
        )
    }

    /// 409: it exists already.
    #[must_use]
    pub fn conflict() -> Self {
        let error =
            "Unable to insert or update resource because a resource with that value exists already";
        Self::new(StatusCode::CONFLICT, error, "")
    }

    /// 500: our fault. The cause goes to the log, never to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "The server could not answer; see its log",
        )
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(Body {
                error: self.error,
                error_description: &self.description,
            }),
        )
            .into_response()
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Self::conflict(),
            StorageError::Unavailable(_) => {
                tracing::error!(cause = %error, "the storage is unavailable");
                let description = "The server cannot reach its storage; try again";
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "temporarily_unavailable",
                    description,
                )
            }
            StorageError::Corrupt(_) => Self::internal(&error),
        }
    }
}

impl From<EntropyError> for ApiError {
    fn from(error: EntropyError) -> Self {
        Self::internal(&error)
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        Self::internal(&error)
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self::malformed(rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::malformed(rejection.body_text())
    }
}
