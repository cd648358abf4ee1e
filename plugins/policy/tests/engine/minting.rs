//! Tokens for the upstream over time: how long one is used again, and what makes another.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::{collections::BTreeMap, time::Duration};

use gatepost_cases::{Minted, SetMember};
use gatepost_policy::{
    Engine, Policy, Reply, Request, RuleSource, Sources, Step, UnixTime, Verdict, call, compile,
};
use serde_json::{Map, Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_767_225_600);
const FILE: &str = "file:///key.json";
const URL: &str = "http://keys.test/private.json";

fn private(names: &[&str]) -> Value {
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let members: Vec<_> = names
        .iter()
        .map(|name| SetMember {
            key: (*name).to_owned(),
            with: Map::new(),
            public: false,
        })
        .collect();
    gatepost_cases::private_jwks(&members).unwrap()
}

/// A rule for each path below `/a` and one below `/b`, alike but for their issuers.
fn policy(url: &str, documents: &BTreeMap<String, Value>) -> Policy {
    let rule = |id: &str| {
        json!({
            "id": id, "match": {"url": format!("http://h/{id}/<.*>"), "methods": ["GET"]},
            "authenticators": [{"handler": "anonymous", "config": {"subject": id}}],
            "authorizer": {"handler": "allow"},
            "mutators": [{"handler": "id_token", "config": {
                "issuer_url": "https://gate.test/", "jwks_url": url, "ttl": "100s",
                "claims": "{\"path\": {{ printIndex .MatchContext.RegexpCaptureGroups 0 | quote }}}",
            }}],
        })
    };
    let rules = json!([rule("a"), rule("b")]);
    let config = json!({
        "authenticators": {"anonymous": {"enabled": true}}, "authorizers": {"allow": {"enabled": true}},
        "mutators": {"id_token": {"enabled": true}},
    });
    let source = RuleSource {
        file: "rules.json",
        rules: &rules,
    };
    compile(&Sources {
        config: &config,
        rules: &[source],
        documents,
    })
    .unwrap()
}

fn with_file(set: Value) -> Policy {
    policy(FILE, &[(FILE.to_owned(), set)].into())
}

fn after(seconds: u64) -> UnixTime {
    NOW.after(Duration::from_secs(seconds))
}

fn request(path: &str) -> Request {
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "h"),
        (":path", path),
    ];
    Request {
        headers: fields.into_iter().collect(),
        ..Request::default()
    }
}

fn token(engine: &mut Engine, path: &str, now: UnixTime) -> String {
    let step = engine.decide(&request(path), now);
    let Step::Done(decision) = step else {
        panic!("should be decided: {step:?}");
    };
    let Verdict::Allow(changes) = decision.verdict else {
        panic!("should be allowed: {decision:?}");
    };
    let (_, value) = changes
        .set
        .iter()
        .find(|(name, _)| &**name == "Authorization")
        .unwrap();
    String::from_utf8(value.clone()).unwrap()
}

fn refusal(engine: &mut Engine, path: &str, now: UnixTime) -> String {
    match engine.decide(&request(path), now) {
        Step::Done(decision) => match decision.verdict {
            Verdict::Deny { reason, .. } => reason.to_string(),
            Verdict::Allow(_) => panic!("should be refused"),
        },
        step => panic!("should be decided: {step:?}"),
    }
}

fn check(token: &str, key: &str, claims: Value) {
    let expected = Minted {
        key: key.to_owned(),
        header: Map::new(),
        claims,
    };
    gatepost_cases::check_minted(&expected, token).unwrap();
}

fn reply(set: &Value) -> Reply {
    Ok(call::Response {
        status: 200,
        headers: Vec::new(),
        body: set.to_string().into_bytes(),
    })
}

/// Answers the one fetch that is due.
fn fetch(engine: &mut Engine, reply: Reply, now: UnixTime) {
    let [(fetch, call)] = engine.due(now).try_into().unwrap();
    assert_eq!(format!("{}{}", call.origin, call.path), URL);
    engine.fetched(fetch, reply, now);
}

#[test]
fn u05_a_token_is_used_until_a_tenth_of_its_time_is_left() {
    let mut engine = Engine::new(with_file(private(&["ES256-1"])), [7; 32]);
    let first = token(&mut engine, "/a/x", NOW);
    check(&first, "ES256-1", json!({"exp": NOW.as_secs() + 100}));
    assert_eq!(token(&mut engine, "/a/x", after(89)), first);
    let second = token(&mut engine, "/a/x", after(90));
    assert_ne!(second, first);
    check(&second, "ES256-1", json!({"exp": NOW.as_secs() + 190}));
}

#[test]
fn u05_a_clock_that_was_set_back_makes_a_new_token() {
    let mut engine = Engine::new(with_file(private(&["ES256-1"])), [7; 32]);
    let first = token(&mut engine, "/a/x", after(50));
    let second = token(&mut engine, "/a/x", NOW);
    assert_ne!(second, first);
    check(&second, "ES256-1", json!({"nbf": NOW.as_secs()}));
}

#[test]
fn u05_t26_other_claims_or_another_caller_get_another_token() {
    let mut engine = Engine::new(with_file(private(&["ES256-1"])), [7; 32]);
    let first = token(&mut engine, "/a/x", NOW);
    check(&first, "ES256-1", json!({"sub": "a", "path": "x"}));
    let other_path = token(&mut engine, "/a/y", NOW);
    check(&other_path, "ES256-1", json!({"sub": "a", "path": "y"}));
    let other_caller = token(&mut engine, "/b/x", NOW);
    check(&other_caller, "ES256-1", json!({"sub": "b", "path": "x"}));
    assert_eq!(token(&mut engine, "/a/x", NOW), first);
}

