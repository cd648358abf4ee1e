//! The URL that is matched, made canonical once.
//!
//! Most ways round an access rule are two parsers that disagree about one request. So a URL is
//! either read in the one way that every upstream agrees on, or refused ([`BadUrl`], a 400), and
//! what was matched is also what goes upstream ([`Url::upstream_path`]).
//!
//! The path is percent-decoded exactly once; then `//` is merged, `.` and `..` are resolved (never
//! above the root) and a trailing `/` is dropped, as Go's `path.Clean` does for Oathkeeper 26.
//! Refused is what decoding would make ambiguous: an encoded `/`, any `\`, control bytes, and
//! segments that a second decoding, or cutting `;parameters` off, would turn into `.`, `..` or
//! nothing. A [`Reading`] says otherwise of slashes and dots where the operator wants it.

mod authority;
mod clean;
mod forward;
mod reading;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Headers, Request, headers::is_token};
pub use reading::{Cleaning, EncodedSlashes, Reading};

/// The longest path that is read, in bytes, with every byte counted as three that needs escaping.
/// Longer than any path a rule is written for, and a bound on what matching can cost.
pub const MAX_PATH_BYTES: usize = 8192;

/// A canonical request URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`, in lower case.
    pub scheme: String,
    /// Host, with the port where one was sent; lower case, no trailing dot.
    pub host: String,
    /// The decoded, cleaned path that is matched: `/a/b`, never with a trailing slash except `/`
    /// (unless it was read [`Cleaning::V040`]).
    pub path: String,
    /// The raw query without `?`, where there is one.
    pub query: Option<String>,
    /// How the path was read.
    pub reading: Reading,
}

impl Url {
    /// Reads and canonicalises the URL of `request` from `:scheme` (`http` where the proxy names
    /// none), `:authority` (or `host`) and `:path`. `:method` is only checked: exactly one token.
    ///
    /// # Errors
    /// Where the URL is malformed, or upstreams might differ over what it means.
    pub fn from_request(request: &Request) -> Result<Self, BadUrl> {
        Self::read(request, Reading::default())
    }

    /// The same, with the path read as the operator wants it.
    ///
    /// # Errors
    /// As [`Url::from_request`].
    pub fn read(request: &Request, reading: Reading) -> Result<Self, BadUrl> {
        let headers = &request.headers;
        let method = single(headers, ":method")?.ok_or(BadUrl::NoMethod)?;
        if !is_token(method) {
            return Err(BadUrl::Method);
        }
        let scheme = scheme(single(headers, ":scheme")?)?;
        let host = host(headers)?;
        let (path, query) = split_query(single(headers, ":path")?.ok_or(BadUrl::NoPath)?);
        Ok(Self {
            scheme: scheme.to_owned(),
            host,
            path: clean::path(path, reading)?,
            query: query.map(checked_query).transpose()?,
            reading,
        })
    }

    /// What patterns are matched against: `scheme://host[:port]/path`.
    #[must_use]
    pub fn subject(&self) -> String {
        [&self.scheme, "://", &self.host, &self.path].concat()
    }

    /// The `:path` to send upstream, where that differs from `raw_path`, the `:path` that the
    /// client sent and from which this URL was read.
    ///
    /// It names the path that was matched: dot segments and repeated slashes are gone, escapes are
    /// normalised as RFC 3986 section 6.2.2 says. What changes no meaning stays as sent: escaped
    /// reserved characters, a trailing slash, the query.
    #[must_use]
    pub fn upstream_path(&self, raw_path: &[u8]) -> Option<String> {
        let (path, _) = split_query(raw_path);
        if clean::is_plain(path) && self.reading.trimmed(path) == self.path.as_bytes() {
            return None;
        }
        let mut forwarded = forward::path(path, &self.path, self.reading);
        if let Some(query) = &self.query {
            forwarded.push('?');
            forwarded.push_str(query);
        }
        (forwarded.as_bytes() != raw_path).then_some(forwarded)
    }
}

