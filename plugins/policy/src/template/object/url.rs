//! Go's `*url.URL`.

use std::borrow::Cow;

use super::{Fields, Map, Text, Value};
use crate::path::Url;

/// Field names are the JSON names.
pub(super) const JSON_FIELDS: &[(&str, &str)] = &[
    ("Scheme", "Scheme"),
    ("Opaque", "Opaque"),
    ("User", "User"),
    ("Host", "Host"),
    ("Path", "Path"),
    ("RawPath", "RawPath"),
    ("OmitHost", "OmitHost"),
    ("ForceQuery", "ForceQuery"),
    ("RawQuery", "RawQuery"),
    ("Fragment", "Fragment"),
    ("RawFragment", "RawFragment"),
];

/// A field or a method without parameters.
pub(super) fn member<'v>(url: &'v Url, name: &str) -> Option<Value<'v>> {
    let text = |text: &'v str| Value::Text(Text::Borrowed(text));
    let query = url.query.as_deref().unwrap_or_default();
    Some(match name {
        "Scheme" => text(&url.scheme),
        "Host" => text(&url.host),
        "Path" => text(&url.path),
        "RawQuery" => text(query),
        // A canonical URL has none of these.
        "Opaque" | "RawPath" | "Fragment" | "RawFragment" | "EscapedFragment" => text(""),
        "OmitHost" => Value::Bool(false),
        "ForceQuery" => Value::Bool(url.query.as_deref() == Some("")),
        "User" => Value::Null,
        "Hostname" => text(split_host(&url.host).0),
        "Port" => text(split_host(&url.host).1),
        "Query" => Value::Map(Map::Fields(Fields::query(query))),
        "String" | "Redacted" => Value::text(written_url(url)),
        "EscapedPath" => Value::Text(escaped(&url.path).into()),
        "RequestURI" => {
            let path = if url.path.is_empty() {
                "/".into()
            } else {
                escaped(&url.path)
            };
            Value::text(with_query(path.into_owned(), url))
        }
        "IsAbs" => Value::Bool(!url.scheme.is_empty()),
        _ => return None,
    })
}

/// `URL.String`.
pub(in crate::template) fn written_url(url: &Url) -> String {
    let mut written = String::new();
    if !url.scheme.is_empty() {
        written.push_str(&url.scheme);
        written.push(':');
    }
    if !url.scheme.is_empty() || !url.host.is_empty() {
        written.push_str("//");
        written.push_str(&url.host);
        if !url.path.is_empty() && !url.path.starts_with('/') {
            written.push('/');
        }
    }
    written.push_str(&escaped(&url.path));
    with_query(written, url)
}

fn with_query(mut written: String, url: &Url) -> String {
    if let Some(query) = &url.query {
        written.push('?');
        written.push_str(query);
    }
    written
}

/// Host and port; the brackets around an IPv6 address fall off.
fn split_host(host: &str) -> (&str, &str) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    (bare.unwrap_or(name), port)
}

/// The path, percent-encoded as Go encodes it: what RFC 3986 allows in a path stays.
fn escaped(path: &str) -> Cow<'_, str> {
    let stays = |b: u8| b.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&b);
    if path.bytes().all(stays) {
        return path.into();
    }
    let mut escaped = String::with_capacity(path.len());
    for b in path.bytes() {
        if stays(b) {
            escaped.push(char::from(b));
        } else {
            escaped.push_str(&format!("%{b:02X}"));
        }
    }
    escaped.into()
}