#[test]
fn u05_two_engines_never_make_the_same_id() {
    let set = private(&["HS256-1"]);
    let mut one = Engine::new(with_file(set.clone()), [1; 32]);
    let mut other = Engine::new(with_file(set), [2; 32]);
    assert_ne!(token(&mut one, "/a/x", NOW), token(&mut other, "/a/x", NOW));
}

#[test]
fn u05_a_flood_of_callers_is_served_and_bounded() {
    let mut engine = Engine::new(with_file(private(&["HS256-1"])), [7; 32]);
    let first = token(&mut engine, "/a/first", NOW);
    for number in 0..5000 {
        token(&mut engine, &format!("/a/{number}"), NOW);
    }
    // The first was pushed out, and is made anew.
    assert_ne!(token(&mut engine, "/a/first", NOW), first);
}

#[test]
fn u05_a_key_that_was_replaced_signs_no_more() {
    let mut engine = Engine::new(policy(URL, &BTreeMap::new()), [7; 32]);
    assert!(matches!(
        engine.decide(&request("/a/x"), NOW),
        Step::Wait(..)
    ));
    fetch(&mut engine, reply(&private(&["ES256-1"])), NOW);
    let first = token(&mut engine, "/a/x", NOW);
    check(&first, "ES256-1", json!({"sub": "a"}));
    fetch(&mut engine, reply(&private(&["ES256-2"])), after(30));
    check(
        &token(&mut engine, "/a/x", after(31)),
        "ES256-2",
        json!({"sub": "a"}),
    );
}

#[test]
fn u05_the_last_good_key_stays_while_its_source_is_down() {
    let mut engine = Engine::new(policy(URL, &BTreeMap::new()), [7; 32]);
    fetch(&mut engine, reply(&private(&["ES256-1"])), NOW);
    let down = Ok(call::Response {
        status: 503,
        ..call::Response::default()
    });
    fetch(&mut engine, down, after(30));
    check(
        &token(&mut engine, "/a/x", after(31)),
        "ES256-1",
        json!({"sub": "a"}),
    );
    let a_day = 24 * 60 * 60;
    fetch(
        &mut engine,
        Err(gatepost_policy::FailedCall::TimedOut),
        after(a_day + 1),
    );
    let refusal = refusal(&mut engine, "/a/x", after(a_day + 1));
    assert!(refusal.contains("signing key"), "{refusal}");
}

#[test]
fn u05_what_is_wrong_with_a_fetched_key_is_told_without_it() {
    let mut engine = Engine::new(policy(URL, &BTreeMap::new()), [7; 32]);
    let [(fetch, _)] = engine.due(NOW).try_into().unwrap();
    engine.fetched(
        fetch,
        reply(&json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]})),
        NOW,
    );
    let fault = engine.fetch_fault(fetch).unwrap();
    assert_eq!(
        fault,
        "signing key `http://keys.test/private.json`: the key set holds no private key to sign with"
    );
}

#[test]
fn u05_fetched_keys_stay_over_a_reload() {
    let mut engine = Engine::new(policy(URL, &BTreeMap::new()), [7; 32]);
    fetch(&mut engine, reply(&private(&["ES256-1"])), NOW);
    engine.reload(policy(URL, &BTreeMap::new()));
    check(
        &token(&mut engine, "/a/x", NOW),
        "ES256-1",
        json!({"sub": "a"}),
    );
    assert!(engine.due(NOW).is_empty());
}

#[test]
fn u05_a_key_whose_halves_do_not_belong_together_is_found_out() {
    let mut set = private(&["ES256-1"]);
    set["keys"][0]["d"] = private(&["ES256-2"])["keys"][0]["d"].clone();
    let mut policy = with_file(set);
    assert!(policy.faults().is_empty());
    policy.prove_signing();
    let faults: Vec<_> = policy.faults().iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("rule `a`, `mutators[0].config.jwks_url`"),
        "{faults:?}"
    );
    let mut engine = Engine::new(policy, [7; 32]);
    let refusal = refusal(&mut engine, "/a/x", NOW);
    assert!(refusal.contains("the rule is broken"), "{refusal}");
}

#[test]
fn u05_a_private_key_is_never_shown() {
    for name in ["ES256-1", "RS256-1", "HS256-1", "EdDSA-1"] {
        let set = private(&[name]);
        let policy = with_file(set.clone());
        let engine = Engine::new(policy, [7; 32]);
        let shown = format!("{engine:?}");
        for member in ["d", "p", "k"] {
            if let Some(secret) = set["keys"][0][member].as_str() {
                assert!(!shown.contains(secret), "{name}: {member}");
            }
        }
    }
}

#[test]
fn u05_what_is_published_is_public() {
    let mut set = private(&["ES256-1", "RS256-1", "EdDSA-1", "HS256-1"]);
    set["keys"][0]["key_ops"] = json!(["sign"]);
    set["keys"][1]["secret"] = json!("of an unknown kind");
    let keys = gatepost_policy::jose::public_keys(&set).unwrap();
    let names = ["ES256-1", "RS256-1", "EdDSA-1"].map(str::to_owned);
    let expected = gatepost_cases::jwks(&names).unwrap();
    assert_eq!(json!({"keys": keys}), expected);
    assert!(gatepost_policy::jose::public_keys(&json!([])).is_err());
}
