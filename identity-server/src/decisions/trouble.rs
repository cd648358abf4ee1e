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
    #[error(
        "{0} asked over gRPC, and is not among `serve.api.gatepost.trusted_proxies`; name it there if it is \
         your Envoy"
    )]
    UnknownAsker(std::net::IpAddr),
    #[error(
        "the proxy sent `X-Forwarded-Uri` without `X-Forwarded-Host`: its client names no host (HTTP/1.0), or \
         the proxy's configuration has to set that header too"
    )]
    NoHost,
    #[error("a question over gRPC cannot be used: {0}")]
    BadQuestion(&'static str),
    #[error("a question over gRPC is too long")]
    LargeQuestion,
    #[error(
        "a rule decides by the body, of which Envoy sends only the beginning; raise `max_request_bytes` in \
         its `with_request_body`, and do not set `allow_partial_message`"
    )]
    PartialBody,
    #[error(
        "a rule decides by the body, which the proxy does not send: Envoy does `with_request_body` (over gRPC also \
         set the metadata `x-gatepost-body: sent`), Traefik with `forwardBody`, nginx and Caddy cannot"
    )]
    NoBody,
    #[error(
        "a request was allowed that would need another path, or would have to lose a header under a name with \
         `_`, and `serve.api.gatepost.unclean_requests` is `refuse`"
    )]
    Unclean,
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
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Untrusted { .. } | Self::UnknownAsker(_) => StatusCode::FORBIDDEN,
            Self::Ambiguous(_) | Self::NoHost | Self::BadQuestion(_) | Self::Unclean => {
                StatusCode::BAD_REQUEST
            }
            Self::Crowded | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
            Self::LargeBody | Self::LargeQuestion | Self::PartialBody => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::NoBody | Self::NoEnd(_) | Self::UnknownOrigin(_) | Self::BadValue(_) => {
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
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], refusal_text(status)).into_response()
}

/// Its body.
pub(super) fn refusal_text(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    json!({"error": {"code": status.as_u16(), "status": reason}}).to_string()
}
