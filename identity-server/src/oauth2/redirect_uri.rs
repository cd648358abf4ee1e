//! Redirect URIs: what may be registered, what matches, and how a response is attached.
//!
//! RFC 9700 §2.1: exact string comparison. The one exception is the port of a loopback address (RFC 8252 §7.3),
//! because a native application cannot know its port in advance. Everything works on the strings themselves; two URL
//! parsers that disagree are how redirects get stolen.

use std::net::IpAddr;

use super::error::OAuthError;

/// Schemes that run or embed content instead of naming an application.
const FORBIDDEN_SCHEMES: [&str; 8] = [
    "javascript",
    "data",
    "vbscript",
    "blob",
    "file",
    "about",
    "filesystem",
    "view-source",
];

/// Checks a redirect URI at registration.
///
/// # Errors
/// `invalid_redirect_uri` for anything that is not an absolute URI of visible ASCII characters without fragment, and for
/// schemes such as `javascript`.
pub fn check_registrable(uri: &str) -> Result<(), OAuthError> {
    let refuse = |why: &str| {
        Err(OAuthError::InvalidRedirectUri(format!(
            "the redirect URI '{uri}' {why}"
        )))
    };
    if uri.is_empty()
        || !uri
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'`'))
    {
        return refuse("contains a character that URIs cannot have");
    }
    if uri.contains('#') {
        return refuse("must not have a fragment");
    }
    let Ok(parsed) = url::Url::parse(uri) else {
        return refuse("is not an absolute URI");
    };
    if FORBIDDEN_SCHEMES.contains(&parsed.scheme()) {
        return refuse("has a scheme that cannot receive a response");
    }
    if matches!(parsed.scheme(), "http" | "https") {
        if parsed.host_str().is_none_or(str::is_empty) {
            return refuse("has no host");
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return refuse("must not carry user information");
        }
        if uri
            .split_once("://")
            .is_none_or(|(_, rest)| rest.starts_with('/'))
        {
            return refuse("must be written with '://' and a host");
        }
    }
    Ok(())
}

/// Finds the redirect URI of a request: the one sent, if registered, or the only one registered when none was sent
/// and `may_be_absent`.
///
/// # Errors
/// `invalid_request`; the caller must then not redirect to the client.
pub fn resolve(
    registered: &[String],
    sent: Option<&str>,
    may_be_absent: bool,
) -> Result<String, OAuthError> {
    let Some(sent) = sent else {
        return match registered {
            [only] if may_be_absent => Ok(only.clone()),
            _ => Err(OAuthError::InvalidRequest(
                "the parameter 'redirect_uri' is missing".into(),
            )),
        };
    };
    if registered.iter().any(|known| matches(known, sent)) {
        return Ok(sent.to_owned());
    }
    Err(OAuthError::InvalidRequest(
        "the redirect_uri is not one that the client has registered".into(),
    ))
}

