//! Errors in Kratos' envelope: `{"error": {"id", "code", "status", "reason", "message", "details"}}`.
//!
//! (Everything that is Hydra's has another shape, see [`crate::error`].)

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::{Flow, instant};
use crate::entropy::EntropyError;
use crate::identity::password::PasswordError;
use crate::storage::StorageError;

/// A request that is not done as asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    status: StatusCode,
    id: Option<&'static str>,
    message: String,
    reason: String,
    details: Map<String, Value>,
    /// Members beside `error`.
    siblings: Map<String, Value>,
}

impl Refusal {
    /// Any status; `reason` says what happened here.
    pub fn new(status: StatusCode, message: &str, reason: impl Into<String>) -> Self {
        Self {
            status,
            id: None,
            message: message.to_owned(),
            reason: reason.into(),
            details: Map::new(),
            siblings: Map::new(),
        }
    }

    /// 400.
    pub fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "The request was malformed or contained invalid parameters",
            reason,
        )
    }

    /// 404.
    pub fn not_found(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Unable to locate the resource",
            reason,
        )
    }

    /// 409.
    pub fn conflict(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "The resource could not be created due to a conflict",
            reason,
        )
    }

    /// 403.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "The requested action was forbidden",
            reason,
        )
    }

    /// 500; the cause goes to the log only.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed inside");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "An internal server error occurred",
            "see the server's log",
        )
    }

    /// 401: no valid session.
    #[must_use]
    pub fn no_session() -> Self {
        let message = "The request could not be authorized";
        Self::new(
            StatusCode::UNAUTHORIZED,
            message,
            "No valid session was found in the request",
        )
        .id("session_inactive")
    }

    /// 400: signed in already, so there is nothing to sign in or up to.
    #[must_use]
    pub fn session_already_available() -> Self {
        let reason =
            "A valid session was found in the request; sign out first, or use `refresh=true`";
        Self::bad_request(reason).id("session_already_available")
    }

    /// 401: a second factor needs a first.
    #[must_use]
    pub fn no_first_factor() -> Self {
        let reason = "Sign in with a first factor before asking for a second";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "The request could not be authorized",
            reason,
        )
        .id("session_aal1_required")
    }

    /// 403: the form is not ours, or was opened elsewhere.
    #[must_use]
    pub fn csrf() -> Self {
        let reason = "The form was not opened in this browser, or its anti-forgery token or cookie is missing; \
                      allow cookies for this site, go back, reload the page and try again";
        Self::forbidden(reason).id("security_csrf_violation")
    }

    /// 400: see [`super::return_to`].
    #[must_use]
    pub fn return_to() -> Self {
        Self::bad_request("The requested `return_to` address is not allowed")
            .id("self_service_flow_return_to_forbidden")
    }

    /// 410 to a submission: `instead` takes the place of the flow that expired.
    #[must_use]
    pub fn flow_expired(old: &Flow, instead: &Flow, now: OffsetDateTime) -> Self {
        let since = u64::try_from((now - old.expires_at).whole_nanoseconds()).unwrap_or(0);
        Self::gone("The flow has expired; a new one was opened")
            .sibling("use_flow_id", instead.id.to_string())
            .sibling("since", since)
            .sibling("expired_at", instant::format(old.expires_at))
    }

    /// 410 to a look at an expired flow; `init` is where to open another.
    #[must_use]
    pub fn flow_gone(flow: &Flow, init: &str) -> Self {
        let place = if flow.transport.is_browser() {
            "redirect_to"
        } else {
            "api"
        };
        Self::gone("The flow has expired; open a new one").detail(place, init)
    }

    /// 422: a browser has to go somewhere itself.
    #[must_use]
    pub fn go_to(url: &str) -> Self {
        let message =
            "In order to complete this flow please redirect the browser to the returned address";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message, "")
            .id("browser_location_change_required")
            .sibling("redirect_browser_to", url)
    }

    fn gone(reason: &str) -> Self {
        Self::new(StatusCode::GONE, "The flow is gone", reason).id("self_service_flow_expired")
    }

    /// Sets the machine-readable name.
    #[must_use]
    pub fn id(mut self, id: &'static str) -> Self {
        self.id = Some(id);
        self
    }

    fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    fn sibling(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.siblings.insert(name.to_owned(), value.into());
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The `error` object.
    #[must_use]
    pub fn error_json(&self) -> Value {
        let mut error = json!({
            "code": self.status.as_u16(),
            "status": self.status.canonical_reason().unwrap_or_default(),
            "message": self.message,
        });
        if let Some(object) = error.as_object_mut() {
            if let Some(id) = self.id {
                object.insert("id".into(), id.into());
            }
            if !self.reason.is_empty() {
                object.insert("reason".into(), self.reason.clone().into());
            }
            if !self.details.is_empty() {
                object.insert("details".into(), self.details.clone().into());
            }
        }
        error
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = Map::from_iter([("error".to_owned(), self.error_json())]);
        body.extend(self.siblings);
        (self.status, Json(Value::Object(body))).into_response()
    }
}

impl From<StorageError> for Refusal {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict => Self::conflict("A resource with that value exists already"),
            StorageError::Unavailable(_) => {
                tracing::error!(cause = %error, "the storage is unavailable");
                let reason = "The storage cannot be reached; try again";
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The server is temporarily unavailable",
                    reason,
                )
            }
            StorageError::Corrupt(_) => Self::internal(&error),
        }
    }
}

impl From<EntropyError> for Refusal {
    fn from(error: EntropyError) -> Self {
        Self::internal(&error)
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => {
                let reason = "Too many passwords are being checked at the moment; try again in a few seconds";
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The server is temporarily unavailable",
                    reason,
                )
            }
            PasswordError::Cost(_) | PasswordError::Entropy(_) | PasswordError::Failed(_) => {
                Self::internal(&error)
            }
        }
    }
}
