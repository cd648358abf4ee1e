//! Attributes: what a host tells of a request and its connection under a name.
//!
//! The names are Envoy's, which are those of its access control by CEL; other proxy-wasm hosts have a
//! part of them. A host hands values over as bytes, without their type: that stands here.

use crate::template::AttributeValue;

/// A named value that a template can ask for.
#[derive(Debug)]
pub struct Attribute {
    /// Its name, as Envoy's documentation has it.
    pub name: &'static str,
    kind: Kind,
    /// Whether it is not known before there is a response.
    pub(crate) is_of_response: bool,
}

/// How the host writes the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The text itself.
    Text,
    /// Eight bytes, the lowest first.
    Int,
    /// Nanoseconds since 1970, as [`Kind::Int`]; templates get milliseconds.
    Time,
    /// One byte.
    Bool,
}

const fn text(name: &'static str) -> Attribute {
    of(name, Kind::Text)
}

const fn of(name: &'static str, kind: Kind) -> Attribute {
    Attribute {
        name,
        kind,
        is_of_response: false,
    }
}

/// The same, once there is a response.
const fn later(name: &'static str, kind: Kind) -> Attribute {
    Attribute {
        is_of_response: true,
        ..of(name, kind)
    }
}

const ATTRIBUTES: &[Attribute] = &[
    text("connection.dns_san_local_certificate"),
    text("connection.dns_san_peer_certificate"),
    of("connection.id", Kind::Int),
    of("connection.mtls", Kind::Bool),
    text("connection.requested_server_name"),
    text("connection.sha256_peer_certificate_digest"),
    text("connection.subject_local_certificate"),
    text("connection.subject_peer_certificate"),
    text("connection.tls_version"),
    text("connection.uri_san_local_certificate"),
    text("connection.uri_san_peer_certificate"),
    text("destination.address"),
    of("destination.port", Kind::Int),
    text("request.host"),
    text("request.id"),
    text("request.method"),
    text("request.path"),
    text("request.protocol"),
    text("request.query"),
    text("request.scheme"),
    of("request.time", Kind::Time),
    text("request.url_path"),
    text("request.useragent"),
    later("response.code", Kind::Int),
    later("response.code_details", Kind::Text),
    later("response.flags", Kind::Int),
    text("source.address"),
    of("source.port", Kind::Int),
    later("upstream.address", Kind::Text),
    later("upstream.port", Kind::Int),
    later("upstream.transport_failure_reason", Kind::Text),
    text("xds.cluster_name"),
    text("xds.filter_chain_name"),
    text("xds.route_name"),
    text("xds.virtual_host_name"),
];

impl Attribute {
    /// The attribute of this name.
    ///
    /// # Errors
    /// There is none; the message lists those that there are.
    pub(crate) fn find(name: &str) -> Result<&'static Self, String> {
        let found = ATTRIBUTES.iter().find(|attribute| attribute.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = ATTRIBUTES.iter().map(|attribute| attribute.name).collect();
            format!(
                "there is no attribute `{name}`; known are {}",
                known.join(", ")
            )
        })
    }

    /// The parts of its name, by which a host finds it.
    pub fn path(&self) -> impl Iterator<Item = &'static str> {
        self.name.split('.')
    }

    /// The value that the host wrote as `bytes`; `None` if they are not of its type.
    pub(crate) fn read(&self, bytes: &[u8]) -> Option<AttributeValue> {
        let int = || bytes.try_into().ok().map(i64::from_le_bytes);
        Some(match self.kind {
            Kind::Text => AttributeValue::Text(String::from_utf8_lossy(bytes).into_owned()),
            Kind::Int => AttributeValue::Int(int()?),
            Kind::Time => AttributeValue::Int(int()?.checked_div(1_000_000)?),
            Kind::Bool => AttributeValue::Bool(*bytes.first()? != 0),
        })
    }
}
