//! Calls out: key sets fetched in the background, sessions asked for while a request waits.

use std::time::Duration;

use host_tests::{Answer, Host, Outcome, Request};

use crate::fixtures::{
    Issuer, KEY, NEXT_KEY, STRANGER, assert_serves, configuration, host, keys, token, token_until,
};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_good_token_names_its_subject_to_the_upstream() {
    let mut host = host();
    let outcome = host.request(Request::get("/api/x").bearer(&token(&host, KEY)));
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
    assert_eq!(outcome.header("x-user").as_deref(), Some("alice"));
}

#[test]
fn an_expired_token_is_refused() {
    let mut host = host();
    let expired = token_until(host.unix_time() - 600, KEY);
    let outcome = host.request(Request::get("/api/x").bearer(&expired));
    assert_eq!(outcome.status(), Some(401));
}

#[test]
fn a_token_expires_while_it_is_remembered() {
    let mut host = host();
    let short = token_until(host.unix_time() + 5, KEY);
    let request = Request::get("/api/x").bearer(&short);
    assert_eq!(host.request(request.clone()).status(), Some(200));
    host.advance(SECOND * 120);
    assert_eq!(host.request(request).status(), Some(401));
}

#[test]
fn a_strangers_token_is_refused() {
    let mut host = host();
    let outcome = host.request(Request::get("/api/x").bearer(&token(&host, STRANGER)));
    assert_eq!(outcome.status(), Some(401));
    assert_serves(&mut host);
}

#[test]
fn many_requests_share_one_fetch() {
    let issuer = Issuer::new();
    issuer.says(|says| says.keys = keys(&[KEY]).after(SECOND / 2));
    let mut host = issuer.host();
    let request = Request::get("/api/x").bearer(&token(&host, KEY));
    let ids: Vec<_> = (0..5).map(|_| host.send(request.clone())).collect();
    assert!(ids.iter().all(|id| host.outcome(*id) == Outcome::Pending));
    host.advance(SECOND);
    for id in ids {
        assert_eq!(host.outcome(id).status(), Some(200));
    }
    assert_eq!(host.calls().len(), 1);
}

#[test]
fn a_new_key_of_the_issuer_is_found_at_once() {
    let issuer = Issuer::new();
    let mut host = issuer.host();
    assert_serves(&mut host);
    issuer.says(|says| says.keys = keys(&[KEY, NEXT_KEY]));
    host.advance(SECOND * 60);
    let outcome = host.request(Request::get("/api/x").bearer(&token(&host, NEXT_KEY)));
    assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
}

#[test]
fn t19_a_flood_of_unknown_keys_is_not_passed_on_to_the_issuer() {
    let mut host = host();
    assert_serves(&mut host);
    let before = host.calls().len();
    for number in 10..20 {
        let stranger = token(&host, &format!("ES256-{number}"));
        let outcome = host.request(Request::get("/api/x").bearer(&stranger));
        assert_eq!(outcome.status(), Some(401));
    }
    assert!(host.calls().len() - before <= 1, "{:?}", host.calls());
}

#[test]
fn tokens_are_checked_while_the_issuer_is_down() {
    let issuer = Issuer::new();
    let mut host = issuer.host();
    assert_serves(&mut host);
    issuer.says(|says| says.keys = Answer::failure());
    for _ in 0..10 {
        host.advance(SECOND * 30);
        let outcome = host.request(Request::get("/api/x").bearer(&token(&host, KEY)));
        assert_eq!(outcome.status(), Some(200), "{:?}", host.log());
    }
}

#[test]
fn an_issuer_that_comes_up_late_is_found() {
    let issuer = Issuer::new();
    issuer.says(|says| says.keys = Answer::refusal());
    let mut host = issuer.host();
    let request = Request::get("/api/x").bearer(&token(&host, KEY));
    assert_ne!(host.request(request.clone()).status(), Some(200));
    issuer.says(|says| says.keys = keys(&[KEY]));
    host.advance(SECOND * 60);
    assert_eq!(
        host.request(request).status(),
        Some(200),
        "{:?}",
        host.log()
    );
}

#[test]
fn a_session_cookie_is_asked_about() {
    let mut host = host();
    let outcome = host.request(Request::get("/app/x?y").header("cookie", "session=1"));
    assert_eq!(outcome.header("x-user").as_deref(), Some("alice"));
    let call = host.calls().last().unwrap();
    assert_eq!(call.path(), "/sessions/whoami");
    assert_eq!(call.header(":authority").as_deref(), Some("idp.test"));
    assert_eq!(call.header("cookie").as_deref(), Some("session=1"));
}

