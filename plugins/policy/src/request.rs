//! What a host must supply about the request to be decided.

use std::net::IpAddr;

use crate::{PeerCertificate, headers::Headers};

/// One request, as the proxy sees it. The driver keeps it until the decision is made and lends it
/// to every step.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Header fields, with the pseudo-header fields `:method`, `:scheme`, `:authority` and `:path`
    /// (RFC 9113 section 8.3.1) that name what is asked for. A driver without them adds them.
    pub headers: Headers,
    /// The address of the peer that sent the request, where the host tells it.
    pub client_address: Option<IpAddr>,
    /// The client certificate of the connection; `None` where there was none, or the policy does not
    /// ask for it ([`crate::Policy::needs_peer_certificate`]).
    pub peer_certificate: Option<PeerCertificate>,
    /// The body; `None` as long as it was not read. Few rules need it, so a driver reads it only when
    /// [`crate::Step::Body`] says so; for a request without one it may be empty from the start.
    pub body: Option<Vec<u8>>,
}

/// The largest body, in bytes, that a driver reads for a rule. A larger one is refused with 413
/// (RFC 9110 section 15.5.14).
pub const MAX_BODY: usize = 1024 * 1024;
