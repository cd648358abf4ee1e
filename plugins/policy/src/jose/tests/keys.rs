//! Which key may verify which token (T14, T15, T18, A04).

use serde_json::{Value, json};

use super::{
    super::TokenError,
    support::{
        NOW, Outcome, TestKey, alice, b64, claims, ec_key, ed_key, outcome, rsa_key,
        rsa_public_der, rules, secret_key, verifier,
    },
};

const ALL: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "HS256", "HS384",
    "HS512", "EdDSA",
];

/// Checks `token` against a set of one key with every algorithm allowed.
fn check(token: &str, jwk: &Value) -> Outcome {
    let mut verifier = verifier(&[&[jwk]]);
    outcome(verifier.check(token, &rules(&[0], &ALL), NOW))
}

fn rejected(error: TokenError) -> Outcome {
    Outcome::Rejected(error)
}

fn keys_of_every_kind() -> Vec<(TestKey, Vec<&'static str>)> {
    vec![
        (
            rsa_key(0, "rsa"),
            vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
        ),
        (ec_key("P-256", "p256"), vec!["ES256"]),
        (ec_key("P-384", "p384"), vec!["ES384"]),
        (ed_key("ed"), vec!["EdDSA"]),
        (
            secret_key(&[7; 64], "secret"),
            vec!["HS256", "HS384", "HS512"],
        ),
    ]
}