/// Why a request's URL is refused. The client gets a 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadUrl {
    /// `:method` is missing.
    NoMethod,
    /// `:method` is not a token (RFC 9110 section 9.1).
    Method,
    /// `:path` is missing, as in `CONNECT`.
    NoPath,
    /// Neither `:authority` nor `host`.
    NoHost,
    /// A pseudo-header field, or `host`, came more than once.
    Repeated,
    /// `:authority` and `host` name different hosts.
    TwoHosts,
    /// A scheme other than `http` and `https`.
    Scheme,
    /// The host is not a DNS name, an IPv4 address or a bracketed IPv6 address, with a port at most.
    Host,
    /// The port is not a number from 0 to 65535.
    Port,
    /// The path does not begin with `/`: `*`, or an absolute URL.
    PathStart,
    /// The path is longer than [`MAX_PATH_BYTES`].
    PathTooLong,
    /// A `#`, which no client sends to a server.
    Fragment,
    /// `%2f`: whether it separates segments depends on the upstream.
    EncodedSlash,
    /// `.` or `..` where paths are not cleaned: the upstream would resolve what was matched as text.
    DotSegment,
    /// `\` or `%5c`, which some upstreams read as `/`.
    Backslash,
    /// A control byte or a space, or in the path the escape of a control byte.
    ControlByte,
    /// A `%` without two hexadecimal digits after it.
    Escape,
    /// The path or query is not UTF-8.
    NotUtf8,
    /// A `;` that is not escaped: what follows it is a parameter to some upstreams, and part of the
    /// name to others.
    Parameters,
    /// A segment like `..%3Bx`, or `%3Bx`: upstreams that drop parameters see `..`, or nothing.
    DotParameters,
    /// A segment that a second decoding would split or resolve, like `%252e%252e`.
    DoublyEncoded,
}

impl BadUrl {
    /// The reason as a fixed text.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoMethod => "the request has no method",
            Self::Method => "the method is not a token",
            Self::NoPath => "the request has no path",
            Self::NoHost => "the request has no host",
            Self::Repeated => "a pseudo-header or the host is repeated",
            Self::TwoHosts => "the authority and the host differ",
            Self::Scheme => "the scheme is neither http nor https",
            Self::Host => "the host is malformed",
            Self::Port => "the port is malformed",
            Self::PathStart => "the path does not begin with a slash",
            Self::PathTooLong => "the path is too long",
            Self::Fragment => "the path holds a fragment",
            Self::EncodedSlash => "the path holds an encoded slash",
            Self::DotSegment => "the path holds a dot segment",
            Self::Backslash => "the path holds a backslash",
            Self::ControlByte => "the path holds a control byte or a space",
            Self::Escape => "the path holds a broken percent escape",
            Self::NotUtf8 => "the path is not UTF-8",
            Self::Parameters => "the path holds parameters",
            Self::DotParameters => "a path segment has parameters but no name",
            Self::DoublyEncoded => "the path is encoded twice",
        }
    }
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for BadUrl {}

/// The only value of `name`, where there is one.
fn single<'h>(headers: &'h Headers, name: &str) -> Result<Option<&'h [u8]>, BadUrl> {
    let mut values = headers.all(name);
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(BadUrl::Repeated),
    }
}

fn scheme(sent: Option<&[u8]>) -> Result<&'static str, BadUrl> {
    match sent {
        None => Ok("http"),
        Some(http) if http.eq_ignore_ascii_case(b"http") => Ok("http"),
        Some(https) if https.eq_ignore_ascii_case(b"https") => Ok("https"),
        Some(_) => Err(BadUrl::Scheme),
    }
}

fn host(headers: &Headers) -> Result<String, BadUrl> {
    let authority = single(headers, ":authority")?.map(authority::canonical);
    let host = single(headers, "host")?.map(authority::canonical);
    match (authority.transpose()?, host.transpose()?) {
        (None, None) => Err(BadUrl::NoHost),
        // RFC 9113 section 8.3.1: the two must not contradict each other.
        (Some(authority), Some(host)) if authority != host => Err(BadUrl::TwoHosts),
        (Some(host), _) | (None, Some(host)) => Ok(host),
    }
}

/// Splits at the first `?`: what follows is never part of the path, whatever it holds.
fn split_query(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = path.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

fn checked_query(query: &[u8]) -> Result<String, BadUrl> {
    if query.contains(&b'#') {
        return Err(BadUrl::Fragment);
    }
    if query.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
        return Err(BadUrl::ControlByte);
    }
    match str::from_utf8(query) {
        Ok(query) => Ok(query.to_owned()),
        Err(_) => Err(BadUrl::NotUtf8),
    }
}
