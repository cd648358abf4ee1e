//! What an OAuth 2.0 endpoint answers when it refuses.
//!
//! One enum for every endpoint of this room, and one exhaustive match from each refusal to its status and code, so
//! that a new refusal cannot be added without saying how a client sees it. Codes and statuses are Hydra's, which are
//! those of RFC 6749, RFC 6750 and OpenID Connect Core wherever these name one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::authorize::response::never_store;
use crate::entropy::EntropyError;
use crate::identity::password::PasswordError;
use crate::keys::KeyError;
use crate::secret::SealError;
use crate::storage::StorageError;

/// A refusal. The text inside is a hint for the developer of the client; it must not carry secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is missing, repeated, malformed or does not fit the others.
    #[error("{0}")]
    InvalidRequest(String),
    /// Client authentication failed. Says nothing about which part was wrong.
    #[error("{hint}")]
    InvalidClient {
        /// What the developer should check.
        hint: String,
        /// The client used HTTP Basic, so RFC 6749 §5.2 asks for a `WWW-Authenticate` challenge.
        basic: bool,
    },
    /// The code, refresh token or assertion is unknown, used, expired, revoked or somebody else's.
    #[error("{0}")]
    InvalidGrant(String),
    /// The client is known but not registered for this grant or response type.
    #[error("{0}")]
    UnauthorizedClient(String),
    /// No such grant type here.
    #[error("{0}")]
    UnsupportedGrantType(String),
    /// No such response type here, or not one of the client's.
    #[error("{0}")]
    UnsupportedResponseType(String),
    /// The response cannot be delivered in the mode that was asked for.
    #[error("{0}")]
    UnsupportedResponseMode(String),
    /// A scope that the client may not ask for, or that was not granted before.
    #[error("{0}")]
    InvalidScope(String),
    /// `state` is missing or too short to stop cross-site request forgery.
    #[error("{0}")]
    InvalidState(String),
    /// `nonce` is too short to stop a replay.
    #[error("{0}")]
    InsufficientEntropy(String),
    /// The person, or the login or consent page, refused.
    #[error("{0}")]
    AccessDenied(String),
    /// `prompt=none`, but somebody has to sign in.
    #[error("{0}")]
    LoginRequired(String),
    /// `prompt=none`, but somebody has to agree.
    #[error("{0}")]
    ConsentRequired(String),
    /// `prompt=none`, but a page has to be shown for some other reason.
    #[error("{0}")]
    InteractionRequired(String),
    /// Request objects by value are not supported.
    #[error("{0}")]
    RequestNotSupported(String),
    /// Request objects by reference are not supported.
    #[error("{0}")]
    RequestUriNotSupported(String),
    /// The `registration` parameter is not supported.
    #[error("{0}")]
    RegistrationNotSupported(String),
    /// The request came too late, twice, or from a browser other than the one it belongs to.
    #[error("{0}")]
    RequestForbidden(String),
    /// A challenge or verifier has expired.
    #[error("{0}")]
    RequestUnauthorized(String),
    /// A bearer token is missing, malformed, expired or revoked (RFC 6750 §3.1).
    #[error("{0}")]
    InvalidToken(String),
    /// The bearer token lacks a scope that this resource needs (RFC 6750 §3.1).
    #[error("{hint}")]
    InsufficientScope {
        /// What is missing.
        hint: String,
        /// The scope that would do.
        scope: &'static str,
    },
    /// Client metadata that cannot be accepted (RFC 7591 §3.2.2).
    #[error("{0}")]
    InvalidClientMetadata(String),
    /// A redirect URI that cannot be registered (RFC 7591 §3.2.2).
    #[error("{0}")]
    InvalidRedirectUri(String),
    /// A custom refusal that the login or consent application asked to be passed on.
    #[error("{description}")]
    Custom {
        /// The error code that the application chose.
        code: String,
        /// What it says about it.
        description: String,
    },
    /// Something failed here; the cause is in the log, not in the answer.
    #[error("{0}")]
    ServerError(String),
    /// The store is busy or away; the same request may succeed later.
    #[error("{0}")]
    TemporarilyUnavailable(String),
}

