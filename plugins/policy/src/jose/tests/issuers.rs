//! Keys that belong to an issuer (T15, T18), and where an issuer says that they are (T17, T18).

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        CacheLimits, Discovery, FetchFault, InlineKeys, IssuerRules, KeySetSettings, KeySets,
        KeySource, Presentation, TokenError, Trust, Verifier,
    },
    support::{
        NOW, Outcome, TestKey, alice, claims_with, ec_key, empty_verifier, jwks, ok, outcome,
        rules, verifier,
    },
};
use crate::{FailedCall, FetchId, Reply, UnixTime, call::Endpoint, call::Response};

fn after(seconds: u64) -> UnixTime {
    NOW.after(Duration::from_secs(seconds))
}

/// Issuers `a`, `b`, … with the key sets of these numbers.
fn trust(sets: &[u32]) -> Trust {
    let issuers = sets.iter().zip(["a", "b", "c"]);
    Trust::ByIssuer(
        issuers
            .map(|(set, issuer)| IssuerRules::new(issuer, rules(&[*set], &["ES256"])))
            .collect(),
    )
}

fn check(verifier: &mut Verifier, token: &str, trust: &Trust, now: UnixTime) -> Outcome {
    outcome(verifier.check_presented(token, trust, &Presentation::default(), now))
}

fn token(key: &TestKey, issuer: &str) -> String {
    key.token("ES256", &claims_with("iss", json!(issuer)))
}

#[test]
fn t15_a_key_verifies_tokens_of_its_own_issuer_only() {
    // The same `kid` in both sets: nothing but the issuer tells the keys apart (CVE-2026-49998).
    let (a, b) = (ec_key("P-256", "k"), ec_key("P-256", "k"));
    let mut verifier = verifier(&[&[&a.jwk], &[&b.jwk]]);
    let trust = trust(&[0, 1]);
    // Twice: what is remembered must say the same.
    for _ in 0..2 {
        for (key, issuer, expected) in [
            (&a, "a", alice()),
            (&b, "b", alice()),
            (&a, "b", Outcome::Rejected(TokenError::WrongSignature)),
            (&b, "a", Outcome::Rejected(TokenError::WrongSignature)),
        ] {
            let found = check(&mut verifier, &token(key, issuer), &trust, NOW);
            assert_eq!(found, expected, "{issuer}");
        }
    }
}

#[test]
fn t15_issuers_that_share_a_key_set_keep_their_own_rules() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let mut strict = rules(&[0], &["ES256"]);
    strict.audiences = vec!["nobody".to_owned()];
    let trust = Trust::ByIssuer(vec![
        IssuerRules::new("a", strict),
        IssuerRules::new("b", rules(&[0], &["ES256"])),
    ]);
    for _ in 0..2 {
        assert_eq!(
            check(&mut verifier, &token(&key, "b"), &trust, NOW),
            alice()
        );
        assert_eq!(
            check(&mut verifier, &token(&key, "a"), &trust, NOW),
            Outcome::Rejected(TokenError::WrongAudience)
        );
    }
}

#[test]
fn t18_an_unknown_issuer_is_refused_and_nothing_is_fetched() {
    let key = ec_key("P-256", "new");
    let known = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&known.jwk]]);
    for issuer in [
        json!("https://evil.test"),
        json!("A"),
        json!("a/"),
        json!(""),
        Value::Null,
    ] {
        let token = key.token("ES256", &claims_with("iss", issuer));
        let found = check(&mut verifier, &token, &trust(&[0]), after(1));
        assert!(matches!(found, Outcome::Rejected(_)), "{found:?}");
        assert!(verifier.due(after(1)).is_empty());
    }
}

#[test]
fn t21_an_issuer_that_is_not_one_string_chooses_nothing() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let header = json!({"alg": "ES256", "kid": "k"}).to_string();
    for claims in [
        r#"{"iss":["a"],"sub":"alice"}"#,
        r#"{"iss":{"a":1},"sub":"alice"}"#,
        r#"{"iss":1,"sub":"alice"}"#,
        r#"{"iss":"a","iss":"b","sub":"alice"}"#,
        r#"{"iss":"b","iss":"a","sub":"alice"}"#,
        r#"{"sub":"alice"}"#,
        "[]",
        "",
    ] {
        let token = key.token_of(&header, claims);
        let found = check(&mut verifier, &token, &trust(&[0]), NOW);
        assert!(matches!(found, Outcome::Rejected(_)), "{claims}");
    }
}

