//! The client certificate of the connection that a request came on, as the proxy tells it.

/// The certificate that the peer presented in the TLS handshake.
///
/// The proxy decides whether it was verified against a certificate authority; a listener that takes
/// untrusted ones must not be used with rules that trust their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The SHA-256 of its DER form, where the proxy tells it (RFC 8705 section 3.1).
    pub sha256: Option<[u8; 32]>,
    /// Its subject, in the form of RFC 2253: `CN=client,OU=platform,O=example`.
    pub subject: Option<String>,
    /// The first URI among its alternative names, such as a SPIFFE ID.
    pub uri: Option<String>,
    /// The first DNS name among its alternative names.
    pub dns: Option<String>,
}

impl PeerCertificate {
    /// Reads a SHA-256 digest in hexadecimal, as proxies tell it; `None` where it is not one.
    #[must_use]
    pub fn digest_from_hex(text: &str) -> Option<[u8; 32]> {
        crate::digest::from_hex(text)
    }
}