/// Whether responses may be sent there: plain http only stays on this machine, unless the server runs in dev mode.
#[must_use]
pub fn is_secure(uri: &str, dev: bool) -> bool {
    let Ok(parsed) = url::Url::parse(uri) else {
        return false;
    };
    if parsed.scheme() != "http" || dev {
        return true;
    }
    match parsed.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn matches(registered: &str, sent: &str) -> bool {
    if registered == sent {
        return true;
    }
    match (Loopback::split(registered), Loopback::split(sent)) {
        (Some(registered), Some(sent)) => {
            registered.host == sent.host && registered.rest == sent.rest
        }
        _ => false,
    }
}

/// `http://<loopback address>[:port]<rest>`, taken apart without a URL parser.
struct Loopback<'a> {
    host: &'a str,
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    fn split(uri: &'a str) -> Option<Self> {
        let authority_and_rest = uri.strip_prefix("http://")?;
        let end = authority_and_rest
            .find(['/', '?', '#', '\\', '@'])
            .unwrap_or(authority_and_rest.len());
        let (authority, rest) = authority_and_rest.split_at_checked(end)?;
        if rest.starts_with(['#', '\\', '@']) {
            return None;
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(_) => {
                let (host, port) =
                    authority.split_at_checked(authority.find(']')?.checked_add(1)?)?;
                (
                    host,
                    port.strip_prefix(':')
                        .or_else(|| port.is_empty().then_some("0"))?,
                )
            }
            None => authority.split_once(':').unwrap_or((authority, "0")),
        };
        port.parse::<u16>()
            .ok()
            .filter(|_| port.bytes().all(|b| b.is_ascii_digit()))?;
        let address: IpAddr = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()?;
        address.is_loopback().then_some(Self { host, rest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(registered: &str, sent: &str) -> bool {
        resolve(&[registered.to_owned()], Some(sent), true).is_ok()
    }

    #[test]
    fn only_the_registered_string_matches() {
        let registered = "https://app.example/cb";
        assert!(accepts(registered, registered));
        for trick in [
            "https://app.example/cb/",
            "https://app.example/cb/../cb",
            "https://app.example/./cb",
            "https://app.example/CB",
            "https://APP.example/cb",
            "HTTPS://app.example/cb",
            "https://app.example:443/cb",
            "https://app.example/cb?",
            "https://app.example/cb?x=1",
            "https://app.example/cb#",
            "https://app.example/cb%20",
            "https://app.example/%63b",
            "https://app.example//cb",
            "https://app.example\\cb",
            "https://app.example@evil.example/cb",
            "https://evil.example/https://app.example/cb",
            "https://app.example.evil.example/cb",
            "https://app.example/cb\n",
            " https://app.example/cb",
            "https:app.example/cb",
            "//app.example/cb",
            "http://app.example/cb",
        ] {
            assert!(!accepts(registered, trick), "{trick:?}");
        }
    }

    #[test]
    fn a_star_is_not_a_wildcard() {
        assert!(!accepts("https://*.example/cb", "https://a.example/cb"));
        assert!(!accepts("https://app.example/*", "https://app.example/cb"));
    }

    #[test]
    fn a_loopback_address_matches_on_any_port() {
        assert!(accepts("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
        assert!(accepts(
            "http://127.0.0.1:8080/cb?a=b",
            "http://127.0.0.1:1/cb?a=b"
        ));
        assert!(accepts("http://[::1]/cb", "http://[::1]:49152/cb"));
    }

    #[test]
    fn the_loopback_rule_stretches_no_further() {
        for (registered, sent) in [
            ("http://127.0.0.1/cb", "http://127.0.0.2:1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1/other"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1/cb?x"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:@evil.example/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:65536/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:+1/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:1\\/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb"),
            ("http://127.0.0.1/cb", "http://0177.0.0.1:1/cb"),
            ("http://127.0.0.1/cb", "http://localhost/cb"),
            ("http://localhost/cb", "http://localhost:1/cb"),
            ("http://10.0.0.1/cb", "http://10.0.0.1:1/cb"),
            ("http://[::1]/cb", "http://[::1]x:1/cb"),
        ] {
            assert!(!accepts(registered, sent), "{registered} {sent}");
        }
    }

    #[test]
    fn a_missing_uri_is_filled_in_only_when_there_is_exactly_one() {
        let one = ["https://a.example".to_owned()];
        let two = [
            "https://a.example".to_owned(),
            "https://b.example".to_owned(),
        ];
        assert_eq!(resolve(&one, None, true).unwrap(), "https://a.example");
        assert!(resolve(&one, None, false).is_err());
        assert!(resolve(&two, None, true).is_err());
        assert!(resolve(&[], None, true).is_err());
    }

    #[test]
    fn registration_refuses_what_cannot_be_a_redirect_target() {
        for good in [
            "https://a.example/cb",
            "http://127.0.0.1/cb?x=1",
            "com.example.app:/oauth",
            "myapp://cb",
        ] {
            assert!(check_registrable(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "a.example/cb",
            "https://a.example/cb#x",
            "https://a.example/c b",
            "https://a.example/\u{e9}",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://u:p@a.example/",
            "https:a.example",
            "https:///a.example",
            "https://a.example/\\x",
            "https://a.example/\n",
        ] {
            assert!(check_registrable(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn plain_http_stays_on_this_machine_outside_dev_mode() {
        for local in [
            "http://localhost/cb",
            "http://a.localhost/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:9/cb",
        ] {
            assert!(is_secure(local, false), "{local}");
        }
        assert!(is_secure("https://a.example", false));
        assert!(is_secure("myapp:/cb", false));
        assert!(!is_secure("http://a.example", false));
        assert!(!is_secure("http://localhost.evil.example", false));
        assert!(is_secure("http://a.example", true));
    }
}
