use super::*;

/// A header field.
type Field = (&'static str, &'static [u8]);

fn request(path: &[u8]) -> Request {
    with(&[(":authority", b"h"), (":path", path)])
}

fn with(fields: &[(&str, &[u8])]) -> Request {
    let method: (&str, &[u8]) = (":method", b"GET");
    Request {
        headers: std::iter::once(&method)
            .chain(fields)
            .map(|(name, value)| (*name, *value))
            .collect(),
        ..Request::default()
    }
}

fn read(path: &str) -> Result<String, BadUrl> {
    Url::from_request(&request(path.as_bytes())).map(|url| url.path)
}

fn host_of(authority: &str) -> Result<String, BadUrl> {
    Url::from_request(&with(&[
        (":authority", authority.as_bytes()),
        (":path", b"/"),
    ]))
    .map(|url| url.host)
}

/// What goes upstream for `path`; `path` itself where it needs no change.
fn forwarded(path: &str) -> String {
    let url = Url::from_request(&request(path.as_bytes())).unwrap();
    url.upstream_path(path.as_bytes())
        .unwrap_or_else(|| path.to_owned())
}

#[test]
fn reads_scheme_host_path_and_query() {
    let url = Url::from_request(&with(&[
        (":scheme", b"HTTPS"),
        (":authority", b"API.Example.test:8443"),
        (":path", b"/a/b?x=/c?d"),
    ]));
    assert_eq!(
        url,
        Ok(Url {
            scheme: "https".to_owned(),
            host: "api.example.test:8443".to_owned(),
            path: "/a/b".to_owned(),
            query: Some("x=/c?d".to_owned()),
            ..Url::default()
        })
    );
}

#[test]
fn without_a_scheme_it_is_http_and_host_stands_in_for_authority() {
    let url = Url::from_request(&with(&[("Host", b"h"), (":path", b"/")])).unwrap();
    assert_eq!(url.subject(), "http://h/");
}

