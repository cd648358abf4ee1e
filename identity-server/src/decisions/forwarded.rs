//! What a request is that a proxy asks about: its own method and URL, or those in `X-Forwarded-*`.
//!
//! Oathkeeper believes these headers whoever sends them, so a client that reaches it, or whose headers a
//! proxy passes on, chooses what it is judged by (CVE-2026-33495). Here they count only from peers that
//! are named. From all others they are not ignored, but refused where they say something else than the
//! request itself: a proxy that nobody remembered to name would otherwise have every request judged as
//! a `GET` of `/`.

use std::net::IpAddr;

use axum::http::{HeaderMap, header, request::Parts};

use super::{settings::Settings, trouble::Trouble};

/// The path below which everything is a question.
const PREFIX: &str = "/decisions";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) method: Vec<u8>,
    pub(super) scheme: Vec<u8>,
    pub(super) authority: Vec<u8>,
    /// With query; begins with `/` unless the proxy says otherwise.
    pub(super) path: Vec<u8>,
}

impl Target {
    /// Reads the target of `request`, which came from `peer`.
    pub(super) fn of(
        request: &Parts,
        peer: IpAddr,
        settings: &Settings,
    ) -> Result<Option<Self>, Trouble> {
        let Some(own) = Self::own(request)? else {
            return Ok(None);
        };
        let headers = &request.headers;
        let host = single(headers, "x-forwarded-host")?;
        let uri = single(headers, "x-forwarded-uri")?;
        // `Host` may then be our own name, under which nobody is to be judged.
        if settings.trusts(peer) && uri.is_some() && host.is_none() {
            return Err(Trouble::NoHost);
        }
        let forwarded = Self {
            method: single(headers, "x-forwarded-method")?
                .unwrap_or(&own.method)
                .to_vec(),
            scheme: single(headers, "x-forwarded-proto")?
                .unwrap_or(&own.scheme)
                .to_vec(),
            authority: host.unwrap_or(&own.authority).to_vec(),
            path: match uri {
                Some(uri) => with_query(uri, &own.path),
                None => own.path.clone(),
            },
        };
        if !settings.trusts(peer)
            && let Some(header) = forwarded.differs(&own)
        {
            return Err(Trouble::Untrusted { header, peer });
        }
        Ok(Some(forwarded))
    }

    /// The request by itself; `None` if it is no question.
    fn own(request: &Parts) -> Result<Option<Self>, Trouble> {
        let target = request
            .uri
            .path_and_query()
            .map_or("", |path| path.as_str());
        let Some(path) = target.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        if !path.is_empty() && !path.starts_with(['/', '?']) {
            return Ok(None);
        }
        let host = single(&request.headers, header::HOST.as_str())?;
        let of_target = request
            .uri
            .authority()
            .map(|authority| authority.as_str().as_bytes());
        if of_target.is_some() && of_target != host {
            return Err(Trouble::Ambiguous("host"));
        }
        let root = if path.starts_with('/') { "" } else { "/" };
        Ok(Some(Self {
            method: request.method.as_str().into(),
            scheme: b"http".to_vec(),
            authority: host.unwrap_or_default().to_vec(),
            path: [root, path].concat().into_bytes(),
        }))
    }

    /// The header that says something else than the request itself.
    fn differs(&self, own: &Self) -> Option<&'static str> {
        let headers = [
            ("X-Forwarded-Method", self.method == own.method),
            ("X-Forwarded-Proto", self.scheme == own.scheme),
            ("X-Forwarded-Host", self.authority == own.authority),
            ("X-Forwarded-Uri", self.path == own.path),
        ];
        let mut headers = headers.into_iter();
        headers.find(|(_, same)| !same).map(|(header, _)| header)
    }
}

/// The one value of a header; `None` if it is absent or empty. Two values are none: which of them the
/// proxy wrote, and which its client, nobody can tell.
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h [u8]>, Trouble> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.as_bytes());
    if values.next().is_some() {
        return Err(Trouble::Ambiguous(name));
    }
    Ok(value.filter(|value| !value.is_empty()))
}

