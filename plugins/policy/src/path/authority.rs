//! `host[:port]`, made canonical.

use std::net::Ipv6Addr;

use super::BadUrl;

/// No DNS name is longer (RFC 1035 section 2.3.4).
const MAX_HOST_BYTES: usize = 255;

/// Lower case. A port is kept as it was sent. A trailing dot is refused: the proxy would route, and
/// the upstream would see, another host than the one that was matched. Envoy can take it off before
/// (`strip_trailing_host_dot`).
///
/// Narrower than RFC 3986 section 3.2.2: no percent escapes and no sub-delimiters, which no DNS
/// name holds and parsers read differently; and no user information.
pub(super) fn canonical(authority: &[u8]) -> Result<String, BadUrl> {
    let text = str::from_utf8(authority).map_err(|_| BadUrl::Host)?;
    let (host, port) = split_port(text)?;
    if let Some(port) = port {
        check_port(port)?;
    }
    let mut canonical = host.to_ascii_lowercase();
    if let Some(port) = port {
        canonical.push(':');
        canonical.push_str(port);
    }
    Ok(canonical)
}

/// The checked host, and the text after the colon.
fn split_port(text: &str) -> Result<(&str, Option<&str>), BadUrl> {
    if !text.starts_with('[') {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        return is_name(host).then_some((host, port)).ok_or(BadUrl::Host);
    }
    let (address, rest) = text.rsplit_once(']').ok_or(BadUrl::Host)?;
    let digits = address.strip_prefix('[').ok_or(BadUrl::Host)?;
    if digits.parse::<Ipv6Addr>().is_err() {
        return Err(BadUrl::Host);
    }
    let host = text.strip_suffix(rest).ok_or(BadUrl::Host)?;
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(BadUrl::Host),
    }
}

fn is_name(host: &str) -> bool {
    host.len() <= MAX_HOST_BYTES
        && host.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte))
        })
}

fn check_port(port: &str) -> Result<(), BadUrl> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    if digits && port.len() <= 5 && port.parse::<u16>().is_ok() {
        Ok(())
    } else {
        Err(BadUrl::Port)
    }
}
