//! Requests that crash lesser filters. After each, the next good request gets its 200 from the same
//! VM.

use std::{
    io::Write as _,
    net::Shutdown,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use serde_json::json;

use crate::harness::{Setup, answer, eventually};

#[test]
fn header_values_that_are_no_utf8_harm_nothing() {
    let mut world = Setup::new().start();
    let bytes: &[u8] = b"\xff\xfe";
    for name in [
        "x-odd",
        "authorization",
        "cookie",
        "accept",
        "x-user",
        "content-type",
    ] {
        for path in ["/public", "/api", "/app"] {
            let answer = world.raw(&with_header(path, name, bytes));
            assert!(is_answered(&answer), "{name} at {path}: {answer}");
        }
        world.check_alive();
    }
    let answer =
        world.raw(b"GET /api HTTP/1.1\r\nhost: a\r\nauthorization: Bearer \xff.\xfe.\xff\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    let answer = world.raw(b"GET /api HTTP/1.1\r\nhost: \xff\xfe\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    world.check_alive();
}

#[test]
fn t13_requests_without_an_ordinary_path_harm_nothing() {
    let mut world = Setup::new().start();
    let odd: [&[u8]; 7] = [
        b"GET http://a.test HTTP/1.1\r\nhost: a.test\r\n\r\n",
        b"GET http://a.test?x HTTP/1.1\r\nhost: a.test\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: a.test\r\n\r\n",
        b"CONNECT a.test:443 HTTP/1.1\r\nhost: a.test:443\r\n\r\n",
        b"GET ?query HTTP/1.1\r\nhost: a.test\r\n\r\n",
        b"GET /%00/%ff HTTP/1.1\r\nhost: a.test\r\n\r\n",
        b"GET /api HTTP/1.0\r\n\r\n",
    ];
    for request in odd {
        let answer = world.raw(request);
        assert!(
            !answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"),
            "{}: {answer}",
            request.escape_ascii()
        );
        world.check_alive();
    }
}

#[test]
fn enormous_tokens_and_headers_harm_nothing() {
    let mut world = Setup::new().start();
    let megabyte = 1 << 20;
    for token in [
        ".".repeat(megabyte),
        "a".repeat(megabyte),
        format!("{}.e30.", "A".repeat(megabyte)),
        "..".to_owned(),
    ] {
        let bearer = format!("Bearer {token}");
        let answer = world.raw(&with_header("/api", "authorization", bearer.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        world.check_alive();
    }
    let path = format!("/api/{}", "../a/%2e".repeat(50_000));
    let cookie = "a=b; ".repeat(100_000);
    for request in [
        with_header(&path, "a", b"b"),
        with_header("/api", "cookie", cookie.as_bytes()),
    ] {
        let answer = world.raw(&request);
        assert!(is_answered(&answer), "{answer}");
        world.check_alive();
    }
}

#[test]
fn t29_a_reply_for_a_request_that_has_gone_harms_nothing() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let mut world = Setup::new()
        .sessions(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(300));
            answer(200, &json!({"identity": {"id": "ada"}}))
        })
        .start();
    for number in 1..=3 {
        let mut client = world.connect();
        client
            .write_all(b"GET /app HTTP/1.1\r\nhost: a.test\r\ncookie: session=1\r\n\r\n")
            .unwrap();
        eventually("the session check is under way", || {
            asked.load(Ordering::SeqCst) == number
        });
        client.shutdown(Shutdown::Both).unwrap();
        drop(client);
        thread::sleep(Duration::from_millis(500));
        world.check_alive();
    }
    let answer = world
        .get("/app")
        .header("cookie", "session=1")
        .send()
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// A request as bytes: polite clients refuse to send what these tests are about.
fn with_header(path: &str, name: &str, value: &[u8]) -> Vec<u8> {
    let head = format!("GET {path} HTTP/1.1\r\nhost: a.test\r\n{name}: ");
    [head.as_bytes(), value, b"\r\n\r\n"].concat()
}

/// Answered by somebody who is well: passed on or refused, not failed.
fn is_answered(answer: &str) -> bool {
    ["HTTP/1.1 2", "HTTP/1.1 3", "HTTP/1.1 4"]
        .iter()
        .any(|good| answer.starts_with(good))
}

#[test]
fn t11_an_address_that_the_client_wrote_itself_opens_nothing() {
    let mut setup = Setup::new();
    let mut office = crate::harness::rule("office", "noop", "noop");
    office["gatepost"] =
        json!({"authorizers": [{"handler": "cidr", "config": {"allow": ["10.0.0.0/8"]}}]});
    setup.rules.as_array_mut().unwrap().push(office);
    let mut world = setup.start();
    // The listener has no `use_remote_address`: Envoy takes the client's word.
    for (claimed, status) in [("", "403"), ("x-forwarded-for: 10.1.2.3\r\n", "500")] {
        let answer =
            world.raw(format!("GET /office HTTP/1.1\r\nhost: a.test\r\n{claimed}\r\n").as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{claimed}: {answer}"
        );
        world.check_alive();
    }
}
