//! Requests that are refused without the engine's word.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gatepost_policy::request::MAX_BODY;
use serde_json::json;

/// Why there is no decision. Whatever it is, the answer is no.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(
        "`{header}` came from {peer}, which is not among `serve.api.gatepost.trusted_proxies`; name it \
         there if it is your proxy"
    )]
    Untrusted {
        header: &'static str,
        peer: std::net::IpAddr,
    },
    #[error("`{0}` came more than once, or holds no single value")]
    Ambiguous(&'static str),
    #[error("too many bodies wait for a decision")]
    Crowded,
    #[error("a body of more than {MAX_BODY} bytes cannot be judged")]
    LargeBody,
    #[error("the rest of the body does not come")]
    SlowBody,
    #[error("no decision after {0} steps")]
    NoEnd(u8),
    #[error("no decision in time")]
    Late,
    #[error("a rule calls `{0}`, which its policy does not name")]
    UnknownOrigin(String),
    #[error("the value for the header `{0}` cannot be sent")]
    BadValue(String),
}

impl Trouble {
    const fn status(&self) -> StatusCode {
        match self {
            Self::Untrusted { .. } => StatusCode::FORBIDDEN,
            Self::Ambiguous(_) => StatusCode::BAD_REQUEST,
            Self::Crowded | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
            Self::LargeBody => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::NoEnd(_) | Self::UnknownOrigin(_) | Self::BadValue(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

impl IntoResponse for Trouble {
    /// The answer says no more than the status: the proxy may hand it to the client.
    fn into_response(self) -> Response {
        refusal(self.status())
    }
}

/// An error in Oathkeeper's form.
pub(super) fn refusal(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let body = json!({"error": {"code": status.as_u16(), "status": reason}});
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response()
}