#[test]
fn one_of_the_audiences_is_enough() {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    for (audiences, expected) in [
        (vec!["b", "x"], alice()),
        (vec!["x"], Outcome::Rejected(TokenError::WrongAudience)),
        (vec![], alice()),
    ] {
        let mut rules = rules(&[0], &["ES256"]);
        rules.audiences = audiences.into_iter().map(str::to_owned).collect();
        let trust = Trust::ByIssuer(vec![IssuerRules::new("a", rules)]);
        assert_eq!(
            check(&mut verifier, &token(&key, "a"), &trust, NOW),
            expected
        );
    }
}

#[test]
fn keys_in_the_configuration_are_never_fetched() {
    let (key, stranger) = (ec_key("P-256", "k"), ec_key("P-256", "stranger"));
    let inline = InlineKeys::read(&json!({"keys": [key.jwk]})).unwrap();
    let _ = empty_verifier(0, CacheLimits::OFF);
    let sets = KeySets::new([KeySource::Inline(inline)], KeySetSettings::default());
    let mut verifier = Verifier::new(sets, CacheLimits::default(), [7; 32]);
    for now in [NOW, after(10_000_000)] {
        let mut rules = rules(&[0], &["ES256"]);
        rules.leeway = Duration::from_secs(20_000_000);
        assert_eq!(
            outcome(verifier.check(&token(&key, "a"), &rules, now)),
            alice()
        );
        assert_eq!(
            outcome(verifier.check(&token(&stranger, "a"), &rules, now)),
            Outcome::Rejected(TokenError::UnknownKey)
        );
        assert!(verifier.due(now).is_empty());
    }
    for nothing in [
        json!({"keys": []}),
        json!({}),
        json!([]),
        json!("x"),
        json!({"keys": [{"kty": "RSA"}]}),
    ] {
        assert!(InlineKeys::read(&nothing).is_err(), "{nothing}");
    }
}

const ISSUER: &str = "https://id.test/realm";

/// A verifier of one key set that the metadata of [`ISSUER`] points to.
fn discovering() -> Verifier {
    let _ = empty_verifier(0, CacheLimits::OFF);
    let discovery = Discovery {
        document: Endpoint::parse(&Discovery::openid_url(ISSUER)).unwrap(),
        issuer: ISSUER.to_owned(),
        origins: vec!["https://id.test".into(), "https://keys.test".into()],
    };
    let sets = KeySets::new([KeySource::Discovery(discovery)], KeySetSettings::default());
    Verifier::new(sets, CacheLimits::default(), [7; 32])
}

fn discovered() -> Trust {
    Trust::ByIssuer(vec![IssuerRules::new(ISSUER, rules(&[0], &["ES256"]))])
}

fn metadata(jwks_uri: &str) -> Reply {
    ok(json!({"issuer": ISSUER, "jwks_uri": jwks_uri, "x": 1}).to_string())
}

/// The URL of the one call that is due.
fn due(verifier: &mut Verifier, now: UnixTime) -> Option<String> {
    let mut due = verifier.due(now);
    assert!(due.len() <= 1);
    let (_, call) = due.pop()?;
    Some(format!("{}{}", call.origin, call.path))
}

const DOCUMENT: &str = "https://id.test/realm/.well-known/openid-configuration";
const SET: FetchId = FetchId(0);