#[test]
fn paths_are_decoded_once_and_cleaned() {
    for (sent, matched) in [
        ("/", "/"),
        ("//", "/"),
        ("/a", "/a"),
        ("/a/", "/a"),
        ("//a//b//", "/a/b"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/..", "/"),
        ("/../../a", "/a"),
        ("/public/../admin/s", "/admin/s"),
        ("/public/%2e%2e/admin/s", "/admin/s"),
        ("/public/.%2E/admin/s", "/admin/s"),
        ("//admin", "/admin"),
        ("/%61dmin", "/admin"),
        ("/a%20b", "/a b"),
        ("/100%25", "/100%"),
        ("/caf%C3%A9", "/café"),
        ("/café", "/café"),
        ("/a?b/../c", "/a"),
        ("/a%3Fb", "/a?b"),
        ("/a%23b", "/a#b"),
        ("/.well-known/x", "/.well-known/x"),
        ("/a..b/...", "/a..b/..."),
        ("/a%3Bv=1/b", "/a;v=1/b"),
        ("/a%252B", "/a%2B"),
    ] {
        assert_eq!(read(sent).as_deref(), Ok(matched), "{sent}");
    }
}

#[test]
fn what_upstreams_read_differently_is_refused() {
    for (sent, reason) in [
        ("*", BadUrl::PathStart),
        ("", BadUrl::PathStart),
        ("?a", BadUrl::PathStart),
        ("admin", BadUrl::PathStart),
        ("http://h/admin", BadUrl::PathStart),
        ("/public#/admin", BadUrl::Fragment),
        ("/public?x#/admin", BadUrl::Fragment),
        ("/a%2fb", BadUrl::EncodedSlash),
        ("/a%2Fb", BadUrl::EncodedSlash),
        ("/..%2fadmin", BadUrl::EncodedSlash),
        ("/a\\b", BadUrl::Backslash),
        ("/a%5cb", BadUrl::Backslash),
        ("/%2e%2e%5Cadmin", BadUrl::Backslash),
        ("/a\0", BadUrl::ControlByte),
        ("/a%00", BadUrl::ControlByte),
        ("/a%0d%0ab", BadUrl::ControlByte),
        ("/a%7F", BadUrl::ControlByte),
        ("/a b", BadUrl::ControlByte),
        ("/a?b c", BadUrl::ControlByte),
        ("/a?b\r\nx: y", BadUrl::ControlByte),
        ("/a%", BadUrl::Escape),
        ("/a%2", BadUrl::Escape),
        ("/a%+1", BadUrl::Escape),
        ("/a%zz", BadUrl::Escape),
        ("/%ff", BadUrl::NotUtf8),
        ("/%c0%ae%c0%ae/", BadUrl::NotUtf8),
        ("/.;/admin", BadUrl::Parameters),
        ("/a/..;/admin", BadUrl::Parameters),
        ("/a/..%3bx/admin", BadUrl::DotParameters),
        ("/a/%2e%2e%3bx=1/admin", BadUrl::DotParameters),
        ("/api/orders;x=1", BadUrl::Parameters),
        ("/%3Bx/admin", BadUrl::DotParameters),
        ("/a/%252e%252e/admin", BadUrl::DoublyEncoded),
        ("/a/.%252e/admin", BadUrl::DoublyEncoded),
        ("/a/..%253bx/admin", BadUrl::DoublyEncoded),
        ("/a%252fadmin", BadUrl::DoublyEncoded),
        ("/a%255cadmin", BadUrl::DoublyEncoded),
        ("/a%2500", BadUrl::DoublyEncoded),
    ] {
        assert_eq!(read(sent), Err(reason), "{sent}");
    }
}

#[test]
fn the_length_of_a_path_is_bounded_but_not_that_of_a_query() {
    let longest = format!("/{}", "a".repeat(MAX_PATH_BYTES - 1));
    assert!(read(&longest).is_ok());
    assert!(read(&format!("{longest}?{longest}")).is_ok());
    assert_eq!(read(&format!("{longest}b")), Err(BadUrl::PathTooLong));
    let swollen = format!("/{}", "é".repeat(MAX_PATH_BYTES / 3));
    assert_eq!(read(&swollen), Err(BadUrl::PathTooLong));
}

#[test]
fn raw_bytes_that_are_not_utf8_are_refused_everywhere() {
    for fields in [
        [(":authority", &b"h"[..]), (":path", &b"/\xff\xfe"[..])],
        [(":authority", b"h"), (":path", b"/a?\xff")],
        [(":authority", b"\xff"), (":path", b"/")],
    ] {
        assert!(Url::from_request(&with(&fields)).is_err());
    }
}

#[test]
fn missing_and_repeated_pseudo_headers_are_refused() {
    let refused = |fields: &[(&str, &[u8])]| Url::from_request(&with(fields)).unwrap_err();
    let (host, path): (Field, Field) = ((":authority", b"h"), (":path", b"/"));
    assert_eq!(refused(&[host]), BadUrl::NoPath);
    assert_eq!(refused(&[path]), BadUrl::NoHost);
    assert_eq!(refused(&[host, path, path]), BadUrl::Repeated);
    assert_eq!(refused(&[host, host, path]), BadUrl::Repeated);
    assert_eq!(
        refused(&[host, path, (":method", b"PUT")]),
        BadUrl::Repeated
    );
    let scheme: Field = (":scheme", b"http");
    assert_eq!(refused(&[host, path, scheme, scheme]), BadUrl::Repeated);
    assert_eq!(refused(&[host, path, (":scheme", b"ftp")]), BadUrl::Scheme);
    assert_eq!(refused(&[host, path, ("host", b"i")]), BadUrl::TwoHosts);
    assert!(Url::from_request(&with(&[host, path, ("host", b"H")])).is_ok());
    let without_method = Request {
        headers: [(":authority", "h"), (":path", "/")].into_iter().collect(),
        ..Request::default()
    };
    assert_eq!(Url::from_request(&without_method), Err(BadUrl::NoMethod));
}

#[test]
fn hosts_are_lower_case_and_keep_their_port() {
    for (sent, matched) in [
        ("ADMIN.Example.COM", "admin.example.com"),
        ("h:80", "h:80"),
        ("h:080", "h:080"),
        ("127.0.0.1:4455", "127.0.0.1:4455"),
        ("[::1]", "[::1]"),
        ("[2001:DB8::1]:443", "[2001:db8::1]:443"),
        ("my_svc.ns", "my_svc.ns"),
    ] {
        assert_eq!(host_of(sent).as_deref(), Ok(matched), "{sent}");
    }
}

#[test]
fn malformed_hosts_are_refused() {
    for sent in [
        "h.",
        "h.:8080",
        "",
        ".",
        "h..",
        ".h",
        "a..b",
        "u@h",
        "u:p@h",
        "h/x",
        "h?x",
        "h#x",
        "h x",
        "h%2e",
        "h\\x",
        "[::1",
        "::1",
        "[h]",
        "[::1].",
        "[::1]x",
        "[fe80::1%25eth0]",
        "a,b",
        "h\t",
        "höst",
    ] {
        assert!(host_of(sent).is_err(), "{sent}");
    }
    for sent in [
        "h:", "h:x", "h:65536", "h:+80", "h:1:2", "[::1]:", "h:000080",
    ] {
        assert_eq!(host_of(sent), Err(BadUrl::Port), "{sent}");
    }
    assert!(host_of(&"a".repeat(300)).is_err());
}

#[test]
fn what_was_matched_goes_upstream() {
    for (sent, upstream) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/a/?x=1", "/a/?x=1"),
        ("/a?", "/a?"),
        ("//a", "/a"),
        ("/a//", "/a/"),
        ("/public/%2e%2e/admin/?q=%2e", "/admin/?q=%2e"),
        ("/a/b/..", "/a/"),
        ("/a/b/%2e", "/a/b/"),
        ("/..", "/"),
        ("/%61dmin", "/admin"),
        ("/a%20b", "/a%20b"),
        ("/%e2%82%ac", "/%E2%82%AC"),
        ("/€|", "/%E2%82%AC%7C"),
        ("/a%3bb", "/a%3Bb"),
        ("/100%25", "/100%25"),
        ("/a%3fb", "/a%3Fb"),
    ] {
        assert_eq!(forwarded(sent), upstream, "{sent}");
    }
}