#[test]
fn without_a_session_nothing_passes() {
    let issuer = Issuer::new();
    let mut host = issuer.host();
    for session in [
        Answer::status(401, "{}"),
        Answer::status(500, ""),
        Answer::ok("not json"),
        Answer::ok(""),
        Answer::failure(),
        Answer::refusal(),
        Answer::ok(r#"{"identity": {"id": "alice"}}"#).after(SECOND * 600),
    ] {
        issuer.says(|says| says.session = session.clone());
        let outcome = host.request(Request::get("/app/x").header("cookie", "session=1"));
        let status = outcome.status().unwrap();
        assert!((400..600).contains(&status), "{session:?}: {outcome:?}");
    }
    issuer.says(|says| says.session = Answer::ok(r#"{"identity": {"id": "alice"}}"#));
    assert_serves(&mut host);
}

#[test]
fn what_the_proxy_answers_itself_is_not_the_servers_word() {
    let issuer = Issuer::new();
    let mut host = issuer.host();
    let text =
        |status| Answer::status(status, "no healthy upstream").header("content-type", "text/plain");
    for (session, status) in [
        (text(503).header("content-length", "19"), 403),
        (text(504), 403),
        (text(500), 401),
        (
            text(503).header("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            401,
        ),
        (text(503).header("x-envoy-upstream-service-time", "1"), 401),
        (
            Answer::status(503, "{}").header("content-type", "application/json"),
            401,
        ),
        (Answer::status(503, ""), 401),
    ] {
        issuer.says(|says| says.session = session.clone());
        let outcome = host.request(Request::get("/app/x").header("cookie", "session=1"));
        assert_eq!(outcome.status(), Some(status), "{session:?}");
    }
    issuer.says(|says| says.session = Answer::ok(r#"{"identity": {"id": "alice"}}"#));
    assert_serves(&mut host);
}

#[test]
fn body_and_trailers_wait_for_the_decision() {
    let issuer = Issuer::new();
    issuer.says(|says| says.session = Answer::status(401, "{}").after(SECOND));
    let mut host = issuer.host();
    let request = Request::new("POST", "/app/x")
        .header("cookie", "session=1")
        .body("a body")
        .trailer("x-sum", "1");
    let id = host.send(request);
    assert_eq!(host.outcome(id), Outcome::Pending);
    host.advance(SECOND * 2);
    assert_eq!(host.outcome(id).status(), Some(401));
    issuer.says(|says| {
        says.session = Answer::ok(r#"{"identity": {"id": "alice"}}"#).after(SECOND);
    });
    let request = Request::new("POST", "/app/x")
        .header("cookie", "session=1")
        .body("a body")
        .trailer("x-sum", "1");
    assert_eq!(host.request(request).status(), Some(200));
}

#[test]
fn t29_a_reply_after_the_client_has_gone_does_nothing() {
    let issuer = Issuer::new();
    issuer.says(|says| {
        says.session = Answer::ok(r#"{"identity": {"id": "alice"}}"#).after(SECOND);
        says.keys = keys(&[KEY]).after(SECOND);
    });
    let mut host = issuer.host();
    let session = host.send(Request::get("/app/x").header("cookie", "session=1"));
    let key = host.send(Request::get("/api/x").bearer(&token(&host, KEY)));
    host.disconnect(session);
    host.disconnect(key);
    host.advance(SECOND * 5);
    assert_eq!(host.outcome(session), Outcome::Gone);
    assert_eq!(host.outcome(key), Outcome::Gone);
    assert_serves(&mut host);
}

#[test]
fn a_fetch_outlives_the_request_that_asked_for_it() {
    let issuer = Issuer::new();
    issuer.says(|says| says.keys = keys(&[KEY]).after(SECOND));
    let mut host = issuer.host();
    let request = Request::get("/api/x").bearer(&token(&host, KEY));
    let (first, second) = (host.send(request.clone()), host.send(request));
    host.disconnect(first);
    host.advance(SECOND * 2);
    assert_eq!(host.outcome(second).status(), Some(200));
}

#[test]
fn the_host_checks_signatures_where_it_can() {
    let good = |host: &Host| Request::get("/api/x").bearer(&token(host, KEY));
    let mut with = host();
    let before = with.signatures_checked();
    let request = good(&with);
    assert_eq!(with.request(request.clone()).status(), Some(200));
    assert_eq!(with.request(request).status(), Some(200));
    assert_eq!(with.signatures_checked() - before, 1, "once per token");
    let mut without = Issuer::new().bare_host().without_verify_signature();
    without.configure(&configuration()).unwrap();
    let request = good(&without);
    assert_eq!(without.request(request).status(), Some(200));
    assert_eq!(without.signatures_checked(), 0);
}
