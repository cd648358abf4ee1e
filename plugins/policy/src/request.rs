//! What a host must supply about the request to be decided.

use std::net::IpAddr;

use crate::headers::Headers;

/// One request, as the proxy sees it. The driver keeps it until the decision is made and lends it
/// to every step.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Header fields, with the pseudo-header fields `:method`, `:scheme`, `:authority` and `:path`
    /// (RFC 9113 section 8.3.1) that name what is asked for. A driver without them adds them.
    pub headers: Headers,
    /// The address of the peer that sent the request, where the host tells it.
    pub client_address: Option<IpAddr>,
}