impl OAuthError {
    /// The status and the `error` code of this refusal.
    #[must_use]
    pub fn status_and_code(&self) -> (StatusCode, &str) {
        match self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient { .. } => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidGrant(_) => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::UnauthorizedClient(_) => (StatusCode::BAD_REQUEST, "unauthorized_client"),
            Self::UnsupportedGrantType(_) => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::UnsupportedResponseType(_) => {
                (StatusCode::BAD_REQUEST, "unsupported_response_type")
            }
            Self::UnsupportedResponseMode(_) => {
                (StatusCode::BAD_REQUEST, "unsupported_response_mode")
            }
            Self::InvalidScope(_) => (StatusCode::BAD_REQUEST, "invalid_scope"),
            Self::InvalidState(_) => (StatusCode::BAD_REQUEST, "invalid_state"),
            Self::InsufficientEntropy(_) => (StatusCode::BAD_REQUEST, "insufficient_entropy"),
            Self::AccessDenied(_) => (StatusCode::FORBIDDEN, "access_denied"),
            Self::LoginRequired(_) => (StatusCode::BAD_REQUEST, "login_required"),
            Self::ConsentRequired(_) => (StatusCode::BAD_REQUEST, "consent_required"),
            Self::InteractionRequired(_) => (StatusCode::BAD_REQUEST, "interaction_required"),
            Self::RequestNotSupported(_) => (StatusCode::BAD_REQUEST, "request_not_supported"),
            Self::RequestUriNotSupported(_) => {
                (StatusCode::BAD_REQUEST, "request_uri_not_supported")
            }
            Self::RegistrationNotSupported(_) => {
                (StatusCode::BAD_REQUEST, "registration_not_supported")
            }
            Self::RequestForbidden(_) => (StatusCode::FORBIDDEN, "request_forbidden"),
            Self::RequestUnauthorized(_) => (StatusCode::UNAUTHORIZED, "request_unauthorized"),
            Self::InvalidToken(_) => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::InsufficientScope { .. } => (StatusCode::FORBIDDEN, "insufficient_scope"),
            Self::InvalidClientMetadata(_) => (StatusCode::BAD_REQUEST, "invalid_client_metadata"),
            Self::InvalidRedirectUri(_) => (StatusCode::BAD_REQUEST, "invalid_redirect_uri"),
            Self::Custom { code, .. } => (StatusCode::BAD_REQUEST, code),
            Self::ServerError(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            Self::TemporarilyUnavailable(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
        }
    }

    /// The text for `error_description`: only characters that RFC 6749 §5.2 allows there, and no double quotes, so
    /// that it also fits a `WWW-Authenticate` header.
    #[must_use]
    pub fn description(&self) -> String {
        self.to_string()
            .chars()
            .map(|c| match c {
                '"' => '\'',
                '\\' => '/',
                ' '..='~' => c,
                _ => '?',
            })
            .collect()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        let body = Body {
            error: code,
            error_description: &self.description(),
        };
        let mut response = (status, Json(body)).into_response();
        never_store(response.headers_mut());
        if let Some(challenge) = self.challenge() {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl OAuthError {
    /// The `WWW-Authenticate` header that belongs to this refusal, if any.
    fn challenge(&self) -> Option<HeaderValue> {
        let (_, code) = self.status_and_code();
        let challenge = match self {
            Self::InvalidClient { basic: true, .. } => {
                "Basic realm=\"gatepost\", charset=\"UTF-8\"".to_owned()
            }
            Self::InvalidToken(_) => {
                format!(
                    "Bearer error=\"{code}\", error_description=\"{}\"",
                    self.description()
                )
            }
            Self::InsufficientScope { scope, .. } => {
                format!(
                    "Bearer error=\"{code}\", error_description=\"{}\", scope=\"{scope}\"",
                    self.description()
                )
            }
            // RFC 6750 §3.1: a request without any credentials gets a challenge without an error code.
            Self::RequestUnauthorized(_) => "Bearer".to_owned(),
            _ => return None,
        };
        HeaderValue::from_str(&challenge).ok()
    }

    /// Our fault. The cause goes to the log, never to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "an OAuth2 request failed inside");
        Self::ServerError("the server could not answer; see its log".into())
    }
}

impl From<StorageError> for OAuthError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unavailable(_) => {
                tracing::error!(cause = %error, "the storage is unavailable");
                Self::TemporarilyUnavailable(
                    "the server cannot reach its storage; try again".into(),
                )
            }
            StorageError::Conflict | StorageError::Corrupt(_) => Self::internal(&error),
        }
    }
}

impl From<EntropyError> for OAuthError {
    fn from(error: EntropyError) -> Self {
        Self::internal(&error)
    }
}

impl From<KeyError> for OAuthError {
    fn from(error: KeyError) -> Self {
        Self::internal(&error)
    }
}

impl From<SealError> for OAuthError {
    fn from(error: SealError) -> Self {
        Self::internal(&error)
    }
}

impl From<PasswordError> for OAuthError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::TemporarilyUnavailable(
                "too many secrets are being checked; try again shortly".into(),
            ),
            PasswordError::Cost(_) | PasswordError::Entropy(_) | PasswordError::Failed(_) => {
                Self::internal(&error)
            }
        }
    }
}