#[test]
fn keys_are_found_through_the_metadata_in_two_steps() {
    let key = ec_key("P-256", "k");
    let token = token(&key, ISSUER);
    let mut verifier = discovering();
    let trust = discovered();
    assert_eq!(
        check(&mut verifier, &token, &trust, NOW),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(due(&mut verifier, NOW).as_deref(), Some(DOCUMENT));
    assert_eq!(due(&mut verifier, NOW), None, "single flight");
    verifier.fetched(SET, metadata("https://keys.test/jwks?x=1"), NOW);
    assert_eq!(
        check(&mut verifier, &token, &trust, NOW),
        Outcome::NeedKeys(SET)
    );
    assert_eq!(
        due(&mut verifier, NOW).as_deref(),
        Some("https://keys.test/jwks?x=1")
    );
    verifier.fetched(SET, jwks(&[&key.jwk]), NOW);
    assert_eq!(check(&mut verifier, &token, &trust, NOW), alice());
    // A refresh goes to the keys; the metadata is read again after an hour.
    assert_eq!(
        due(&mut verifier, after(30)).as_deref(),
        Some("https://keys.test/jwks?x=1")
    );
    verifier.fetched(SET, jwks(&[&key.jwk]), after(30));
    assert_eq!(due(&mut verifier, after(3600)).as_deref(), Some(DOCUMENT));
    assert_eq!(check(&mut verifier, &token, &trust, after(3500)), alice());
}

#[test]
fn t17_metadata_that_is_not_the_issuers_brings_no_keys() {
    let key = ec_key("P-256", "k");
    let token = token(&key, ISSUER);
    let text = |value: Value| ok(value.to_string());
    for (reply, fault) in [
        (
            Err(FailedCall::TimedOut),
            FetchFault::Failed(FailedCall::TimedOut),
        ),
        (
            Ok(Response {
                status: 302,
                headers: vec![("location".to_owned(), b"https://evil.test/".to_vec())],
                body: Vec::new(),
            }),
            FetchFault::Status(302),
        ),
        (ok("<html>"), FetchFault::NotMetadata),
        (ok(""), FetchFault::NotMetadata),
        (text(json!([])), FetchFault::NotMetadata),
        (text(json!({"issuer": ISSUER})), FetchFault::NotMetadata),
        (
            ok(format!(
                r#"{{"issuer":"{ISSUER}","jwks_uri":"https://id.test/k","jwks_uri":"https://id.test/l"}}"#
            )),
            FetchFault::NotMetadata,
        ),
        (
            text(json!({"issuer": "https://id.test/realm/", "jwks_uri": "https://id.test/k"})),
            FetchFault::OtherIssuer,
        ),
        (
            text(json!({"issuer": "https://evil.test", "jwks_uri": "https://id.test/k"})),
            FetchFault::OtherIssuer,
        ),
        (ok(vec![b' '; 10 << 20]), FetchFault::TooLarge),
        (
            metadata("https://evil.test/keys"),
            FetchFault::ForeignOrigin,
        ),
        (metadata("http://id.test/keys"), FetchFault::ForeignOrigin),
        (
            metadata("https://id.test:8443/keys"),
            FetchFault::ForeignOrigin,
        ),
        (
            metadata("https://id.test@evil.test/"),
            FetchFault::ForeignOrigin,
        ),
        (metadata("file:///etc/keys"), FetchFault::ForeignOrigin),
        (metadata("/keys"), FetchFault::ForeignOrigin),
    ] {
        let mut verifier = discovering();
        assert_eq!(due(&mut verifier, NOW).as_deref(), Some(DOCUMENT));
        verifier.fetched(SET, reply, NOW);
        assert_eq!(verifier.fault(SET), Some(fault));
        assert_eq!(due(&mut verifier, NOW), None, "{fault:?}");
        assert_eq!(
            check(&mut verifier, &token, &discovered(), NOW),
            Outcome::Rejected(TokenError::KeysUnavailable)
        );
    }
}

#[test]
fn when_the_keys_have_moved_the_metadata_is_asked_again_and_old_keys_serve_meanwhile() {
    let key = ec_key("P-256", "k");
    let token = token(&key, ISSUER);
    let (mut verifier, trust) = (discovering(), discovered());
    due(&mut verifier, NOW).unwrap();
    verifier.fetched(SET, metadata("https://id.test/one"), NOW);
    due(&mut verifier, NOW).unwrap();
    verifier.fetched(SET, jwks(&[&key.jwk]), NOW);
    assert_eq!(
        due(&mut verifier, after(25)).as_deref(),
        Some("https://id.test/one")
    );
    verifier.fetched(SET, Err(FailedCall::Unreachable), after(25));
    assert_eq!(check(&mut verifier, &token, &trust, after(25)), alice());
    assert_eq!(due(&mut verifier, after(26)).as_deref(), Some(DOCUMENT));
    verifier.fetched(SET, metadata("https://keys.test/two"), after(26));
    assert_eq!(check(&mut verifier, &token, &trust, after(26)), alice());
    assert_eq!(
        due(&mut verifier, after(26)).as_deref(),
        Some("https://keys.test/two")
    );
    verifier.fetched(SET, jwks(&[&key.jwk]), after(26));
    assert_eq!(verifier.fault(SET), None);
}

#[test]
fn t19_invented_kids_cause_one_fetch_per_window_through_metadata_too() {
    let key = ec_key("P-256", "k");
    let (mut verifier, trust) = (discovering(), discovered());
    due(&mut verifier, NOW).unwrap();
    verifier.fetched(SET, metadata("https://id.test/k"), NOW);
    due(&mut verifier, NOW).unwrap();
    verifier.fetched(SET, jwks(&[&key.jwk]), NOW);
    let mut fetches = 0;
    for number in 0..10_000 {
        let header = json!({"alg": "ES256", "kid": format!("k{number}")}).to_string();
        let claims = claims_with("iss", json!(ISSUER)).to_string();
        let token = format!(
            "{}.x",
            key.token_of(&header, &claims).rsplit_once('.').unwrap().0
        );
        check(&mut verifier, &token, &trust, after(1));
        if due(&mut verifier, after(1)).is_some() {
            fetches += 1;
            verifier.fetched(SET, jwks(&[&key.jwk]), after(1));
        }
    }
    assert_eq!(fetches, 1);
}
