//! Request bodies that a remote authorizer decides by, and what Envoy must be told for that.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use xtask::http::{Answer, Request};

use crate::harness::{Setup, World, answer, eventually, rule};

/// What the authorizer was shown.
type Seen = Arc<Mutex<Vec<String>>>;

/// `/checked` asks an authorizer about the body, `/asked` a session store first. The authorizer allows
/// bodies that begin with `good`.
fn checked() -> (Setup, Seen) {
    let seen = Seen::default();
    let log = Arc::clone(&seen);
    let mut setup = Setup::new().sessions(move |request| {
        if request.target == "/whoami" {
            thread::sleep(Duration::from_millis(200));
            return answer(200, &json!({"identity": {"id": "ada"}}));
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let status = if body.starts_with("good") { 200 } else { 403 };
        log.lock().unwrap().push(body);
        answer(status, &json!({}))
    });
    let remote = format!("{}/check", setup.origins()[1]);
    setup.config["authorizers"]["remote"] = json!({"enabled": true, "config": {"remote": remote}});
    for (id, authenticator) in [("checked", "noop"), ("asked", "cookie_session")] {
        let mut rule = rule(id, authenticator, "noop");
        rule["authorizer"] = json!({"handler": "remote"});
        setup.rules.as_array_mut().unwrap().push(rule);
    }
    (setup, seen)
}

fn post(world: &World, path: &str, body: &str) -> Answer {
    let request = Request {
        method: "POST".into(),
        body: body.into(),
        ..world.get(path)
    };
    let request = request.header("cookie", "session=1");
    request.send().unwrap()
}

/// The body as the upstream got it.
fn received_body(answer: &Answer) -> String {
    let body = answer.json().unwrap()["body"].clone();
    body.as_str().unwrap_or_default().to_owned()
}

#[test]
fn z02_the_authorizer_sees_the_body_and_the_upstream_gets_it() {
    let (mut setup, seen) = checked();
    setup.shows_bodies = true;
    let mut world = setup.start();
    let large = format!("good{}", "x".repeat(900 * 1024));
    for path in ["/checked", "/asked"] {
        for body in ["good", "good morning", &large] {
            let answer = post(&world, path, body);
            assert_eq!(
                answer.status,
                200,
                "{path}: {}\n{}",
                answer.body,
                world.envoy.log()
            );
            assert!(
                received_body(&answer) == body,
                "{path}: the body is another"
            );
            assert!(
                seen.lock().unwrap().pop().unwrap() == body,
                "{path}: another was judged"
            );
        }
        assert_eq!(post(&world, path, "bad").status, 403, "{path}");
        let empty = world
            .get(path)
            .header("cookie", "session=1")
            .send()
            .unwrap();
        assert_eq!(empty.status, 403, "{path}");
        assert_eq!(seen.lock().unwrap().pop().unwrap(), "", "{path}");
    }
    world.check_alive();
}

#[test]
fn a_body_in_chunks_with_trailers_arrives_whole() {
    let (mut setup, seen) = checked();
    setup.shows_bodies = true;
    let mut world = setup.start();
    let mut stream = world.connect();
    let head = "POST /checked HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    for part in [
        head,
        "2\r\ngo\r\n",
        "3\r\nod \r\n",
        "3\r\nday\r\n",
        "0\r\nx-user: root\r\n\r\n",
    ] {
        stream.write_all(part.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(100));
    }
    eventually("the authorizer is asked", || {
        !seen.lock().unwrap().is_empty()
    });
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer.contains("good day") && !answer.contains("root"),
        "{answer}"
    );
    assert_eq!(*seen.lock().unwrap(), ["good day"]);
    world.check_alive();
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let (mut setup, seen) = checked();
    setup.shows_bodies = true;
    let mut world = setup.start();
    let large = format!("good{}", "x".repeat(1 << 20));
    for path in ["/checked", "/asked"] {
        assert_eq!(post(&world, path, &large).status, 413, "{path}");
    }
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(
        post(&world, "/public", &large).status,
        200,
        "nobody needs it"
    );
    world.check_alive();
}

#[test]
fn a_client_that_goes_away_within_its_body_harms_nobody() {
    let (mut setup, seen) = checked();
    setup.shows_bodies = true;
    let mut world = setup.start();
    for _ in 0..50 {
        let mut stream = world.connect();
        let head = "POST /checked HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\ngood";
        stream.write_all(head.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(post(&world, "/checked", "good").status, 200);
    assert_eq!(*seen.lock().unwrap(), ["good"]);
    world.check_alive();
}

#[test]
fn without_the_setting_a_body_that_is_needed_is_a_500_that_names_the_remedy() {
    let (setup, seen) = checked();
    let mut world = setup.start();
    let start = Instant::now();
    let answer = post(&world, "/checked", "good");
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(
        start.elapsed() < Duration::from_secs(9),
        "{:?}",
        start.elapsed()
    );
    let log = world.envoy.log();
    assert!(
        log.contains("set `allow_on_headers_stop_iteration: true`"),
        "{log}"
    );
    let empty = world.get("/checked").send().unwrap();
    assert_eq!(empty.status, 403, "without a body there is no need");
    assert_eq!(*seen.lock().unwrap(), [""]);
    assert_eq!(post(&world, "/public", "any").status, 200);
    assert_eq!(
        post(&world, "/app", &"x".repeat(4 << 20)).status,
        200,
        "held back, not kept"
    );
    world.check_alive();
}
