//! The client's certificate, as Envoy sends it with `include_peer_certificate`.

use gatepost_policy::PeerCertificate;
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};
use x509_cert::{
    Certificate,
    der::{Decode as _, Document},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// Reads a certificate in PEM (RFC 7468), percent-encoded; `None` if it is none.
pub(super) fn from_peer(encoded: &str) -> Option<PeerCertificate> {
    let pem = percent_decode_str(encoded).decode_utf8().ok()?;
    let (_, document) = Document::from_pem(&pem).ok()?;
    let parsed = Certificate::from_der(document.as_bytes()).ok()?;
    let fields = parsed.tbs_certificate;
    let names = match fields.get::<SubjectAltName>().ok()? {
        Some((_, SubjectAltName(names))) => names,
        None => Vec::new(),
    };
    let first = |of: fn(&GeneralName) -> Option<&str>| names.iter().find_map(of).map(str::to_owned);
    Some(PeerCertificate {
        sha256: Some(Sha256::digest(document.as_bytes()).into()),
        subject: Some(fields.subject.to_string()).filter(|subject| !subject.is_empty()),
        uri: first(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
            _ => None,
        }),
        dns: first(|name| match name {
            GeneralName::DnsName(dns) => Some(dns.as_str()),
            _ => None,
        }),
    })
}
