//! sprig's `urlParse` and `urlJoin`: URLs as Go's `net/url` reads and writes them.

use std::collections::BTreeMap;

use super::{Args, Function};
use crate::template::{error::Fault, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("urlParse", 1, 1, parse),
    Function::new("urlJoin", 1, 1, join),
];

/// The parts of a URL, under the names that sprig gives them.
#[derive(Default)]
struct Parts {
    scheme: String,
    opaque: String,
    userinfo: String,
    host: String,
    path: String,
    query: String,
    fragment: String,
}

/// Where a byte stands decides whether it needs escaping.
#[derive(Clone, Copy)]
enum Place {
    Host,
    Path,
    User,
    Fragment,
}

impl Place {
    /// What stays as it is, besides letters, digits and `-_.~`.
    const fn plain(self) -> &'static [u8] {
        match self {
            Self::Host => b"!$&'()*+,;=:[]<>\"",
            Self::Path => b"$&+,/:;=@",
            Self::User => b"$&+,;=",
            Self::Fragment => b"!()*$&+,/:;=?@",
        }
    }

    fn stays(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || self.plain().contains(&byte)
    }

    fn escaped(self, text: &str) -> String {
        text.bytes().fold(String::new(), |mut escaped, byte| {
            if self.stays(byte) {
                escaped.push(char::from(byte));
            } else {
                escaped.push_str(&format!("%{byte:02X}"));
            }
            escaped
        })
    }

    /// What the escapes stand for; `None` for a broken one.
    fn unescaped(self, text: &str) -> Option<String> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            let byte = u8::try_from(high.wrapping_shl(4) | low).ok()?;
            // A host's escapes are for what is not ASCII.
            if matches!(self, Self::Host) && byte.is_ascii() {
                return None;
            }
            bytes.push(byte);
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn parse<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(0)?;
    args.budget.text(text.len().saturating_mul(4))?;
    let parts = parts(&text).ok_or_else(|| args.fault("the string is no URL"))?;
    let (hostname, _) = split_port(&parts.host).unwrap_or((&parts.host, ""));
    let bare = hostname
        .strip_prefix('[')
        .and_then(|bare| bare.strip_suffix(']'));
    let hostname = bare.unwrap_or(hostname).to_owned();
    Value::map(BTreeMap::from(
        [
            ("scheme", parts.scheme),
            ("opaque", parts.opaque),
            ("userinfo", parts.userinfo),
            ("host", parts.host),
            ("hostname", hostname),
            ("path", parts.path),
            ("query", parts.query),
            ("fragment", parts.fragment),
        ]
        .map(|(name, part)| (name.to_owned(), Value::text(part))),
    ))
}

fn parts(text: &str) -> Option<Parts> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (scheme, text) = scheme(text)?;
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let mut parts = Parts {
        scheme: scheme.to_ascii_lowercase(),
        query: query.to_owned(),
        fragment: Place::Fragment.unescaped(fragment)?,
        ..Parts::default()
    };
    if !text.starts_with('/') {
        if !scheme.is_empty() {
            parts.opaque = text.to_owned();
            return Some(parts);
        }
        let first = text.split('/').next().unwrap_or_default();
        if first.contains(':') {
            return None;
        }
    }
    let has_authority = !scheme.is_empty() || !text.starts_with("///");
    let path = match text.strip_prefix("//").filter(|_| has_authority) {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
            parts.userinfo = canonical_userinfo(userinfo)?;
            parts.host = checked_host(host)?;
            path
        }
        None => text,
    };
    parts.path = Place::Path.unescaped(path)?;
    Some(parts)
}

/// The scheme, which may be empty, and what follows its colon.
fn scheme(text: &str) -> Option<(&str, &str)> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c));
    let end = text.find(ends).unwrap_or(text.len());
    let (scheme, rest) = text.split_at(end);
    match rest.strip_prefix(':') {
        Some(_) if scheme.is_empty() => None,
        Some(rest) if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) => Some((scheme, rest)),
        _ => Some(("", text)),
    }
}

/// User and password with their escapes as Go writes them.
fn canonical_userinfo(userinfo: &str) -> Option<String> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !userinfo.bytes().all(valid) {
        return None;
    }
    let rewritten = |part: &str| {
        Place::User
            .unescaped(part)
            .map(|part| Place::User.escaped(&part))
    };
    match userinfo.split_once(':') {
        None => rewritten(userinfo),
        Some((user, password)) => Some(format!("{}:{}", rewritten(user)?, rewritten(password)?)),
    }
}

fn checked_host(host: &str) -> Option<String> {
    let (name, _) = split_port(host)?;
    if let Some(address) = name.strip_prefix('[') {
        address
            .strip_suffix(']')?
            .parse::<std::net::Ipv6Addr>()
            .ok()?;
    }
    let valid = |byte: u8| byte == b'%' || !byte.is_ascii() || Place::Host.stays(byte);
    if !host.bytes().all(valid) {
        return None;
    }
    Place::Host.unescaped(host)
}

/// The host's name, and its port with the colon where there is one; `None` for a bad port.
fn split_port(host: &str) -> Option<(&str, &str)> {
    let after = host.rfind(']').unwrap_or(0);
    let colon = host.rfind(':').filter(|colon| *colon >= after);
    let (name, port) = host.split_at(colon.unwrap_or(host.len()));
    let digits = port.strip_prefix(':').unwrap_or_default();
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some((name, port))
}

fn join<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let map = args.map(0)?;
    let part = |name: &str| match map.get(name) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text.to_string()),
        Some(_) => Err(args.fault(format_args!("`{name}` must be a string"))),
    };
    let parts = Parts {
        scheme: part("scheme")?,
        opaque: part("opaque")?,
        userinfo: part("userinfo")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        fragment: part("fragment")?,
    };
    let url = written(&parts).ok_or_else(|| args.fault("`userinfo` is malformed"))?;
    args.made(url)
}

fn written(parts: &Parts) -> Option<String> {
    let mut url = String::new();
    if !parts.scheme.is_empty() {
        url.push_str(&parts.scheme);
        url.push(':');
    }
    if parts.opaque.is_empty() {
        push_hierarchy(&mut url, parts)?;
    } else {
        url.push_str(&parts.opaque);
    }
    if !parts.query.is_empty() {
        url.push('?');
        url.push_str(&parts.query);
    }
    if !parts.fragment.is_empty() {
        url.push('#');
        url.push_str(&Place::Fragment.escaped(&parts.fragment));
    }
    Some(url)
}

/// Authority and path.
fn push_hierarchy(url: &mut String, parts: &Parts) -> Option<()> {
    let Parts {
        scheme,
        userinfo,
        host,
        path,
        ..
    } = parts;
    let has_authority = !host.is_empty() || !userinfo.is_empty();
    if has_authority || (!scheme.is_empty() && !path.is_empty()) {
        url.push_str("//");
        if !userinfo.is_empty() {
            url.push_str(&canonical_userinfo(userinfo)?);
            url.push('@');
        }
        url.push_str(&Place::Host.escaped(host));
    }
    if !host.is_empty() && !path.is_empty() && !path.starts_with('/') {
        url.push('/');
    }
    // A first segment with a colon would read as a scheme.
    if url.is_empty()
        && path
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'))
    {
        url.push_str("./");
    }
    url.push_str(&Place::Path.escaped(path));
    Some(())
}
