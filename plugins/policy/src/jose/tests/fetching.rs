//! Key sets over time (T17, T19): rotation, outages, floods.

use std::time::Duration;

use serde_json::json;

use super::{
    super::{CacheLimits, FetchFault, TokenError, Verifier},
    support::{
        NOW, Outcome, TestKey, alice, claims, ec_key, empty_verifier, jwks, ok, outcome, rules,
        verifier,
    },
};
use crate::{FailedCall, FetchId, Reply, UnixTime, call::Response};

const SET: FetchId = FetchId(0);

fn after(seconds: f64) -> UnixTime {
    NOW.after(Duration::from_secs_f64(seconds))
}

fn check(verifier: &mut Verifier, key: &TestKey, now: UnixTime) -> Outcome {
    let token = key.token("ES256", &claims());
    outcome(verifier.check(&token, &rules(&[0], &["ES256"]), now))
}

fn unknown() -> Outcome {
    Outcome::Rejected(TokenError::UnknownKey)
}

fn unavailable() -> Outcome {
    Outcome::Rejected(TokenError::KeysUnavailable)
}

/// Makes the fetch that is due and answers it.
fn answer(verifier: &mut Verifier, reply: Reply, now: UnixTime) {
    let due = verifier.due(now);
    assert_eq!(due.len(), 1, "one fetch is due");
    verifier.fetched(due[0].0, reply, now);
}

fn status(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Ok(Response {
        status,
        headers: vec![("location".to_owned(), b"http://evil.test/keys".to_vec())],
        body: body.into(),
    })
}

#[test]
fn the_first_fetch_is_asked_for_once_and_requests_wait_for_it() {
    let key = ec_key("P-256", "k");
    let mut verifier = empty_verifier(1, CacheLimits::default());
    assert_eq!(check(&mut verifier, &key, NOW), Outcome::NeedKeys(SET));
    let due = verifier.due(NOW);
    let (fetch, call) = due.first().unwrap();
    assert_eq!(*fetch, SET);
    assert_eq!(&*call.origin, "http://id0.test");
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("GET", "/keys?a=1")
    );
    assert_eq!(
        call.headers,
        [("accept".to_owned(), b"application/json".to_vec())]
    );
    assert_eq!(call.timeout, Duration::from_secs(5));
    assert!(verifier.due(NOW).is_empty(), "single flight");
    assert_eq!(check(&mut verifier, &key, NOW), Outcome::NeedKeys(SET));
    verifier.fetched(SET, jwks(&[&key.jwk]), NOW);
    assert_eq!(check(&mut verifier, &key, NOW), alice());
    assert!(verifier.due(NOW).is_empty());
}

#[test]
fn t17_only_a_proper_key_set_is_ever_taken_for_one() {
    let key = ec_key("P-256", "k");
    let good = json!({"keys": [key.jwk]}).to_string();
    let too_many: Vec<_> = (0..65).map(|_| &key.jwk).collect();
    let replies = || {
        [
            (
                Err(FailedCall::Unreachable),
                FetchFault::Failed(FailedCall::Unreachable),
            ),
            (
                Err(FailedCall::TimedOut),
                FetchFault::Failed(FailedCall::TimedOut),
            ),
            (status(500, good.clone()), FetchFault::Status(500)),
            (status(302, good.clone()), FetchFault::Status(302)),
            (status(201, good.clone()), FetchFault::Status(201)),
            (status(404, "{}"), FetchFault::Status(404)),
            (ok(""), FetchFault::NotAKeySet),
            (
                ok("<!doctype html><title>Sign in</title>"),
                FetchFault::NotAKeySet,
            ),
            (ok("[]"), FetchFault::NotAKeySet),
            (ok("{}"), FetchFault::NotAKeySet),
            (ok(r#"{"keys":{}}"#), FetchFault::NotAKeySet),
            (ok(&good[..good.len() - 1]), FetchFault::NotAKeySet),
            (jwks(&too_many), FetchFault::NotAKeySet),
            (
                ok(format!("{good}{}", " ".repeat(10 << 20))),
                FetchFault::TooLarge,
            ),
            (ok("[".repeat(100_000)), FetchFault::NotAKeySet),
        ]
    };
    for (reply, fault) in replies() {
        let mut fresh = empty_verifier(1, CacheLimits::default());
        answer(&mut fresh, reply, NOW);
        assert_eq!(fresh.fault(SET), Some(fault));
        assert_eq!(check(&mut fresh, &key, NOW), unavailable(), "{fault:?}");
    }
    for (reply, fault) in replies() {
        let mut loaded = verifier(&[&[&key.jwk]]);
        answer(&mut loaded, reply, after(30.0));
        assert_eq!(loaded.fault(SET), Some(fault));
        assert_eq!(check(&mut loaded, &key, after(30.0)), alice(), "{fault:?}");
    }
}

#[test]
fn an_issuer_that_withdraws_every_key_is_heeded() {
    let key = ec_key("P-256", "k");
    for nothing in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"RSA"},7]}"#] {
        let mut verifier = verifier(&[&[&key.jwk]]);
        assert_eq!(check(&mut verifier, &key, after(29.0)), alice());
        answer(&mut verifier, ok(nothing), after(30.0));
        assert_eq!(verifier.fault(SET), Some(FetchFault::NoUsableKey));
        assert_eq!(
            check(&mut verifier, &key, after(30.0)),
            Outcome::NeedKeys(SET)
        );
        answer(&mut verifier, ok(nothing), after(30.1));
        assert_ne!(check(&mut verifier, &key, after(30.2)), alice());
        answer(&mut verifier, jwks(&[&key.jwk]), after(60.0));
        assert_eq!(check(&mut verifier, &key, after(60.0)), alice());
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_freeze_the_keys() {
    let (key, other) = (ec_key("P-256", "k"), ec_key("P-256", "l"));
    let mut verifier = empty_verifier(1, CacheLimits::default());
    answer(&mut verifier, jwks(&[&key.jwk]), after(6.0 * 3600.0));
    answer(&mut verifier, jwks(&[&other.jwk]), after(1.0));
    assert_eq!(check(&mut verifier, &other, after(1.0)), alice());
    assert_ne!(check(&mut verifier, &key, after(1.0)), alice());
}

