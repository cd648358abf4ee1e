//! No request breaks the module: after each of these the next good one is served.

use host_tests::{Answer, Host, Outcome, Request};

use crate::fixtures::{Issuer, KEY, assert_serves, host, token};

fn survives(host: &mut Host, what: &str, request: Request) -> Outcome {
    let outcome = host.request(request);
    assert!(
        matches!(outcome, Outcome::Upstream(_) | Outcome::Answered(_)),
        "{what}: {outcome:?}"
    );
    assert_serves(host);
    outcome
}

#[test]
fn header_values_that_are_not_text() {
    let mut host = host();
    for path in ["/public/x", "/api/x", "/app/x"] {
        for name in [
            "authorization",
            "cookie",
            "x-anything",
            ":path",
            ":method",
            ":authority",
        ] {
            let request = Request::get(path).without(name);
            survives(&mut host, name, request.header(name, b"\xff\xfe"));
        }
        let request = Request::get(path);
        survives(
            &mut host,
            path,
            request.header("authorization", b"Bearer \xff\xfe.\xff.\xff"),
        );
    }
}

#[test]
fn t13_missing_pseudo_headers_are_a_bad_request() {
    let mut host = host();
    for name in [":path", ":method", ":authority"] {
        let outcome = survives(&mut host, name, Request::get("/public/x").without(name));
        assert_ne!(outcome.status(), Some(200), "{name}");
    }
    survives(
        &mut host,
        ":scheme",
        Request::get("/public/x").without(":scheme"),
    );
    let nothing = survives(&mut host, "nothing", Request::default());
    assert_ne!(nothing.status(), Some(200));
}

#[test]
fn t22_huge_and_odd_tokens_are_refused() {
    let mut host = host();
    let good = token(&host, KEY);
    let cut = good.rsplit_once('.').unwrap().0;
    for (what, odd) in [
        ("a megabyte of dots", ".".repeat(1 << 20)),
        ("a megabyte of letters", "e".repeat(1 << 20)),
        (
            "a megabyte in the middle",
            format!("e30.{}.e30", "A".repeat(1 << 20)),
        ),
        ("two dots", "..".to_owned()),
        ("no signature", format!("{cut}.")),
        ("a cut signature", format!("{cut}.AAAA")),
        ("a fourth part", format!("{good}.x")),
        ("quotes", "\"\"\".\"\".\"".to_owned()),
        ("nested json", format!("{}.e30.e30", "W1tb".repeat(50_000))),
        ("text beyond ascii", "ä.ö.ü".to_owned()),
    ] {
        let outcome = survives(&mut host, what, Request::get("/api/x").bearer(&odd));
        assert_eq!(outcome.status(), Some(401), "{what}");
    }
}

#[test]
fn huge_requests() {
    let mut host = host();
    let long = "a".repeat(1 << 20);
    let mut many = Request::get("/public/x");
    for number in 0..20_000 {
        many = many.header(&format!("x-{number}"), "1");
    }
    let mut same = Request::get("/public/x");
    for _ in 0..5_000 {
        same = same
            .header("x-user", "root")
            .header("authorization", "Bearer a.b.c");
    }
    for (what, request) in [
        ("many headers", many),
        ("one header many times", same),
        ("a long path", Request::get(&format!("/public/{long}"))),
        ("a path of slashes", Request::get(&"/".repeat(1 << 20))),
        ("a path of dots", Request::get(&"/..".repeat(300_000))),
        (
            "a path of escapes",
            Request::get(&format!("/public/{}", "%2e%2e%2f".repeat(100_000))),
        ),
        ("a long query", Request::get(&format!("/public/x?{long}"))),
        ("a long method", Request::new(&long, "/public/x")),
        (
            "a long host",
            Request::get("/public/x")
                .without(":authority")
                .header(":authority", long.clone()),
        ),
        (
            "many cookies",
            Request::get("/app/x").header("cookie", "a=b; ".repeat(200_000)),
        ),
        (
            "a long body",
            Request::new("POST", "/public/x").body(vec![0; 1 << 20]),
        ),
    ] {
        survives(&mut host, what, request);
    }
}

#[test]
fn aborted_requests_leave_nothing_behind() {
    let mut host = host();
    assert_serves(&mut host);
    let round = |host: &mut Host| {
        for _ in 0..2_000 {
            let id = host.send(Request::get("/app/x").header("cookie", "session=1"));
            host.disconnect(id);
            host.advance(std::time::Duration::ZERO);
        }
    };
    round(&mut host);
    let before = host.memory();
    for _ in 0..5 {
        round(&mut host);
    }
    assert_eq!(host.memory(), before);
    assert_serves(&mut host);
}

#[test]
fn distinct_tokens_do_not_fill_the_memory() {
    let mut host = host();
    let odd = |number: u32| {
        let padding = "A".repeat(4000);
        Request::get("/api/x").bearer(&format!("e30.{number}{padding}.e30"))
    };
    for number in 0..3_000 {
        host.request(odd(number));
    }
    let before = host.memory();
    for number in 3_000..10_000 {
        host.request(odd(number));
    }
    assert_eq!(host.memory(), before);
    assert_serves(&mut host);
}

#[test]
fn trailers_cannot_bring_what_a_rule_sets() {
    let mut host = host();
    let outcome = host.request(
        Request::get("/public/x")
            .trailer("x-user", "root")
            .trailer("x_user", "root")
            .trailer("x-checksum", "1"),
    );
    assert_eq!(outcome.status(), Some(200));
    assert_eq!(outcome.header("x-user"), None);
    assert_eq!(outcome.header("x_user"), None);
    assert_eq!(outcome.header("x-checksum").as_deref(), Some("1"));
    assert_serves(&mut host);
}

#[test]
fn requests_that_wait_hold_a_bounded_part_of_the_memory() {
    let issuer = Issuer::new();
    issuer.says(|says| says.session = Answer::held());
    let mut host = issuer.host();
    let mut refused = 0;
    // 60 KB is what Envoy takes of headers by default; 16 MiB of them may wait.
    for _ in 0..400 {
        let stream = host.send(
            Request::get("/app/x")
                .header("cookie", "sid=1")
                .header("x-large", vec![b'a'; 60 * 1024]),
        );
        refused += usize::from(host.outcome(stream).status() == Some(503));
    }
    assert!((100..200).contains(&refused), "{refused} refused");
    // What waits keeps nobody out who need not wait.
    assert_eq!(host.request(Request::get("/public/x")).status(), Some(200));
}