/// `X-Forwarded-Uri` with its query. Where it has none, the query of the request itself is the one that
/// Oathkeeper reads.
fn with_query(uri: &[u8], own: &[u8]) -> Vec<u8> {
    let query = own.iter().position(|byte| *byte == b'?');
    match query.and_then(|at| own.get(at..)) {
        Some(query) if !uri.contains(&b'?') => [uri, query].concat(),
        _ => uri.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde_json::json;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn target(from: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Option<String>, Trouble> {
        let config = json!({"serve": {"api": {"gatepost": {"trusted_proxies": [PROXY]}}}});
        let settings = Settings::read(&config, |_| None).unwrap();
        let mut request = Request::post(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let target = Target::of(&parts, from.parse().unwrap(), &settings)?;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ok(target.map(|it| {
            format!(
                "{} {}://{}{}",
                text(it.method),
                text(it.scheme),
                text(it.authority),
                text(it.path)
            )
        }))
    }

    const FORWARDED: &[(&str, &str)] = &[
        ("host", "gatepost:4456"),
        ("x-forwarded-method", "PUT"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "app.test"),
        ("x-forwarded-uri", "/a%20b?c=d"),
    ];

    #[test]
    fn a_trusted_proxy_says_what_is_asked_for() {
        let told = target(PROXY, "/decisions", FORWARDED).unwrap();
        assert_eq!(told.unwrap(), "PUT https://app.test/a%20b?c=d");
        let query = &[
            ("host", "gatepost:4456"),
            ("x-forwarded-host", "h"),
            ("x-forwarded-uri", "/a"),
        ];
        let told = target(PROXY, "/decisions?c=d", query).unwrap();
        assert_eq!(told.unwrap(), "POST http://h/a?c=d");
    }

    #[test]
    fn a_trusted_proxy_that_tells_the_path_tells_the_host() {
        for host in [&[][..], &[("x-forwarded-host", "")]] {
            let told = [
                &[("host", "gatepost:4456"), ("x-forwarded-uri", "/a")],
                host,
            ]
            .concat();
            let refused = target(PROXY, "/decisions", &told).unwrap_err();
            assert!(matches!(refused, Trouble::NoHost), "{refused}");
        }
    }

    #[test]
    fn without_headers_the_request_itself_is_what_is_asked_for() {
        for (uri, path) in [
            ("/decisions", "/"),
            ("/decisions/", "/"),
            ("/decisions?a=b", "/?a=b"),
            ("/decisions/a//../b?c", "/a//../b?c"),
        ] {
            let told = target("192.0.2.1", uri, &[("host", "h")]).unwrap();
            assert_eq!(told.unwrap(), format!("POST http://h{path}"));
        }
        for uri in [
            "/",
            "/decision",
            "/decisionsx",
            "//decisions",
            "/%64ecisions",
        ] {
            assert_eq!(target(PROXY, uri, &[("host", "h")]).unwrap(), None, "{uri}");
        }
    }

    #[test]
    fn t11_nobody_else_may_say_something_else() {
        for (number, header) in ["Method", "Proto", "Host", "Uri"].into_iter().enumerate() {
            let one = [FORWARDED[0], FORWARDED[number + 1]];
            let refused = target("10.0.0.2", "/decisions", &one).unwrap_err();
            let told = refused.to_string();
            assert!(
                told.contains(&format!("X-Forwarded-{header}")) && told.contains("10.0.0.2"),
                "{told}"
            );
        }
        let same = &[
            ("host", "h"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-uri", "/a"),
        ];
        assert!(target("10.0.0.2", "/decisions/a", same).is_ok());
    }

    #[test]
    fn of_two_values_none_counts() {
        for name in [
            "host",
            "x-forwarded-host",
            "x-forwarded-uri",
            "x-forwarded-method",
        ] {
            let twice = &[("host", "h"), (name, "a"), (name, "b")];
            assert!(
                matches!(
                    target(PROXY, "/decisions", twice),
                    Err(Trouble::Ambiguous(_))
                ),
                "{name}"
            );
        }
        let other = &[("host", "h")];
        assert!(matches!(
            target(PROXY, "http://x/decisions", other),
            Err(Trouble::Ambiguous("host"))
        ));
    }
}
