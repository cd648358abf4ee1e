//! Request bodies that decide: shown to a remote authorizer, and passed on as they came.

use std::time::Duration;

use host_tests::{Answer, CallOut, Host, Outcome, Request};
use serde_json::{Value, json};

use crate::fixtures::{configuration, keys, token};

const SECOND: Duration = Duration::from_secs(1);

/// The largest body that is read for a rule.
const MAX_BODY: usize = 1024 * 1024;

/// `/checked` asks an authorizer about the body, `/known` does so once a token was checked.
fn checked() -> Value {
    let mut configuration = configuration();
    configuration["config"]["authorizers"]["remote"] =
        json!({"enabled": true, "config": {"remote": "http://az.test/check"}});
    configuration["clusters"]["http://az.test"] = json!("az");
    let rules = configuration["rules"]["rules.json"].as_array_mut().unwrap();
    for (id, authenticator) in [
        ("checked", "noop"),
        ("known", "jwt"),
        ("session", "cookie_session"),
    ] {
        let mut rule = crate::fixtures::rule(id, authenticator, "noop");
        rule["authorizer"] = json!({"handler": "remote"});
        rules.push(rule);
    }
    configuration
}

/// An authorizer that allows bodies that begin with `good`.
fn bare_host() -> Host {
    Host::new()
        .cluster("az", |call: &CallOut| {
            if call.body.starts_with(b"good") {
                Answer::ok("")
            } else {
                Answer::status(403, "")
            }
        })
        .cluster("idp", |call: &CallOut| match call.path().as_str() {
            "/keys" => keys(&[crate::fixtures::KEY]).after(SECOND),
            _ => Answer::ok(r#"{"identity": {"id": "alice"}}"#).after(SECOND),
        })
}

fn host() -> Host {
    let mut host = bare_host();
    host.configure(&checked()).unwrap();
    host
}

fn post(path: &str, body: &str) -> Request {
    Request::new("POST", path).body(body)
}

/// The bodies that the authorizer was shown.
fn shown(host: &Host) -> Vec<String> {
    let calls = host.calls().iter().filter(|call| call.cluster == "az");
    calls
        .map(|call| String::from_utf8_lossy(&call.body).into_owned())
        .collect()
}

#[test]
fn z02_the_authorizer_decides_by_the_body() {
    let mut host = host();
    for part in [0, 1, 3] {
        let good = host.request(post("/checked/x", "good body").in_parts_of(part));
        assert_eq!(good.status(), Some(200), "{part}: {:?}", host.log());
        let bad = host.request(post("/checked/x", "bad body").in_parts_of(part));
        assert_eq!(bad.status(), Some(403), "{part}");
    }
    assert_eq!(shown(&host).concat(), "good bodybad body".repeat(3));
}

#[test]
fn a_request_without_a_body_shows_an_empty_one() {
    let mut host = host();
    let outcome = host.request(Request::get("/checked/x"));
    assert_eq!(outcome.status(), Some(403));
    assert_eq!(shown(&host), [""]);
}

#[test]
fn trailers_end_a_body_and_are_scrubbed() {
    let mut host = host();
    let request = post("/checked/x", "good").trailer("x-user", "root");
    let outcome = host.request(request.clone());
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
    assert_eq!(outcome.header("x-user"), None);
    let outcome = host.request(request.in_parts_of(1).trailer("x-sum", "1"));
    assert_eq!(outcome.header("x-sum").as_deref(), Some("1"));
    assert_eq!(shown(&host), ["good", "good"]);
}

#[test]
fn trailers_alone_end_an_empty_body() {
    let mut host = host();
    let request = Request::new("POST", "/checked/x").trailer("x-sum", "1");
    assert_eq!(host.request(request).status(), Some(403));
    assert_eq!(shown(&host), [""]);
}

#[test]
fn a_body_that_came_while_something_else_was_awaited() {
    let mut host = host();
    let good = token(&host, crate::fixtures::KEY);
    for request in [
        post("/known/x", "good").bearer(&good),
        post("/known/x", "good").bearer(&good).in_parts_of(1),
        post("/session/x", "good").header("cookie", "session=1"),
        post("/session/x", "good")
            .header("cookie", "session=1")
            .trailer("x-sum", "1"),
    ] {
        let outcome = host.request(request);
        assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
    }
    assert_eq!(shown(&host), ["good"; 4]);
}

#[test]
fn a_body_that_is_too_large_is_refused_without_a_call() {
    let mut host = host();
    let largest = format!("good{}", "x".repeat(MAX_BODY - 4));
    let outcome = host.request(post("/checked/x", &largest).in_parts_of(64 * 1024));
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
    for part in [0, 64 * 1024] {
        let outcome = host.request(post("/checked/x", &format!("{largest}x")).in_parts_of(part));
        assert_eq!(outcome.status(), Some(413), "{part}");
    }
    let session = post("/session/x", &format!("{largest}x")).header("cookie", "session=1");
    assert_eq!(host.request(session).status(), Some(413), "it came before");
    assert_eq!(shown(&host).len(), 1);
    let outcome = host.request(post("/public/x", &format!("{largest}x")));
    assert_eq!(outcome.status(), Some(200), "nobody needs it");
}

#[test]
fn a_flood_of_bodies_does_not_fill_the_memory() {
    let mut host = Host::new().cluster("az", |_| Answer::held());
    host.configure(&checked()).unwrap();
    let large = "x".repeat(MAX_BODY);
    let sent: Vec<_> = (0..64)
        .map(|_| host.send(post("/checked/x", &large)))
        .collect();
    let refused = sent
        .iter()
        .filter(|id| host.outcome(**id).status() == Some(503))
        .count();
    assert!((40..64).contains(&refused), "{refused}");
    assert!(host.memory() < 128 << 20, "{}", host.memory());
    for id in sent {
        host.disconnect(id);
    }
    let id = host.send(post("/checked/x", &large));
    assert_eq!(host.outcome(id), Outcome::Pending, "there is room again");
}

#[test]
fn a_client_that_goes_away_within_its_body_is_forgotten() {
    let mut host = host();
    for _ in 0..5_000 {
        let id = host.send(post("/checked/x", "go").cut());
        assert_eq!(host.outcome(id), Outcome::Pending);
        host.disconnect(id);
    }
    host.advance(SECOND * 60);
    assert_eq!(shown(&host), [""; 0]);
    let outcome = host.request(post("/checked/x", "good"));
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
}

#[test]
fn a_client_that_stops_within_its_body_is_sent_away() {
    let mut host = host();
    let id = host.send(post("/checked/x", "go").cut());
    host.advance(SECOND * 20);
    assert_eq!(host.outcome(id), Outcome::Pending);
    host.advance(SECOND * 20);
    assert_eq!(host.outcome(id).status(), Some(408));
}

#[test]
fn a_host_that_shows_no_bodies_is_noticed() {
    let mut host = bare_host().without_request_bodies();
    host.configure(&checked()).unwrap();
    let id = host.send(post("/checked/x", "good"));
    host.advance(SECOND * 7);
    assert_eq!(host.outcome(id).status(), Some(500));
    let remedy = "set `allow_on_headers_stop_iteration: true`";
    let lines = host.log();
    assert!(lines.iter().any(|line| line.contains(remedy)), "{lines:?}");
    let outcome = host.request(Request::get("/checked/x"));
    assert_eq!(
        outcome.status(),
        Some(403),
        "without a body there is no need"
    );
    assert_eq!(shown(&host), [""]);
    let outcome = host.request(post("/public/x", "any"));
    assert_eq!(outcome.status(), Some(200));
}

#[test]
fn a_new_configuration_ends_what_was_being_read() {
    let mut host = host();
    let id = host.send(post("/checked/x", "go").cut());
    host.configure(&checked()).unwrap();
    assert_eq!(host.outcome(id).status(), Some(503));
    let outcome = host.request(post("/checked/x", "good"));
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
}