#[test]
fn a_set_is_refreshed_before_its_time_is_up() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    assert!(verifier.due(after(23.0)).is_empty());
    assert_eq!(verifier.due(after(24.0)).len(), 1);
    assert!(verifier.due(after(24.5)).is_empty(), "single flight");
    // Requests do not wait for it.
    assert_eq!(check(&mut verifier, &key, after(24.5)), alice());
    verifier.fetched(SET, jwks(&[&key.jwk]), after(25.0));
    assert!(verifier.due(after(48.0)).is_empty());
    assert_eq!(verifier.due(after(49.0)).len(), 1);
}

#[test]
fn failed_fetches_are_retried_ever_more_slowly_up_to_a_limit() {
    let key = ec_key("P-256", "k");
    let mut verifier = empty_verifier(1, CacheLimits::default());
    let mut now = 0.0;
    for pause in [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0] {
        answer(&mut verifier, Err(FailedCall::Unreachable), after(now));
        assert_eq!(check(&mut verifier, &key, after(now)), unavailable());
        assert!(verifier.due(after(now + pause - 0.1)).is_empty());
        now += pause;
    }
    answer(&mut verifier, jwks(&[&key.jwk]), after(now));
    assert_eq!(verifier.fault(SET), None);
    assert_eq!(check(&mut verifier, &key, after(now)), alice());
}

#[test]
fn stale_keys_outlive_an_outage_but_not_for_ever() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    // Without `exp`, so that only the key's age counts.
    let token = key.token("ES256", &json!({"sub": "alice"}));
    let rules = rules(&[0], &["ES256"]);
    for hour in 1..=24 {
        let now = NOW.after(Duration::from_secs(hour * 3600));
        answer(&mut verifier, Err(FailedCall::Unreachable), now);
        assert_eq!(outcome(verifier.check(&token, &rules, now)), alice());
    }
    let too_old = NOW.after(Duration::from_secs(24 * 3600 + 20));
    assert_eq!(
        outcome(verifier.check(&token, &rules, too_old)),
        Outcome::NeedKeys(SET)
    );
    answer(&mut verifier, Err(FailedCall::Unreachable), too_old);
    assert_eq!(
        outcome(verifier.check(&token, &rules, too_old)),
        unavailable()
    );
}