#[test]
fn every_algorithm_verifies_with_its_own_kind_of_key() {
    for (key, algorithms) in keys_of_every_kind() {
        for algorithm in algorithms {
            let token = key.token(algorithm, &claims());
            assert_eq!(check(&token, &key.jwk), alice(), "{algorithm}");
            let place = token.len() - 20;
            let other = if &token[place..=place] == "A" {
                "B"
            } else {
                "A"
            };
            let mut forged = token.clone();
            forged.replace_range(place..=place, other);
            assert_eq!(
                check(&forged, &key.jwk),
                rejected(TokenError::WrongSignature),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn t14_no_key_verifies_an_algorithm_of_another_kind() {
    for (key, own) in keys_of_every_kind() {
        for algorithm in ALL.iter().filter(|algorithm| !own.contains(algorithm)) {
            let token = key.token(algorithm, &claims());
            assert_eq!(
                check(&token, &key.jwk),
                rejected(TokenError::UnfitKey),
                "{algorithm} with {}",
                key.kid()
            );
        }
    }
}

#[test]
fn t14_a_public_rsa_key_is_never_an_hmac_secret() {
    let rsa = rsa_key(0, "rsa");
    let modulus = rsa.jwk["n"].as_str().unwrap().as_bytes().to_vec();
    for secret in [rsa_public_der(0), modulus, rsa.jwk.to_string().into_bytes()] {
        let attacker = secret_key(&secret, "rsa");
        for algorithm in ["HS256", "HS384", "HS512"] {
            let token = attacker.token(algorithm, &claims());
            assert_eq!(check(&token, &rsa.jwk), rejected(TokenError::UnfitKey));
        }
    }
}

#[test]
fn t14_unsigned_tokens_are_refused_however_none_is_spelt() {
    let key = rsa_key(0, "rsa");
    for none in ["none", "nOnE", "None", "NONE", "", "none "] {
        let header = json!({"alg": none, "kid": "rsa"}).to_string();
        let message = format!("{}.{}", b64(header.as_bytes()), b64(b"{\"sub\":\"alice\"}"));
        for token in [format!("{message}."), format!("{message}.AAAA")] {
            assert_eq!(
                check(&token, &key.jwk),
                rejected(TokenError::AlgorithmNotAllowed),
                "{none}"
            );
        }
    }
    let token = key.token("RS256", &claims());
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(
        check(&format!("{message}."), &key.jwk),
        rejected(TokenError::WrongSignature)
    );
}

#[test]
fn only_the_algorithms_of_the_handler_count() {
    let key = rsa_key(0, "rsa");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let rs512 = key.token("RS512", &claims());
    assert_eq!(
        outcome(verifier.check(&rs512, &rules(&[0], &[]), NOW)),
        rejected(TokenError::AlgorithmNotAllowed)
    );
    assert_eq!(
        outcome(verifier.check(&rs512, &rules(&[0], &["RS512"]), NOW)),
        alice()
    );
}

#[test]
fn t14_what_a_jwk_says_of_its_purpose_is_respected() {
    let key = rsa_key(0, "rsa");
    let token = key.token("RS256", &claims());
    let other = rsa_key(1, "other");
    for (member, value, expected) in [
        ("alg", json!("RS256"), alice()),
        ("alg", json!("RS512"), rejected(TokenError::UnfitKey)),
        ("alg", json!("PS256"), rejected(TokenError::UnfitKey)),
        ("alg", json!("HS256"), rejected(TokenError::UnfitKey)),
        ("use", Value::Null, rejected(TokenError::UnfitKey)),
        ("key_ops", json!(["verify"]), alice()),
        ("key_ops", json!(["sign", "verify"]), alice()),
    ] {
        let outcome = check(&token, &key.jwk_with(member, value.clone()));
        assert_eq!(outcome, expected, "{member}: {value}");
    }
    // These are no keys for signatures at all, so the `kid` is as good as unknown.
    for (member, value) in [
        ("use", json!("enc")),
        ("use", json!("SIG")),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!("none")),
        ("kty", json!("EC")),
        ("kty", json!("rsa")),
        ("kty", Value::Null),
    ] {
        let jwk = key.jwk_with(member, value.clone());
        let mut verifier = verifier(&[&[&other.jwk, &jwk]]);
        assert_eq!(
            outcome(verifier.check(&token, &rules(&[0], &ALL), NOW)),
            Outcome::NeedKeys(crate::FetchId(0)),
            "{member}: {value}"
        );
    }
}

#[test]
fn a_missing_use_or_kid_is_accepted_only_where_the_handler_says_so() {
    let key = rsa_key(0, "rsa");
    let without_use = key.jwk_with("use", Value::Null);
    let mut verifier_without_use = verifier(&[&[&without_use]]);
    let mut relaxed = rules(&[0], &[]);
    relaxed.allow_missing_use = true;
    let token = key.token("RS256", &claims());
    assert_eq!(
        outcome(verifier_without_use.check(&token, &relaxed, NOW)),
        alice()
    );
    // The strict handler is not fooled by what the relaxed one has verified.
    assert_eq!(
        outcome(verifier_without_use.check(&token, &rules(&[0], &[]), NOW)),
        rejected(TokenError::UnfitKey)
    );

    let stranger = rsa_key(1, "stranger");
    let mut verifier = verifier(&[&[&stranger.jwk, &key.jwk]]);
    let token = key.token_of("{\"alg\":\"RS256\"}", &claims().to_string());
    let mut relaxed = rules(&[0], &[]);
    relaxed.allow_missing_kid = true;
    assert_eq!(outcome(verifier.check(&token, &relaxed, NOW)), alice());
    assert_eq!(
        outcome(verifier.check(&token, &rules(&[0], &[]), NOW)),
        rejected(TokenError::MissingKeyId)
    );
}

#[test]
fn t22_keys_that_are_too_weak_or_odd_verify_nothing() {
    let key = rsa_key(0, "rsa");
    let good = ec_key("P-256", "other");
    let modulus = |bytes: usize, last: u8| {
        let mut modulus = vec![0xc5; bytes];
        modulus[bytes - 1] = last;
        json!(b64(&modulus))
    };
    let big_exponent = {
        let mut exponent = vec![0x40];
        exponent.extend([0; 254]);
        exponent.push(1);
        json!(b64(&exponent))
    };
    let p256 = ec_key("P-256", "rsa");
    let cases = [
        key.jwk_with("n", modulus(128, 1)),
        key.jwk_with("n", modulus(255, 1)),
        key.jwk_with("n", modulus(2048, 1)),
        key.jwk_with("n", modulus(256, 2)),
        key.jwk_with("n", json!("")),
        key.jwk_with("n", json!("!!!")),
        key.jwk_with("n", json!(7)),
        key.jwk_with("e", json!("AQ")),
        key.jwk_with("e", json!("AAAA")),
        key.jwk_with("e", json!("Ag")),
        key.jwk_with("e", json!("AQAA")),
        key.jwk_with("e", big_exponent),
        key.jwk_with("e", Value::Null),
        ec_key("P-521", "rsa").jwk,
        p256.jwk_with("x", json!(b64(&[1; 31]))),
        p256.jwk_with("y", json!(b64(&[1; 33]))),
        p256.jwk_with("crv", json!("P-384")),
        p256.jwk_with("crv", json!("secp256k1")),
        ed_key("rsa").jwk_with("x", json!(b64(&[1; 31]))),
        ed_key("rsa").jwk_with("crv", json!("X25519")),
        json!({"kty": "AKP", "kid": "rsa", "use": "sig", "alg": "ML-DSA-44", "pub": "AAAA"}),
        json!({"kid": "rsa"}),
        json!("rsa"),
        json!([["rsa"]]),
        Value::Null,
    ];
    for jwk in cases {
        let mut verifier = verifier(&[&[&good.jwk, &jwk]]);
        for algorithm in ["RS256", "ES256", "EdDSA"] {
            let token = key.token(algorithm, &claims());
            let outcome = outcome(verifier.check(&token, &rules(&[0], &ALL), NOW));
            assert!(!matches!(outcome, Outcome::Verified(_)), "{jwk}");
            assert_ne!(outcome, rejected(TokenError::WrongSignature), "{jwk}");
        }
        // One bad key does not spoil the set.
        let token = good.token("ES256", &claims());
        assert_eq!(
            outcome(verifier.check(&token, &rules(&[0], &ALL), NOW)),
            alice(),
            "{jwk}"
        );
    }
}

#[test]
fn a_point_off_the_curve_verifies_nothing() {
    let key = ec_key("P-256", "p256");
    let jwk = key.jwk_with("y", json!(b64(&[9; 32])));
    let token = key.token("ES256", &claims());
    assert_eq!(check(&token, &jwk), rejected(TokenError::WrongSignature));
}

#[test]
fn a_secret_must_be_as_long_as_its_hash() {
    for (length, algorithm, expected) in [
        (31, "HS256", rejected(TokenError::UnfitKey)),
        (0, "HS256", rejected(TokenError::UnfitKey)),
        (32, "HS256", alice()),
        (47, "HS384", rejected(TokenError::UnfitKey)),
        (63, "HS512", rejected(TokenError::UnfitKey)),
        (64, "HS512", alice()),
    ] {
        let key = secret_key(&vec![7; length], "secret");
        let token = key.token(algorithm, &claims());
        assert_eq!(check(&token, &key.jwk), expected, "{algorithm} {length}");
    }
}

#[test]
fn private_keys_are_reduced_to_their_public_part() {
    let key = rsa_key(0, "rsa");
    let jwk = key.jwk_with("d", json!("c2VjcmV0LXNlY3JldC1zZWNyZXQ"));
    let mut verifier = verifier(&[&[&jwk]]);
    let token = key.token("RS256", &claims());
    assert_eq!(
        outcome(verifier.check(&token, &rules(&[0], &[]), NOW)),
        alice()
    );
    let held = format!("{verifier:?}");
    assert!(!held.contains("c2VjcmV0") && !held.contains("secret-secret"));
}

#[test]
fn t15_the_same_kid_in_another_key_set_does_not_count() {
    let ours = rsa_key(0, "same");
    let theirs = rsa_key(1, "same");
    let mut verifier = verifier(&[&[&ours.jwk], &[&theirs.jwk]]);
    let token = theirs.token("RS256", &claims());
    for _ in 0..2 {
        assert_eq!(
            outcome(verifier.check(&token, &rules(&[1], &[]), NOW)),
            alice()
        );
        assert_eq!(
            outcome(verifier.check(&token, &rules(&[0], &[]), NOW)),
            rejected(TokenError::WrongSignature)
        );
        // A handler that trusts both sets accepts either key under that name.
        assert_eq!(
            outcome(verifier.check(&token, &rules(&[0, 1], &[]), NOW)),
            alice()
        );
    }
}

#[test]
fn t18_a_token_cannot_bring_or_point_to_its_key() {
    let ours = rsa_key(0, "rsa");
    let attacker = rsa_key(1, "rsa");
    let header = json!({"alg": "RS256", "kid": "rsa", "jwk": attacker.jwk,
                        "jku": "http://evil.test/keys", "x5u": "http://evil.test/cert"});
    let token = attacker.token_of(&header.to_string(), &claims().to_string());
    let mut verifier = verifier(&[&[&ours.jwk]]);
    assert_eq!(
        outcome(verifier.check(&token, &rules(&[0], &[]), NOW)),
        rejected(TokenError::WrongSignature)
    );
    assert!(verifier.due(NOW).is_empty());
}

#[test]
fn rules_without_key_sets_accept_nothing() {
    let key = rsa_key(0, "rsa");
    let mut verifier = verifier(&[&[&key.jwk]]);
    let token = key.token("RS256", &claims());
    let rejected = rejected(TokenError::UnknownKey);
    assert_eq!(
        outcome(verifier.check(&token, &rules(&[], &[]), NOW)),
        rejected
    );
    assert_eq!(
        outcome(verifier.check(&token, &rules(&[9], &[]), NOW)),
        Outcome::Rejected(TokenError::KeysUnavailable)
    );
}
