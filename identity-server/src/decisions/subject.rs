//! The request that is decided, made of the question.

use std::net::IpAddr;

use axum::http::{HeaderMap, header, request::Parts};
use gatepost_policy::{Headers, PeerCertificate, Request};

use super::{certificate::from_xfcc, forwarded::Target, settings::Settings, trouble::Trouble};
use crate::client_address::{self, client_address};

/// Where Envoy tells of client certificates.
const CLIENT_CERT: &str = "x-forwarded-client-cert";

/// Where Envoy tells of a body that is longer than what it sends of it.
pub(super) const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

/// Where a proxy says that it keeps the body to itself.
const BODY: &str = "x-gatepost-body";

/// Why the body that comes with the question is not that of the request, if so. A client that says this
/// only harms itself.
pub(super) fn withheld(headers: &HeaderMap) -> Option<Trouble> {
    let mut partial = headers.get_all(PARTIAL_BODY).iter();
    if partial.any(|value| value != "false") {
        return Some(Trouble::PartialBody);
    }
    let mut told = headers.get_all(BODY).iter();
    told.any(|value| !value.is_empty())
        .then_some(Trouble::NoBody)
}

/// The request that `target` and the fields of the question describe.
pub(super) fn subject(
    question: &Parts,
    target: Target,
    peer: IpAddr,
    settings: &Settings,
) -> Request {
    let headers = &question.headers;
    let is_trusted = settings.trusts(peer);
    let pseudo = [
        (":method", target.method),
        (":scheme", target.scheme),
        (":authority", target.authority),
        (":path", target.path),
    ];
    let fields = headers
        .iter()
        .filter(|(name, _)| ![header::HOST.as_str(), PARTIAL_BODY, BODY].contains(&name.as_str()))
        .map(|(name, value)| (name.as_str().into(), value.as_bytes().to_vec()));
    let pseudo = pseudo.map(|(name, value)| (name.into(), value));
    Request {
        headers: Headers::new(pseudo.into_iter().chain(fields).collect()),
        client_address: is_trusted
            .then(|| client(headers, peer, settings))
            .flatten(),
        peer_certificate: (is_trusted && settings.client_certificates)
            .then(|| certificate(headers))
            .flatten(),
        body: None,
    }
}

/// The client's address, where the proxy tells it. The peer's own will not do: that is the proxy's, and a
/// rule for the office's network is not meant for whoever comes through a proxy in it.
fn client(headers: &HeaderMap, peer: IpAddr, settings: &Settings) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    let entry = last.to_str().ok()?.rsplit(',').next()?;
    client_address::address(entry.trim())?;
    Some(client_address(peer, headers, &settings.trusted_proxies))
}

/// The certificate in the last field; a client's own would stand before it.
fn certificate(headers: &HeaderMap) -> Option<PeerCertificate> {
    let value = headers.get_all(CLIENT_CERT).iter().next_back()?;
    from_xfcc(value.to_str().ok()?)
}
