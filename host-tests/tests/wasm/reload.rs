//! A new configuration for a module that runs.

use std::time::Duration;

use host_tests::{Answer, Outcome, Request};
use serde_json::json;

use crate::fixtures::{Issuer, KEY, assert_serves, configuration, host, rule, token};

#[test]
fn a_bad_update_leaves_the_former_configuration_in_force() {
    let mut host = host();
    let mut bad = configuration();
    bad["clusters"] = json!({});
    assert!(host.configure(&bad).is_err());
    assert_serves(&mut host);
}

#[test]
fn a_good_update_replaces_the_rules() {
    let mut host = host();
    let mut new = configuration();
    new["rules"] = json!([rule("other", "noop", "noop")]);
    host.configure(&new).unwrap();
    assert_eq!(host.request(Request::get("/other/x")).status(), Some(200));
    assert_eq!(host.request(Request::get("/public/x")).status(), Some(404));
}

#[test]
fn requests_that_wait_under_the_former_configuration_are_refused() {
    let issuer = Issuer::new();
    issuer.says(|says| says.keys = Answer::held());
    let mut host = issuer.host();
    let id = host.send(Request::get("/api/x").bearer(&token(&host, KEY)));
    host.advance(Duration::from_millis(10));
    assert_eq!(host.outcome(id), Outcome::Pending);
    let (old, _) = host.held_calls().pop().unwrap();
    issuer.says(|says| says.keys = crate::fixtures::keys(&[KEY]));
    host.configure(&configuration()).unwrap();
    assert_eq!(host.outcome(id).status(), Some(503));
    // The reply to the former configuration's call comes late, to nobody.
    host.reply(old, Answer::ok(r#"{"keys": []}"#));
    assert_serves(&mut host);
}

#[test]
fn a_session_asked_for_under_the_former_configuration_still_counts() {
    let issuer = Issuer::new();
    issuer.says(|says| says.session = Answer::held());
    let mut host = issuer.host();
    let id = host.send(Request::get("/app/x").header("cookie", "session=1"));
    let (call, _) = host.held_calls().pop().unwrap();
    host.configure(&configuration()).unwrap();
    host.reply(
        call,
        Answer::ok(r#"{"active": true, "identity": {"id": "alice"}}"#),
    );
    assert_eq!(host.outcome(id).header("x-user").as_deref(), Some("alice"));
}
