//! Whatever is wrong, nothing passes that no rule lets through.

use std::time::Duration;

use host_tests::{Answer, Host, Request};
use serde_json::{Value, json};

use crate::fixtures::{Issuer, KEY, assert_serves, configuration, host, token};

#[test]
fn a_public_page_passes_and_the_rule_is_published() {
    let mut host = host();
    let id = host.send(Request::get("/public/page"));
    assert_eq!(host.outcome(id).status(), Some(200));
    assert_eq!(
        host.property(id, "gatepost.rule").as_deref(),
        Some("public")
    );
    assert!(host.log().last().unwrap().contains(r#""verdict":"allow""#));
}

#[test]
fn a_request_that_no_rule_matches_is_refused() {
    let outcome = host().request(Request::get("/nowhere"));
    assert_eq!(outcome.status(), Some(404));
    assert!(outcome.body().contains("404"), "{outcome:?}");
}

#[test]
fn an_api_without_a_token_answers_in_json() {
    let outcome = host().request(Request::get("/api/x"));
    assert_eq!(outcome.status(), Some(401));
    let body: Value = serde_json::from_str(&outcome.body()).unwrap();
    assert_eq!(body["error"]["code"], 401);
}

#[test]
fn headers_that_rules_set_cannot_be_sent_by_clients() {
    let mut host = host();
    for name in ["x-user", "x_user", "X-USER"] {
        let request = Request::get("/public/x").header(name, "root");
        let outcome = host.request(request.header("x-other", "kept"));
        assert_eq!(outcome.header(name), None, "{outcome:?}");
        assert_eq!(outcome.header("x-other").as_deref(), Some("kept"));
    }
    let request = Request::get("/api/x").bearer(&token(&host, KEY));
    let outcome = host.request(request.header("x-user", "root").header("x_user", "root"));
    assert_eq!(outcome.header("x-user").as_deref(), Some("alice"));
    assert_eq!(outcome.header("x_user"), None);
}

#[test]
fn a_module_without_configuration_refuses() {
    let mut host = Host::new();
    for request in [
        Request::get("/public/x"),
        Request::new("POST", "/").body("b"),
    ] {
        assert_eq!(host.request(request).status(), Some(503));
    }
}

#[test]
fn bad_configurations_are_refused_with_every_error() {
    let mut no_cluster = configuration();
    no_cluster["clusters"] = json!({});
    let mut bad_rules = configuration();
    bad_rules["broken_rules"] = json!("refuse");
    bad_rules["rules"]["rules.json"][0]["authorizer"]["handler"] = json!("nobody");
    bad_rules["rules"]["rules.json"][1]["match"]["url"] = json!("http://app.test/<(");
    for (configuration, parts) in [
        (String::new(), vec!["no configuration"]),
        ("{".to_owned(), vec!["cannot be read"]),
        ("[]".to_owned(), vec!["cannot be read"]),
        (
            r#"{"config": {}, "rules": [], "what": 1}"#.to_owned(),
            vec!["`what`"],
        ),
        (r#"{"config": {}, "rules": 7}"#.to_owned(), vec!["rules"]),
        (
            r#"{"config": 7, "rules": []}"#.to_owned(),
            vec!["configuration"],
        ),
        (
            no_cluster.to_string(),
            vec!["`http://idp.test`", "`clusters`", "jwks_urls"],
        ),
        (
            bad_rules.to_string(),
            vec!["`rules.json`", "`public`", "nobody", "`api`"],
        ),
        (
            r#"{"config": {}, "rules": [], "broken_rules": "ignore"}"#.to_owned(),
            vec!["`ignore`", "`quarantine`", "`refuse`"],
        ),
    ] {
        let mut host = Issuer::new().bare_host();
        let errors = host.configure_bytes(configuration.clone()).unwrap_err();
        let all = errors.join("\n");
        for part in parts {
            assert!(all.contains(part), "{part} for {configuration}: {all}");
        }
        assert_eq!(host.request(Request::get("/public/x")).status(), Some(503));
    }
}

#[test]
fn garbage_as_configuration_does_not_break_the_module() {
    for garbage in [&b"\xff\xfe\x00"[..], b"null", b"\"\"", &[b'['; 100_000]] {
        let mut host = Issuer::new().bare_host();
        assert!(!host.configure_bytes(garbage).unwrap_err().is_empty());
        assert_eq!(host.request(Request::get("/public/x")).status(), Some(503));
        host.configure(&configuration()).unwrap();
        assert_serves(&mut host);
    }
}

#[test]
fn without_keys_no_token_passes() {
    for answer in [
        Answer::failure(),
        Answer::refusal(),
        Answer::held(),
        Answer::status(500, "{}"),
        Answer::ok("not json"),
        Answer::ok(r#"{"keys": [{"kty": "RSA"}]}"#),
        Answer::ok(vec![b'x'; 1 << 20]),
    ] {
        let issuer = Issuer::new();
        issuer.says(|says| says.keys = answer.clone());
        let mut host = issuer.host();
        let outcome = host.request(Request::get("/api/x").bearer(&token(&host, KEY)));
        let status = outcome.status().unwrap();
        assert!((400..600).contains(&status), "{answer:?}: {outcome:?}");
        host.advance(Duration::from_secs(5));
        assert_eq!(host.request(Request::get("/public/x")).status(), Some(200));
    }
}

#[test]
fn a_cluster_that_the_proxy_lacks_denies_and_is_logged() {
    let mut host = Host::new();
    host.configure(&configuration()).unwrap();
    let outcome = host.request(Request::get("/app/x").header("cookie", "session=1"));
    assert_ne!(outcome.status(), Some(200));
    let log = host.log().join("\n");
    assert!(log.contains("`idp`"), "{log}");
}

#[test]
fn no_token_or_cookie_is_ever_logged() {
    let issuer = Issuer::new();
    let mut host = issuer.host();
    let secret = token(&host, KEY);
    let stranger = token(&host, "RS256-9");
    for request in [
        Request::get("/api/x").bearer(&secret),
        Request::get("/api/x").bearer(&stranger),
        Request::get("/api/x").bearer("plain-secret"),
        Request::get("/app/x").header("cookie", "session=plain-secret"),
    ] {
        host.request(request);
    }
    let log = host.log().join("\n");
    for part in [
        "plain-secret",
        &secret,
        &stranger,
        stranger.rsplit('.').next().unwrap(),
    ] {
        assert!(!log.contains(part), "{log}");
    }
}
