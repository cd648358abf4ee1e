//! What stays when another policy is put in force.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::collections::BTreeMap;

use gatepost_cases::Token;
use gatepost_policy::{
    Engine, FetchId, Policy, Reply, Request, RuleSource, Sources, Step, UnixTime, Verdict, call,
    compile,
};
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_767_225_600);

/// A policy whose only rule takes tokens that a key from `url` has signed. A rule before it makes the
/// numbers of key sets differ.
fn policy(before: &[&str], url: &str) -> Policy {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let rule = |id: &str, urls: &[&str]| {
        json!({
            "id": id, "match": {"url": format!("http://h/{id}"), "methods": ["GET"]},
            "authenticators": [{"handler": "jwt", "config": {"jwks_urls": urls, "allowed_algorithms": ["ES256"]}}],
            "authorizer": {"handler": "allow"}, "mutators": [{"handler": "noop"}],
        })
    };
    let mut rules = Vec::new();
    if !before.is_empty() {
        rules.push(rule("before", before));
    }
    rules.push(rule("x", &[url]));
    let config = json!({
        "authenticators": {"jwt": {"enabled": true}}, "authorizers": {"allow": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}},
    });
    let rules = Value::Array(rules);
    let source = RuleSource {
        file: "rules.json",
        rules: &rules,
    };
    compile(&Sources {
        config: &config,
        rules: &[source],
        documents: &BTreeMap::new(),
    })
    .unwrap()
}

fn keys(name: &str) -> Reply {
    let set = gatepost_cases::jwks(&[name.to_owned()]).unwrap();
    Ok(call::Response {
        status: 200,
        headers: Vec::new(),
        body: set.to_string().into_bytes(),
    })
}

fn request(key: &str) -> Request {
    let token = gatepost_cases::sign(&Token {
        key: key.to_owned(),
        header: serde_json::Map::new(),
        bound_to: None,
        proof_for: None,
        claims: json!({"sub": "alice"}),
    })
    .unwrap();
    let authorization = format!("Bearer {token}");
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "h"),
        (":path", "/x"),
        ("authorization", &authorization),
    ];
    Request {
        headers: fields.into_iter().collect(),
        ..Request::default()
    }
}

fn waits_for(step: &Step) -> FetchId {
    match step {
        Step::Wait(fetch, _) => *fetch,
        other => panic!("should wait: {other:?}"),
    }
}

fn passes(step: &Step) -> bool {
    match step {
        Step::Done(decision) => matches!(decision.verdict, Verdict::Allow(_)),
        other => panic!("should be decided: {other:?}"),
    }
}

/// An engine that has fetched `ES256-1` from `http://id.test/keys`.
fn with_keys() -> Engine {
    let mut engine = Engine::new(policy(&[], "http://id.test/keys"), [7; 32]);
    let [(fetch, _)] = engine.due(NOW).try_into().unwrap();
    engine.fetched(fetch, keys("ES256-1"), NOW);
    assert!(passes(&engine.decide(&request("ES256-1"), NOW)));
    engine
}

#[test]
fn keys_stay_where_the_new_policy_has_them_from_the_same_place() {
    let mut engine = with_keys();
    engine.reload(policy(&["http://other.test/keys"], "http://id.test/keys"));
    assert!(passes(&engine.decide(&request("ES256-1"), NOW)));
    // What has just been fetched is not fetched again, what never was is.
    let due: Vec<_> = engine
        .due(NOW)
        .into_iter()
        .map(|(_, call)| call.origin)
        .collect();
    assert_eq!(
        due.iter().map(|o| &**o).collect::<Vec<_>>(),
        ["http://other.test"]
    );
}

#[test]
fn keys_from_elsewhere_do_not_stay() {
    let mut engine = with_keys();
    engine.reload(policy(&[], "http://id.test/other"));
    waits_for(&engine.decide(&request("ES256-1"), NOW));
}

#[test]
fn a_late_answer_is_not_taken_for_that_of_another_fetch() {
    let mut engine = Engine::new(policy(&[], "http://evil.test/keys"), [7; 32]);
    let [(former, _)] = engine.due(NOW).try_into().unwrap();
    engine.reload(policy(&[], "http://id.test/keys"));
    let [(fetch, call)] = engine.due(NOW).try_into().unwrap();
    assert_eq!(&*call.origin, "http://id.test");
    assert_ne!(fetch, former);
    engine.fetched(former, keys("ES256-2"), NOW);
    assert_eq!(waits_for(&engine.decide(&request("ES256-2"), NOW)), fetch);
    engine.fetched(fetch, keys("ES256-1"), NOW);
    assert!(passes(&engine.decide(&request("ES256-1"), NOW)));
    assert_eq!(engine.fetch_fault(fetch), None);
}

#[test]
fn a_fetch_that_was_under_way_is_made_again() {
    let mut engine = Engine::new(policy(&[], "http://id.test/keys"), [7; 32]);
    assert_eq!(engine.due(NOW).len(), 1);
    engine.reload(policy(&[], "http://id.test/keys"));
    assert_eq!(engine.due(NOW).len(), 1);
    assert_eq!(engine.due(NOW).len(), 0);
}

#[test]
fn a_file_that_is_put_aside_leaves_its_requests_to_no_default_rule() {
    let config = json!({
        "authenticators": {"anonymous": {"enabled": true}}, "authorizers": {"allow": {"enabled": true}},
        "mutators": {"noop": {"enabled": true}},
    });
    let rule = |id: &str, version: &str, extension: Value| {
        json!([{
            "id": id, "version": version, "gatepost": extension,
            "match": {"url": format!("http://h/{id}"), "methods": ["GET"]},
            "authenticators": [{"handler": "anonymous"}],
            "authorizer": {"handler": "allow"}, "mutators": [{"handler": "noop"}],
        }])
    };
    let rest = rule("rest", "v0.40.0", json!({"default": true}));
    let own = rule("own", "v0.40.0", Value::Null);
    let status = |version: &str, path: &str| {
        let admin = rule("admin", version, Value::Null);
        let files = [("admin", &admin), ("own", &own), ("rest", &rest)];
        let policy = compile(&Sources {
            config: &config,
            rules: &files.map(|(file, rules)| RuleSource { file, rules }),
            documents: &BTreeMap::new(),
        })
        .unwrap();
        let request = Request {
            headers: [
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "h"),
                (":path", path),
            ]
            .into_iter()
            .collect(),
            ..Request::default()
        };
        match Engine::new(policy, [0; 32]).decide(&request, NOW) {
            Step::Done(decision) => match decision.verdict {
                Verdict::Allow(_) => 200,
                Verdict::Deny { response, .. } => response.status,
            },
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(status("v0.40.0", "/elsewhere"), 200);
    for path in ["/admin", "/elsewhere"] {
        assert_eq!(status("of mine", path), 500, "{path}");
    }
    assert_eq!(status("of mine", "/own"), 200);
}
