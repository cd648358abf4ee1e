//! The request that is decided, made of Envoy's message.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue};
use envoy_types::{
    ext_authz::v3::pb::{Address, CheckRequest},
    pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer},
};
use gatepost_policy::{Headers, Request};

use super::{
    super::{body::Content, settings::Settings, subject::PARTIAL_BODY, trouble::Trouble},
    certificate,
};
use crate::client_address::client_address;

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The request, and what is known of its body. `sends_bodies`: Envoy does, of every request that has one.
pub(super) fn read(
    check: CheckRequest,
    settings: &Settings,
    sends_bodies: bool,
) -> Result<(Request, Content), Trouble> {
    let attributes = check.attributes.unwrap_or_default();
    let http = attributes.request.and_then(|request| request.http);
    let mut http = http.ok_or(Trouble::BadQuestion("it is about no HTTP request"))?;
    let source = attributes.source.unwrap_or_default();
    let target = target(&mut http);
    let fields = fields(&mut http);
    agree(&target, &fields)?;
    let content = content(http, &fields, sends_bodies);
    let client_address = address(&source).map(|ip| client(ip, &fields, settings));
    let peer_certificate = if settings.client_certificates {
        certificate::from_peer(&source.certificate)
    } else {
        None
    };
    let own =
        |name: &[u8]| name.starts_with(b":") || name == b"host" || name == PARTIAL_BODY.as_bytes();
    let fields = fields.into_iter().filter(|(name, _)| !own(name));
    let headers = target.into_iter().map(pseudo).chain(fields);
    let request = Request {
        headers: Headers::new(headers.collect()),
        client_address,
        peer_certificate,
        body: None,
    };
    Ok((request, content))
}

/// Method, scheme, host and path.
fn target(http: &mut HttpRequest) -> [(&'static str, Vec<u8>); 4] {
    let mut path = std::mem::take(&mut http.path);
    // Envoy writes both into the path. Whoever does not means them all the same.
    for (mark, part) in [('?', &http.query), ('#', &http.fragment)] {
        if !part.is_empty() && !path.contains(mark) {
            path.push(mark);
            path.push_str(part);
        }
    }
    let text = |text: &mut String| std::mem::take(text).into_bytes();
    [
        (":method", text(&mut http.method)),
        (":scheme", text(&mut http.scheme)),
        (":authority", text(&mut http.host)),
        (":path", path.into_bytes()),
    ]
}

fn pseudo((name, value): (&'static str, Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
    (name.into(), value)
}

/// The header fields: as the client sent them with `encode_raw_headers`, else with one value for each
/// name, in which `!` stands for what is not UTF-8.
fn fields(http: &mut HttpRequest) -> Fields {
    let joined = std::mem::take(&mut http.headers).into_iter();
    let joined = joined.map(|(name, value)| (name.into_bytes(), value.into_bytes()));
    let raw = http.header_map.take().unwrap_or_default().headers;
    let raw = raw.into_iter().map(|field| {
        let value = match field.raw_value.is_empty() {
            true => field.value.into_bytes(),
            false => field.raw_value,
        };
        (field.key.into_bytes(), value)
    });
    let mut fields: Fields = joined.chain(raw).collect();
    for (name, _) in &mut fields {
        name.make_ascii_lowercase();
    }
    // A map has no order; the sort keeps that of values under one name.
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

/// Refuses a question that says two things of one request.
fn agree(target: &[(&'static str, Vec<u8>); 4], fields: &Fields) -> Result<(), Trouble> {
    for (name, value) in target {
        let mut others = all(fields, name);
        if others.any(|other| other != value.as_slice()) {
            return Err(Trouble::Ambiguous(name));
        }
    }
    Ok(())
}

fn all<'f>(fields: &'f Fields, wanted: &str) -> impl Iterator<Item = &'f [u8]> {
    let named = fields
        .iter()
        .filter(move |(name, _)| name == wanted.as_bytes());
    named.map(|(_, value)| value.as_slice())
}

/// The body, where Envoy sends one and says that it is whole.
fn content(http: HttpRequest, fields: &Fields, sends_bodies: bool) -> Content {
    // The client's own field of that name, if there is one, stands beside Envoy's.
    let mut partial = all(fields, PARTIAL_BODY).peekable();
    let is_told = partial.peek().is_some();
    if partial.any(|value| value != b"false") {
        return Content::Withheld(Trouble::PartialBody);
    }
    let bytes = match http.raw_body.is_empty() {
        true => http.body.into_bytes(),
        false => http.raw_body,
    };
    let is_whole = match bytes.is_empty() {
        true => has_none(&http.protocol, fields, sends_bodies),
        false => is_told,
    };
    match is_whole {
        true => Content::Whole(bytes),
        false => Content::Withheld(Trouble::NoBody),
    }
}

/// Whether a request has no body, and not only none that Envoy would send. What comes with HTTP/2 need not
/// announce its body.
fn has_none(protocol: &str, fields: &Fields, sends_bodies: bool) -> bool {
    let mut lengths = all(fields, "content-length");
    let is_announced = lengths.any(|length| length != b"0");
    let is_chunked = all(fields, "transfer-encoding").next().is_some();
    // Envoy sends none of a request that asks to be upgraded, whatever else this says.
    !is_announced && !is_chunked && (sends_bodies || protocol.starts_with("HTTP/1"))
}

/// The address of Envoy's own peer.
fn address(source: &Peer) -> Option<IpAddr> {
    match source.address.as_ref()?.address.as_ref()? {
        Address::SocketAddress(socket) => socket.address.parse().ok(),
        _ => None,
    }
}

/// The client's address: that peer, or whom it names if it is a proxy that is trusted too.
fn client(peer: IpAddr, fields: &Fields, settings: &Settings) -> IpAddr {
    let mut headers = HeaderMap::new();
    for value in all(fields, "x-forwarded-for") {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append("x-forwarded-for", value);
        }
    }
    client_address(peer, &headers, &settings.trusted_proxies)
}