#[test]
fn rotation_causes_no_false_rejection() {
    let old = ec_key("P-256", "old");
    let new = ec_key("P-256", "new");
    let mut verifier = verifier(&[&[&old.jwk]]);
    assert_eq!(check(&mut verifier, &old, after(1.0)), alice());
    // Tokens of the new key wait for one fetch, those of the old one do not.
    assert_eq!(
        check(&mut verifier, &new, after(1.0)),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(
        check(&mut verifier, &new, after(1.1)),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(verifier.due(after(1.1)).len(), 1);
    assert!(verifier.due(after(1.1)).is_empty(), "single flight");
    assert_eq!(
        check(&mut verifier, &new, after(1.2)),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(check(&mut verifier, &old, after(1.2)), alice());
    verifier.fetched(SET, jwks(&[&new.jwk, &old.jwk]), after(1.3));
    assert_eq!(check(&mut verifier, &new, after(1.3)), alice());
    assert_eq!(check(&mut verifier, &old, after(1.3)), alice());
}

#[test]
fn a_refresh_that_began_before_the_rotation_is_not_the_last_word() {
    let old = ec_key("P-256", "old");
    let new = ec_key("P-256", "new");
    let mut verifier = verifier(&[&[&old.jwk]]);
    assert_eq!(verifier.due(after(24.0)).len(), 1);
    assert_eq!(
        check(&mut verifier, &new, after(24.1)),
        Outcome::NeedKeys(SET)
    );
    verifier.fetched(SET, jwks(&[&old.jwk]), after(24.2));
    assert_eq!(
        check(&mut verifier, &new, after(24.2)),
        Outcome::NeedKeys(SET)
    );
    answer(&mut verifier, jwks(&[&old.jwk, &new.jwk]), after(24.3));
    assert_eq!(check(&mut verifier, &new, after(24.3)), alice());
}

#[test]
fn a_removed_key_verifies_no_longer_whatever_was_cached() {
    let old = ec_key("P-256", "old");
    let new = ec_key("P-256", "new");
    let mut verifier = verifier(&[&[&old.jwk, &new.jwk]]);
    assert_eq!(check(&mut verifier, &new, NOW), alice());
    let token = old.token("ES256", &claims());
    let rules = rules(&[0], &["ES256"]);
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
    answer(&mut verifier, jwks(&[&new.jwk]), after(30.0));
    assert_eq!(
        outcome(verifier.check(&token, &rules, after(30.0))),
        Outcome::NeedKeys(SET)
    );
    answer(&mut verifier, jwks(&[&new.jwk]), after(30.0));
    assert_eq!(
        outcome(verifier.check(&token, &rules, after(30.0))),
        unknown()
    );
}

#[test]
fn another_key_under_the_same_kid_replaces_the_former() {
    let first = ec_key("P-256", "k");
    let second = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&first.jwk]]);
    let token = first.token("ES256", &claims());
    let rules = rules(&[0], &["ES256"]);
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
    answer(&mut verifier, jwks(&[&second.jwk]), after(30.0));
    assert_eq!(
        outcome(verifier.check(&token, &rules, after(30.0))),
        Outcome::Rejected(TokenError::WrongSignature)
    );
    assert_eq!(check(&mut verifier, &second, after(30.0)), alice());
}

#[test]
fn t19_ten_thousand_invented_kids_cause_one_fetch_per_window() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let rules = rules(&[0], &["ES256"]);
    let mut fetches = 0;
    let mut last = 0.0;
    for number in 0..10_000_u32 {
        last = f64::from(number) * 0.00039;
        let header = json!({"alg": "ES256", "kid": format!("invented-{number}")});
        let token = format!(
            "{}.{}.AAAA",
            super::support::b64(header.to_string().as_bytes()),
            super::support::b64(b"{}")
        );
        let outcome = outcome(verifier.check(&token, &rules, after(last)));
        assert!(matches!(
            outcome,
            Outcome::NeedKeys(_) | Outcome::Rejected(_)
        ));
        for (fetch, _) in verifier.due(after(last)) {
            fetches += 1;
            verifier.fetched(fetch, jwks(&[&key.jwk]), after(last));
        }
    }
    assert!(last < 4.0, "two windows of two seconds");
    assert_eq!(fetches, 2);
    assert_eq!(check(&mut verifier, &key, after(last)), alice());
}