#[test]
fn only_a_change_is_reported() {
    for sent in [
        "/",
        "/a/b",
        "/a/",
        "/a?x=%zz",
        "/a%20b/",
        "/.well-known/x",
        "/a%3Bb",
    ] {
        let url = Url::from_request(&request(sent.as_bytes())).unwrap();
        assert_eq!(url.upstream_path(sent.as_bytes()), None, "{sent}");
    }
}

#[test]
fn a_raw_path_of_another_request_is_not_forwarded() {
    let url = Url::from_request(&request(b"/a%20b?q")).unwrap();
    for other in [&b"/admin"[..], b"/a", b"/%", b"", b"/a%20b/c", b"/"] {
        assert_eq!(url.upstream_path(other).as_deref(), Some("/a%20b?q"));
    }
}

/// A small deterministic source of hostile paths.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.0.checked_rem(bound).unwrap()).unwrap()
    }

    fn path(&mut self) -> Vec<u8> {
        const PIECES: &[&[u8]] = &[
            b"/",
            b"/",
            b"/",
            b"//",
            b".",
            b"..",
            b"%2e",
            b"%2E",
            b"%2f",
            b"%5c",
            b"\\",
            b";",
            b"%3b",
            b"a",
            b"b",
            b"admin",
            b"%61",
            b"%25",
            b"25",
            b"2e",
            b"2f",
            b"%",
            b"%2",
            b"%00",
            b"\0",
            b"#",
            b"?",
            b"%3f",
            b"%23",
            b" ",
            b"%20",
            b"\xc3\xa9",
            b"%C3%A9",
            b"%c3",
            b"\xff",
            b"~",
            b"%7e",
            b"|",
            b"+",
            b"%2B",
            b"=",
            b"&",
            b":",
            b"@",
            b"\"",
            b"{",
            b"...",
            b"%252e",
        ];
        let mut path = b"/".to_vec();
        for _ in 0..self.below(9) {
            path.extend_from_slice(PIECES[self.below(PIECES.len())]);
        }
        if self.below(50) == 0 {
            path.insert(0, u8::try_from(self.below(256)).unwrap());
        }
        path
    }
}

/// Every way to read paths.
fn readings() -> impl Iterator<Item = Reading> {
    use EncodedSlashes::{Decode, Keep, Refuse};
    [Cleaning::V26, Cleaning::V040]
        .into_iter()
        .flat_map(|cleaning| {
            [Refuse, Decode, Keep].map(|encoded_slashes| Reading {
                cleaning,
                encoded_slashes,
            })
        })
}

#[test]
fn t7_reading_the_forwarded_path_gives_the_same_url_again() {
    for reading in readings() {
        let accepted = reread(reading);
        assert!(
            accepted > 1_500,
            "only {accepted} paths were accepted: {reading:?}"
        );
    }
}

fn reread(reading: Reading) -> usize {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for _ in 0..15_000 {
        let sent = dice.path();
        let Ok(url) = Url::read(&request(&sent), reading) else {
            continue;
        };
        accepted = usize::saturating_add(accepted, 1);
        let shown = String::from_utf8_lossy(&sent).into_owned();
        assert!(url.path.starts_with('/'), "{shown}");
        for segment in url.path.split('/').skip(1) {
            assert!(![".", ".."].contains(&segment), "{shown}");
            let may_be_empty = url.path == "/" || reading.cleaning == Cleaning::V040;
            assert!(may_be_empty || !segment.is_empty(), "{shown}");
        }
        let upstream = url
            .upstream_path(&sent)
            .map_or_else(|| sent.clone(), String::into_bytes);
        let again = Url::read(&request(&upstream), reading);
        assert_eq!(again.as_ref(), Ok(&url), "{shown}");
        assert_eq!(url.upstream_path(&upstream), None, "{shown}");
    }
    accepted
}

#[test]
fn cleaning_agrees_with_the_plain_lane() {
    let mut dice = Dice(7);
    for _ in 0..20_000 {
        let sent = dice.path();
        if clean::is_plain(&sent) {
            let slow = clean::segments(&sent, Reading::default()).unwrap();
            let slow: String = slow.iter().map(|s| format!("/{}", s.decoded)).collect();
            let slow = if slow.is_empty() {
                "/".to_owned()
            } else {
                slow
            };
            assert_eq!(clean::path(&sent, Reading::default()), Ok(slow));
        }
    }
}
