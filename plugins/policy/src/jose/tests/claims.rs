//! What claims must say (A05 to A08, A24, T21).

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{Check, ScopeStrategy, TokenError, TokenRules},
    support::{NOW, Outcome, alice, claims, claims_with, outcome, rsa_key, rules, verifier},
};
use crate::UnixTime;

fn check_text(claims: &str, change: impl FnOnce(&mut TokenRules), now: UnixTime) -> Outcome {
    let key = rsa_key(0, "rsa");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let mut rules = rules(&[0], &[]);
    change(&mut rules);
    let token = key.token_of(r#"{"alg":"RS256","kid":"rsa"}"#, claims);
    let first = outcome(verifier.check(&token, &rules, now));
    // A second look, which may come from the cache, says the same.
    assert_eq!(outcome(verifier.check(&token, &rules, now)), first);
    first
}

fn check(claims: &Value, change: impl FnOnce(&mut TokenRules)) -> Outcome {
    check_text(&claims.to_string(), change, NOW)
}

fn rejected(error: TokenError) -> Outcome {
    Outcome::Rejected(error)
}

#[test]
fn times_are_checked_to_the_second() {
    let now = NOW.as_secs();
    for (name, value, expected) in [
        ("exp", now - 3600, rejected(TokenError::Expired)),
        ("exp", now, rejected(TokenError::Expired)),
        ("exp", now + 1, alice()),
        ("nbf", now + 3600, rejected(TokenError::NotYetValid)),
        ("nbf", now, alice()),
        ("iat", now + 3600, rejected(TokenError::IssuedInFuture)),
        ("iat", now + 1, rejected(TokenError::IssuedInFuture)),
        ("iat", now, alice()),
    ] {
        let outcome = check(&claims_with(name, json!(value)), |_| {});
        assert_eq!(outcome, expected, "{name} {value}");
    }
    let fraction = json!(NOW.as_secs() as f64 - 0.5);
    assert_eq!(
        check(&claims_with("exp", fraction), |_| {}),
        rejected(TokenError::Expired)
    );
}

#[test]
fn a_missing_exp_is_accepted() {
    assert_eq!(check(&json!({"sub": "alice"}), |_| {}), alice());
}

#[test]
fn leeway_counts_on_both_sides() {
    let now = NOW.as_secs();
    let lenient = |rules: &mut TokenRules| rules.leeway = Duration::from_secs(5);
    for (name, value, expected) in [
        ("exp", now - 4, alice()),
        ("exp", now - 5, rejected(TokenError::Expired)),
        ("nbf", now + 5, alice()),
        ("nbf", now + 6, rejected(TokenError::NotYetValid)),
        ("iat", now + 5, alice()),
    ] {
        let outcome = check(&claims_with(name, json!(value)), lenient);
        assert_eq!(outcome, expected, "{name} {value}");
    }
}

#[test]
fn t21_claims_of_the_wrong_type_are_refused() {
    let times = [
        "\"1900000000\"",
        "-1",
        "-0.5",
        "1e309",
        "1e300",
        "null",
        "true",
        "[1]",
        "{}",
    ];
    let mut texts: Vec<_> = ["exp", "nbf", "iat"]
        .iter()
        .flat_map(|name| times.map(|time| format!(r#"{{"sub":"alice","{name}":{time}}}"#)))
        .collect();
    texts.extend(
        [
            r#"{"sub":"alice","iss":["https://id.test"]}"#,
            r#"{"sub":"alice","iss":null}"#,
            r#"{"sub":"alice","iss":1}"#,
            r#"{"sub":"alice","aud":1}"#,
            r#"{"sub":"alice","aud":{"a":"b"}}"#,
            r#"{"sub":"alice","aud":["a",1]}"#,
            r#"{"sub":"alice","scope":1}"#,
            r#"{"sub":"alice","scp":{"x":true}}"#,
            r#"{"sub":"alice","scp":["x",["y"]]}"#,
            r#"{"sub":"alice","sub":"bob"}"#,
            r#"{"sub":"alice","exp":1900000000,"exp":1}"#,
            r#"{"sub":"alice","\u0073ub":"bob"}"#,
            r#"["alice"]"#,
            r#""alice""#,
            "null",
            "",
            "{",
            r#"{"sub":"alice"}{}"#,
        ]
        .map(str::to_owned),
    );
    for text in texts {
        let outcome = check_text(&text, |_| {}, NOW);
        assert!(
            matches!(outcome, Outcome::Rejected(TokenError::Malformed(_))),
            "{text}: {outcome:?}"
        );
    }
}

#[test]
fn a_subject_that_is_no_text_is_empty_as_in_oathkeeper() {
    for subject in [json!(7), Value::Null, json!(["alice"])] {
        assert_eq!(
            check(&json!({ "sub": subject }), |_| {}),
            Outcome::Verified(String::new())
        );
    }
    assert_eq!(check(&json!({}), |_| {}), Outcome::Verified(String::new()));
}

#[test]
fn the_issuer_must_be_trusted_exactly() {
    let trusting = |issuers: &[&str]| {
        let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
        move |rules: &mut TokenRules| rules.trusted_issuers = issuers
    };
    let wrong = || rejected(TokenError::WrongIssuer);
    assert_eq!(
        check(&claims(), trusting(&["x", "https://id.test"])),
        alice()
    );
    assert_eq!(check(&claims(), trusting(&["https://id.test/"])), wrong());
    assert_eq!(check(&claims(), trusting(&["https://id.tes"])), wrong());
    assert_eq!(check(&claims(), trusting(&[""])), wrong());
    assert_eq!(check(&json!({"sub": "alice"}), trusting(&[""])), wrong());
}

#[test]
fn every_target_audience_must_be_there() {
    let targets = |targets: &[&str]| {
        let targets = targets.iter().map(|target| (*target).to_owned()).collect();
        move |rules: &mut TokenRules| rules.target_audience = targets
    };
    let wrong = || rejected(TokenError::WrongAudience);
    assert_eq!(check(&claims(), targets(&["b", "a"])), alice());
    assert_eq!(check(&claims(), targets(&["a", "b", "c"])), wrong());
    assert_eq!(
        check(&claims_with("aud", json!("a")), targets(&["a"])),
        alice()
    );
    assert_eq!(
        check(&claims_with("aud", json!("a b")), targets(&["a"])),
        wrong()
    );
    assert_eq!(
        check(&claims_with("aud", json!([])), targets(&["a"])),
        wrong()
    );
    assert_eq!(check(&json!({"sub": "alice"}), targets(&["a"])), wrong());
}

#[test]
fn required_scopes_must_be_granted_under_the_strategy() {
    let requiring = |strategy, scopes: &[&str]| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        move |rules: &mut TokenRules| {
            rules.scope_strategy = strategy;
            rules.required_scope = scopes;
        }
    };
    let missing = || rejected(TokenError::MissingScope);
    use ScopeStrategy::{Exact, Hierarchic, None, Wildcard};
    for (scope, strategy, required, expected) in [
        (json!("x y"), Exact, vec!["x"], alice()),
        (json!("x y"), Exact, vec!["y", "x"], alice()),
        (json!("x y"), Exact, vec!["x", "z"], missing()),
        (json!(["x y"]), Exact, vec!["x"], missing()),
        (json!(""), Exact, vec![""], missing()),
        (Value::Null, Exact, vec!["x"], missing()),
        (json!("a"), Hierarchic, vec!["a.b"], alice()),
        (json!("a.b"), Hierarchic, vec!["a"], missing()),
        (json!("a.*"), Wildcard, vec!["a.b.c"], alice()),
        (json!("a.*"), Wildcard, vec!["a"], missing()),
        (json!("x"), None, vec!["x"], missing()),
        (json!("x"), None, vec![], alice()),
    ] {
        let outcome = check(
            &claims_with("scope", scope.clone()),
            requiring(strategy, &required),
        );
        assert_eq!(outcome, expected, "{scope} {strategy:?} {required:?}");
    }
}

#[test]
fn the_session_shows_every_claim_and_the_scopes_as_a_list() {
    let key = rsa_key(0, "rsa");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let mut extra = |claims: Value| match verifier.check(
        &key.token("RS256", &claims),
        &rules(&[0], &[]),
        NOW,
    ) {
        Check::Verified(claims) => Value::Object(claims.extra.as_ref().clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        extra(json!({"sub": "alice", "scope": "x  y ", "n": {"m": [1, null]}})),
        json!({"sub": "alice", "scp": ["x", "y"], "n": {"m": [1, null]}})
    );
    assert_eq!(
        extra(json!({"scopes": ["b"], "scope": "a"})),
        json!({"scopes": ["b"], "scp": ["a"]})
    );
    assert_eq!(
        extra(json!({"scopes": ["b"], "scope": "a", "scp": "c"})),
        json!({"scopes": ["b"], "scope": "a", "scp": ["c"]})
    );
    assert_eq!(extra(json!({})), json!({"scp": []}));
}

#[test]
fn t23_a_refusal_says_nothing_of_what_the_token_holds() {
    let secret = "mallory-was-here";
    for claims in [
        format!(r#"{{"sub":"{secret}","exp":1}}"#),
        format!(r#"{{"sub":"{secret}","iss":"{secret}","scope":"{secret}","aud":"{secret}"}}"#),
        format!(r#"{{"sub":"{secret}","exp":"{secret}"}}"#),
    ] {
        let outcome = check_text(
            &claims,
            |rules| {
                rules.trusted_issuers = vec!["x".into()];
                rules.target_audience = vec!["x".into()];
            },
            NOW,
        );
        let Outcome::Rejected(error) = outcome else {
            panic!("{claims} was taken");
        };
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}
