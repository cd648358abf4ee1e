//! A new configuration for a module that runs.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use host_tests::{Answer, Outcome, Request};
use serde_json::json;

use crate::fixtures::{Issuer, KEY, assert_serves, configuration, host, rule, token};

#[test]
fn l04_a_bad_update_leaves_the_former_configuration_in_force() {
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
fn t29_requests_that_wait_under_the_former_configuration_are_refused() {
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

#[test]
fn rules_from_a_repository_are_enforced_once_read_and_replaced_when_they_change() {
    const URL: &str = "http://rules.test/rules.json";
    let content = Arc::new(Mutex::new(Answer::status(500, "")));
    let served = Arc::clone(&content);
    let mut settings = configuration();
    settings["config"]["access_rules"]["repositories"] = json!([URL]);
    settings["config"]["gatepost"] = json!({"poll_interval": "5s"});
    settings["clusters"]["http://rules.test"] = json!("rules");
    let mut host = Issuer::new()
        .bare_host()
        .cluster("rules", move |_| served.lock().unwrap().clone());
    host.configure(&settings).unwrap();
    host.advance(Duration::from_secs(2));
    assert_eq!(host.request(Request::get("/public/x")).status(), Some(503));

    let rules = |name: &str| Answer::ok(json!([rule(name, "noop", "noop")]).to_string());
    *content.lock().unwrap() = rules("fetched");
    host.advance(Duration::from_secs(6));
    assert_eq!(host.request(Request::get("/fetched/x")).status(), Some(200));
    assert_eq!(host.request(Request::get("/public/x")).status(), Some(200));

    *content.lock().unwrap() = rules("changed");
    host.advance(Duration::from_secs(6));
    assert_eq!(host.request(Request::get("/changed/x")).status(), Some(200));
    assert_eq!(host.request(Request::get("/fetched/x")).status(), Some(404));

    for useless in [Answer::failure(), Answer::ok("{"), Answer::status(404, "")] {
        *content.lock().unwrap() = useless;
        host.advance(Duration::from_secs(31));
        assert_eq!(host.request(Request::get("/changed/x")).status(), Some(200));
    }
    assert!(host.log().iter().any(|line| line.contains(URL)));
}

#[test]
fn a_request_on_its_way_when_new_rules_come_is_decided_under_them() {
    let content = Arc::new(Mutex::new(json!([])));
    let served = Arc::clone(&content);
    let mut settings = configuration();
    settings["config"]["access_rules"]["repositories"] = json!("http://rules.test/");
    settings["config"]["gatepost"] = json!({"poll_interval": "5s"});
    settings["clusters"]["http://rules.test"] = json!("rules");
    let issuer = Issuer::new();
    issuer.says(|says| says.session = Answer::held());
    let mut host = issuer.bare_host().cluster("rules", move |_| {
        Answer::ok(served.lock().unwrap().to_string())
    });
    host.configure(&settings).unwrap();
    host.advance(Duration::from_secs(2));
    let id = host.send(Request::get("/app/x").header("cookie", "session=1"));
    let (call, _) = host.held_calls().pop().unwrap();
    // A second rule for the same URL: which one decides would be chance.
    let mut rival = rule("app", "noop", "noop");
    rival["id"] = json!("rival");
    *content.lock().unwrap() = json!([rival]);
    host.advance(Duration::from_secs(6));
    host.reply(
        call,
        Answer::ok(r#"{"active": true, "identity": {"id": "alice"}}"#),
    );
    assert_eq!(host.outcome(id).status(), Some(500));
}

#[test]
fn rules_that_come_later_are_told_of_certificates_too() {
    let mut settings = configuration();
    settings["config"]["access_rules"]["repositories"] = json!("http://rules.test/");
    settings["clusters"]["http://rules.test"] = json!("rules");
    settings["config"]["authenticators"]["unauthorized"] = json!({"enabled": true});
    let mut mutual = rule("mutual", "noop", "noop");
    mutual["authenticators"] = json!([{"handler": "unauthorized"}]);
    mutual["gatepost"] = json!({"authenticators": [
        {"handler": "peer_certificate", "config": {"allowed": ["*"]}},
    ]});
    let rules = json!([mutual]).to_string();
    let mut host = Issuer::new()
        .bare_host()
        .cluster("rules", move |_| Answer::ok(rules.clone()));
    host.configure(&settings).unwrap();
    host.advance(Duration::from_secs(2));
    let mut request = Request::get("/mutual/x");
    request.properties = vec![
        ("connection.sha256_peer_certificate_digest", "00".repeat(32)),
        (
            "connection.uri_san_peer_certificate",
            "spiffe://td/a".to_owned(),
        ),
    ];
    assert_eq!(host.request(request).status(), Some(200));
    assert_eq!(host.request(Request::get("/mutual/x")).status(), Some(401));
}
