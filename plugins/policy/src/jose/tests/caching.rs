//! The cache of verified tokens changes how long an answer takes, never the answer.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{
    super::{
        CacheLimits, Check, Claims, ScopeStrategy, TokenError, TokenRules, Verifier,
        cache::{Place, Signer, VerifiedTokens},
        jwk::KeyId,
    },
    support::{
        NOW, Outcome, TestKey, alice, claims, claims_with, ec_key, ed_key, jwks, outcome, rsa_key,
        rules, verifier, verifier_with,
    },
};
use crate::{FetchId, UnixTime};

fn verified(check: Check) -> Arc<Claims> {
    match check {
        Check::Verified(claims) => claims,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_repeated_token_is_not_read_again() {
    let key = ed_key("k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let rules = rules(&[0], &["EdDSA"]);
    let token = key.token("EdDSA", &claims());
    let first = verified(verifier.check(&token, &rules, NOW));
    let second = verified(verifier.check(&token, &rules, NOW));
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_token_that_differs_anywhere_is_another_token() {
    let key = rsa_key(0, "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let rules = rules(&[0], &[]);
    let token = key.token("RS256", &claims());
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
    // Same length, same signature, so the same place in the cache; another subject.
    let other = key.token("RS256", &claims_with("sub", json!("admin")));
    let (_, signature) = token.rsplit_once('.').unwrap();
    let (message, _) = other.rsplit_once('.').unwrap();
    let forged = format!("{message}.{signature}");
    assert_eq!(token.len(), forged.len());
    assert_eq!(
        outcome(verifier.check(&forged, &rules, NOW)),
        Outcome::Rejected(TokenError::WrongSignature)
    );
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
}

#[test]
fn a_cached_token_still_expires() {
    let key = ed_key("k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let rules = rules(&[0], &["EdDSA"]);
    let token = key.token("EdDSA", &claims());
    assert_eq!(outcome(verifier.check(&token, &rules, NOW)), alice());
    let expiry = NOW.after(Duration::from_secs(3600));
    for _ in 0..2 {
        assert_eq!(
            outcome(verifier.check(&token, &rules, expiry)),
            Outcome::Rejected(TokenError::Expired)
        );
    }
}

/// Every state of the world that the property below walks through, twice: with a cache and without.
struct World {
    verifiers: [Verifier; 2],
    now: UnixTime,
}

impl World {
    fn check(&mut self, token: &str, rules: &TokenRules) -> [Outcome; 2] {
        let now = self.now;
        self.verifiers
            .each_mut()
            .map(|verifier| outcome(verifier.check(token, rules, now)))
    }

    /// Answers what is due with `keys` for both sets, or with a failure.
    fn fetch(&mut self, keys: &[[Option<&TestKey>; 2]; 2]) {
        for verifier in &mut self.verifiers {
            for (fetch, _) in verifier.due(self.now) {
                let set = &keys[fetch.0 as usize];
                let published: Vec<_> = set.iter().flatten().map(|key| &key.jwk).collect();
                verifier.fetched(fetch, jwks(&published), self.now);
            }
        }
    }
}

fn tokens(keys: &[TestKey]) -> Vec<String> {
    let now = NOW.as_secs();
    let bodies = [
        claims(),
        claims_with("exp", json!(now + 40)),
        claims_with("exp", json!(now + 400)),
        claims_with("nbf", json!(now + 100)),
        claims_with("iss", json!("https://other.test")),
        claims_with("aud", json!("b")),
        claims_with("scope", json!("x.*")),
        claims_with("exp", json!("soon")),
    ];
    let mut tokens: Vec<_> = keys
        .iter()
        .flat_map(|key| bodies.iter().map(|body| key.token("EdDSA", body)))
        .collect();
    let anonymous = json!({"alg": "EdDSA"}).to_string();
    tokens.push(keys[0].token_of(&anonymous, &claims().to_string()));
    let forged = tokens[1].clone();
    let (message, _) = forged.rsplit_once('.').unwrap();
    let (_, signature) = tokens[2].rsplit_once('.').unwrap();
    tokens.push(format!("{message}.{signature}"));
    tokens
}

fn handlers() -> Vec<TokenRules> {
    let changes: [fn(&mut TokenRules); 9] = [
        |_| {},
        |rules| rules.key_sets = [FetchId(1)].into(),
        |rules| rules.key_sets = [FetchId(0), FetchId(1)].into(),
        |rules| rules.trusted_issuers = vec!["https://id.test".to_owned()],
        |rules| rules.target_audience = vec!["a".to_owned()],
        |rules| {
            rules.required_scope = vec!["x.z".to_owned()];
            rules.scope_strategy = ScopeStrategy::Wildcard;
        },
        |rules| rules.leeway = Duration::from_secs(30),
        |rules| rules.allow_missing_kid = true,
        |rules| rules.algorithms = super::super::Algorithms::default(),
    ];
    changes
        .iter()
        .map(|change| {
            let mut handler = rules(&[0], &["EdDSA"]);
            change(&mut handler);
            handler
        })
        .collect()
}

#[test]
fn answers_are_the_same_with_and_without_the_cache() {
    let keys = [ed_key("a"), ed_key("b"), ed_key("a")];
    let tokens = tokens(&keys);
    let handlers = handlers();
    let published = [
        [[Some(&keys[0]), None], [Some(&keys[1]), None]],
        [[Some(&keys[0]), Some(&keys[1])], [Some(&keys[2]), None]],
        [[Some(&keys[2]), None], [Some(&keys[0]), Some(&keys[2])]],
        [[None, None], [None, None]],
    ];
    // Room for a handful, so that eviction takes part.
    let small = CacheLimits {
        entries: 12,
        bytes: 64 * 1024,
    };
    let first: &[&[&serde_json::Value]] = &[&[&keys[0].jwk], &[&keys[1].jwk]];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let mut verified = 0;
    for _ in 0..8 {
        let mut world = World {
            verifiers: [
                verifier_with(first, small),
                verifier_with(first, CacheLimits::OFF),
            ],
            now: NOW,
        };
        let mut now_published = 0;
        for _ in 0..600 {
            match random(16) {
                0 => world.now = world.now.after(Duration::from_secs(random(20) as u64)),
                1 => now_published = random(published.len()),
                2 => world.fetch(&published[now_published]),
                _ => {
                    let token = &tokens[random(tokens.len())];
                    let [cached, plain] = world.check(token, &handlers[random(handlers.len())]);
                    assert_eq!(cached, plain);
                    verified += usize::from(matches!(plain, Outcome::Verified(_)));
                }
            }
        }
    }
    assert!(verified > 100, "the walk verified {verified} tokens");
}

fn some_claims() -> Arc<Claims> {
    let key = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let token = key.token("ES256", &claims());
    verified(verifier.check(&token, &rules(&[0], &["ES256"]), NOW))
}

fn signer(key: u64) -> Signer {
    Signer {
        key_set: FetchId(0),
        key: KeyId(key),
        algorithm: jsonwebtoken::Algorithm::RS256,
        named_by_token: true,
        states_use: true,
    }
}

#[test]
fn both_limits_hold_and_what_is_used_stays() {
    let claims = some_claims();
    let rules = rules(&[0], &[]);
    let limits = CacheLimits {
        entries: 100,
        bytes: 150_000,
    };
    let mut cache = VerifiedTokens::new(limits);
    let favourite = "favourite";
    let place = |token: &str| Place::of(token, &rules);
    cache.insert(place(favourite), favourite, &rules, signer(1), &claims);
    for number in 0..10_000 {
        let token = format!("{number}-{}", "x".repeat(number % 700));
        cache.insert(place(&token), &token, &rules, signer(1), &claims);
        assert!(cache.get(place(&token), &token, &rules).is_some());
        assert!(cache.get(place(favourite), favourite, &rules).is_some());
        let (entries, bytes) = cache.size();
        assert!(entries <= limits.entries && bytes <= limits.bytes);
    }
    let (entries, _) = cache.size();
    assert!(entries > 20);
    let huge = "x".repeat(80_000);
    cache.insert(place(&huge), &huge, &rules, signer(1), &claims);
    assert!(cache.get(place(&huge), &huge, &rules).is_none());
}

#[test]
fn tokens_leave_with_their_key() {
    let claims = some_claims();
    let rules = rules(&[0], &[]);
    let mut cache = VerifiedTokens::new(CacheLimits::default());
    for (token, key) in [("a", 1), ("b", 2), ("c", 1)] {
        cache.insert(
            Place::of(token, &rules),
            token,
            &rules,
            signer(key),
            &claims,
        );
    }
    let (_, before) = cache.size();
    cache.remove_signed_by(&[KeyId(1)]);
    let (entries, bytes) = cache.size();
    assert_eq!((entries, bytes), (1, before / 3));
    assert!(cache.get(Place::of("b", &rules), "b", &rules).is_some());
}

#[test]
fn claims_are_weighed_as_they_lie_in_memory() {
    let key = ed_key("k");
    let limits = CacheLimits {
        entries: 100,
        bytes: 64 * 1024,
    };
    let mut verifier = verifier_with(&[&[&key.jwk]], limits);
    let rules = rules(&[0], &["EdDSA"]);
    // 6 KB of text, some 200 KB in memory.
    let dense = claims_with("x", vec![json!(0); 3000].into());
    let token = key.token("EdDSA", &dense);
    let first = verified(verifier.check(&token, &rules, NOW));
    let second = verified(verifier.check(&token, &rules, NOW));
    assert!(!Arc::ptr_eq(&first, &second), "too large to be kept");
}
