//! What operators learn of decisions: the decision log and the host's metrics.

use std::time::Duration;

use host_tests::{Answer, Host, Request};
use serde_json::{Value, json};

use crate::fixtures::{Issuer, KEY, configuration, rule, token};

/// The lines of the decision log.
fn lines(host: &Host) -> Vec<Value> {
    let lines = host.log().into_iter();
    lines
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["log"] == "gatepost.decision")
        .collect()
}

fn host(change: impl FnOnce(&mut Value)) -> Host {
    let mut configuration = configuration();
    change(&mut configuration);
    let issuer = Issuer::new();
    issuer.says(|says| says.session = says.session.clone().after(Duration::from_millis(3)));
    let mut host = issuer.bare_host();
    host.configure(&configuration).unwrap();
    host
}

#[test]
fn each_decision_is_one_line_without_credentials() {
    let mut host = host(|it| it["digest"] = json!("sha256:0011"));
    let good = token(&host, KEY);
    let id = "x-request-id";
    host.request(
        Request::get("/api/a//b?access_token=hunter2")
            .bearer(&good)
            .header(id, "7"),
    );
    host.request(Request::get("/api/x").bearer(&format!("{good}x")));
    host.request(Request::get("/app/x").header("cookie", "session=hunter2"));
    host.request(Request::get("/nowhere").header(id, "a\"}\u{1b}[2J"));
    let lines = lines(&host);
    assert_eq!(lines.len(), 4, "{:?}", host.log());
    let [allowed, refused, session, unmatched] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(allowed["rule"], "api");
    assert_eq!(allowed["stage"], "done");
    assert_eq!(allowed["verdict"], "allow");
    assert_eq!(allowed["subject"], "alice");
    assert_eq!(allowed["path"], "/api/a/b");
    assert_eq!(allowed["request_id"], "7");
    assert_eq!(allowed["digest"], "sha256:0011");
    assert!(allowed["latency_us"].is_u64());
    assert_eq!(refused["stage"], "authenticate");
    assert_eq!(
        (&refused["status"], &refused["reason"]),
        (&json!(401), &json!("unauthorized"))
    );
    assert_eq!(session["subject"], "alice");
    assert_eq!(unmatched["reason"], "no_rule_matched");
    assert_eq!(unmatched["stage"], "match");
    let log = host.log().join("\n");
    assert!(!log.contains("hunter2") && !log.contains(&good), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}

#[test]
fn a_sample_is_logged_and_every_denial() {
    let mut host = host(|it| it["log_decisions"] = json!({"sample": 0.25}));
    for _ in 0..40 {
        host.request(Request::get("/public/x"));
    }
    assert_eq!(lines(&host).len(), 10);
    for _ in 0..5 {
        host.request(Request::get("/nowhere"));
    }
    assert_eq!(lines(&host).len(), 15);
}

#[test]
fn nothing_is_logged_unasked_and_nonsense_is_refused() {
    let mut quiet = host(|it| it["log_decisions"] = json!(false));
    quiet.request(Request::get("/nowhere"));
    assert!(lines(&quiet).is_empty());
    let mut silent = host(|it| it["log_decisions"] = json!({"sample": 0, "denials": false}));
    silent.request(Request::get("/nowhere"));
    assert!(lines(&silent).is_empty());
    let mut bad = configuration();
    bad["log_decisions"] = json!({"sample": 2});
    let errors = Host::new().configure(&bad).unwrap_err();
    assert!(errors[0].contains("log_decisions.sample"), "{errors:?}");
}

#[test]
fn decisions_are_counted_by_rule_at_one_call_each() {
    let mut host = host(|_| ());
    let good = token(&host, KEY);
    for _ in 0..3 {
        host.request(Request::get("/public/x"));
    }
    host.request(Request::get("/api/x").bearer(&good));
    host.request(Request::get("/api/x").bearer("nonsense"));
    host.request(Request::get("/nowhere"));
    for (name, value) in [
        ("gatepost.rules", 3),
        ("gatepost.rules_quarantined", 0),
        ("gatepost.rule.public.allowed", 3),
        ("gatepost.rule.public.denied", 0),
        ("gatepost.rule.api.allowed", 1),
        ("gatepost.rule.api.denied", 1),
        ("gatepost.unmatched.denied", 1),
        ("gatepost.key_fetch_failures", 0),
    ] {
        assert_eq!(host.metric(name), Some(value), "{name}");
    }
    assert_eq!(host.metric("gatepost.rule.api.would_deny"), None);
    let (defined, before) = host.metric_costs();
    host.request(Request::get("/public/x"));
    assert_eq!(host.metric_costs(), (defined, before + 1));
    // A session check has to be waited for: its time is recorded too.
    host.request(Request::get("/app/x").header("cookie", "session=1"));
    assert_eq!(host.metric_costs(), (defined, before + 3));
}

#[test]
fn what_is_only_tried_is_counted_and_logged_as_such() {
    let mut host = host(|it| {
        let mut tried = rule("tried", "jwt", "noop");
        tried["gatepost"] = json!({"shadow": true});
        it["rules"]["rules.json"]
            .as_array_mut()
            .unwrap()
            .push(tried);
    });
    let good = token(&host, KEY);
    let refused = host.request(Request::get("/tried/x"));
    assert_eq!(refused.status(), Some(200), "nothing is enforced");
    host.request(Request::get("/tried/x").bearer(&good));
    for (outcome, value) in [
        ("would_deny", 1),
        ("would_allow", 1),
        ("allowed", 0),
        ("denied", 0),
    ] {
        let name = format!("gatepost.rule.tried.{outcome}");
        assert_eq!(host.metric(&name), Some(value), "{name}");
    }
    let lines = lines(&host);
    assert_eq!(lines[0]["verdict"], "allow");
    assert_eq!(lines[0]["shadow"]["verdict"], "deny");
    assert_eq!(lines[0]["shadow"]["reason"], "unauthorized");
    assert_eq!(lines[1]["shadow"]["verdict"], "allow");
}

#[test]
fn broken_rules_and_failed_fetches_are_counted() {
    let mut configuration = configuration();
    let mut broken = rule("broken", "no_such_handler", "noop");
    broken["match"]["url"] = json!("http://app.test/broken/<.*>");
    configuration["rules"]["rules.json"]
        .as_array_mut()
        .unwrap()
        .push(broken);
    let mut host = Host::new().cluster("idp", |_| Answer::status(500, ""));
    host.configure(&configuration).unwrap();
    let token = token(&host, KEY);
    host.request(Request::get("/api/x").bearer(&token));
    assert_eq!(host.metric("gatepost.rules_quarantined"), Some(1));
    assert!(host.metric("gatepost.key_fetch_failures").unwrap() > 0);
}

#[test]
fn many_rules_share_counters_and_none_are_kept_unasked() {
    let rules: Vec<_> = (0..400)
        .map(|n| rule(&format!("r{n}"), "noop", "noop"))
        .collect();
    let mut many = host(|it| it["rules"] = json!({"rules.json": rules}));
    many.request(Request::get("/r3/x"));
    many.request(Request::get("/r399/x"));
    assert_eq!(many.metric("gatepost.rule.r3.allowed"), Some(1));
    assert_eq!(many.metric("gatepost.rule.r399.allowed"), None);
    assert_eq!(many.metric("gatepost.rule.other.allowed"), Some(1));
    assert!(many.metric_costs().0 < 530);
    let mut none = host(|it| it["metrics"] = json!(false));
    none.request(Request::get("/public/x"));
    assert_eq!(none.metric_costs(), (0, 0));
}