#[test]
fn a_kid_that_stays_unknown_asks_once() {
    let key = ec_key("P-256", "k");
    let stranger = ec_key("P-256", "stranger");
    let mut verifier = verifier(&[&[&key.jwk]]);
    assert_eq!(
        check(&mut verifier, &stranger, after(1.0)),
        Outcome::NeedKeys(SET)
    );
    answer(&mut verifier, jwks(&[&key.jwk]), after(1.0));
    for seconds in [1.0, 11.0, 20.0] {
        assert_eq!(check(&mut verifier, &stranger, after(seconds)), unknown());
        assert!(verifier.due(after(seconds)).is_empty(), "{seconds}");
    }
    // It does not keep another one from being asked for.
    let other = ec_key("P-256", "other");
    assert_eq!(
        check(&mut verifier, &other, after(20.0)),
        Outcome::NeedKeys(SET)
    );
    answer(&mut verifier, jwks(&[&key.jwk, &other.jwk]), after(20.0));
    assert_eq!(check(&mut verifier, &other, after(20.0)), alice());
    assert_eq!(check(&mut verifier, &stranger, after(20.0)), unknown());
    // Should it turn up after all, nothing stands in its way.
    answer(&mut verifier, jwks(&[&key.jwk, &stranger.jwk]), after(50.0));
    assert_eq!(check(&mut verifier, &stranger, after(50.0)), alice());
}

#[test]
fn an_unknown_kid_asks_every_set_of_the_handler_and_no_other() {
    let keys = ["a", "b", "c"].map(|kid| ec_key("P-256", kid));
    let stranger = ec_key("P-256", "stranger");
    let mut verifier = verifier(&[&[&keys[0].jwk], &[&keys[1].jwk], &[&keys[2].jwk]]);
    let rules = rules(&[0, 2], &["ES256"]);
    let token = stranger.token("ES256", &claims());
    assert_eq!(
        outcome(verifier.check(&token, &rules, after(1.0))),
        Outcome::NeedKeys(FetchId(0))
    );
    let due: Vec<_> = verifier
        .due(after(1.0))
        .into_iter()
        .map(|due| due.0)
        .collect();
    assert_eq!(due, [FetchId(0), FetchId(2)]);
    verifier.fetched(FetchId(0), jwks(&[&keys[0].jwk]), after(1.0));
    assert_eq!(
        outcome(verifier.check(&token, &rules, after(1.0))),
        Outcome::NeedKeys(FetchId(2))
    );
    verifier.fetched(FetchId(2), jwks(&[&stranger.jwk]), after(1.0));
    assert_eq!(outcome(verifier.check(&token, &rules, after(1.0))), alice());
}

#[test]
fn one_set_out_of_order_does_not_stop_the_keys_of_another() {
    let key = ec_key("P-256", "k");
    let mut verifier = empty_verifier(2, CacheLimits::default());
    assert_eq!(verifier.due(NOW).len(), 2);
    verifier.fetched(FetchId(0), Err(FailedCall::TimedOut), NOW);
    verifier.fetched(FetchId(1), jwks(&[&key.jwk]), NOW);
    let token = key.token("ES256", &claims());
    let rules = rules(&[0, 1], &["ES256"]);
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
}

#[test]
fn a_reply_nobody_asked_for_is_ignored() {
    let key = ec_key("P-256", "k");
    let attacker = ec_key("P-256", "evil");
    let mut verifier = verifier(&[&[&key.jwk]]);
    verifier.fetched(SET, jwks(&[&attacker.jwk]), NOW);
    verifier.fetched(FetchId(7), jwks(&[&attacker.jwk]), NOW);
    verifier.fetched(FetchId(u32::MAX), Err(FailedCall::NotSent), NOW);
    assert_eq!(check(&mut verifier, &key, NOW), alice());
    assert_eq!(check(&mut verifier, &attacker, NOW), Outcome::NeedKeys(SET));
}

#[test]
fn a_fetch_whose_end_is_never_told_does_not_block_for_ever() {
    let key = ec_key("P-256", "k");
    let mut verifier = empty_verifier(1, CacheLimits::default());
    assert_eq!(verifier.due(NOW).len(), 1);
    assert_eq!(
        check(&mut verifier, &key, after(35.0)),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(check(&mut verifier, &key, after(36.0)), unavailable());
    assert_eq!(verifier.fault(SET), Some(FetchFault::Lost));
    answer(&mut verifier, jwks(&[&key.jwk]), after(37.0));
    assert_eq!(check(&mut verifier, &key, after(37.0)), alice());
}

#[test]
fn t18_what_a_token_says_never_changes_where_keys_come_from() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let header = json!({"alg": "ES256", "kid": "http://evil.test/", "jku": "http://evil.test/"});
    let token = key.token_of(&header.to_string(), &claims().to_string());
    let _ = verifier.check(&token, &rules(&[0], &["ES256"]), after(1.0));
    let due = verifier.due(after(1.0));
    assert_eq!(due.len(), 1);
    assert_eq!(&*due[0].1.origin, "http://id0.test");
    assert_eq!(due[0].1.path, "/keys?a=1");
}
