//! The vectors of C2SP Wycheproof for JSON Web Signature and Key, wholesale. No registry carries
//! them, so they are read from a checkout:
//!
//! ```text
//!   WYCHEPROOF=<checkout>/testvectors_v1 cargo test -p gatepost-policy --lib -- --ignored wycheproof
//! ```

use std::{env, fs, path::Path};

use serde_json::{Value, json};

use super::{
    super::{CacheLimits, TokenError},
    support::{NOW, Outcome, empty_verifier, jwks, outcome, rules},
};

const ALL: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "HS256", "HS384",
    "HS512", "EdDSA",
];

/// Good by the vectors, and refused on purpose.
const REFUSED: [&str; 4] = [
    // P-521 is not among our algorithms.
    "Figure27",
    // A PS384 signature by a key that says `alg: PS256`.
    "Figure20",
    // A `?` in the middle of base64url, which some decoders skip.
    "InvalidCharacterInsertedInHeader",
    "InvalidCharacterInsertedInPayload",
];

/// Bad by the vectors, and taken on purpose.
const TAKEN: [&str; 5] = [
    // The texts are the good token of the same group, to the letter.
    "invalidBase64Padding",
    "invalidBase64PaddingInPayload",
    // A set with a shared secret beside public keys: each verifies its own algorithms only.
    "rejectsValid",
    // Two keys of one `kid` are both tried, as in Oathkeeper.
    "rejectsDuplicateKid",
    // How an issuer made its primes is not looked into.
    "rejectsKeyWithRocaVulnerability",
];

/// The signature of a vector counts, not its payload, which is seldom a set of claims: a token whose
/// claims cannot be read has passed.
fn is_signed(keys: &[&Value], jws: &str) -> bool {
    let mut verifier = empty_verifier(1, CacheLimits::OFF);
    let due = verifier.due(NOW);
    verifier.fetched(due[0].0, jwks(keys), NOW);
    let mut rules = rules(&[0], &ALL);
    rules.allow_missing_use = true;
    rules.allow_missing_kid = true;
    match outcome(verifier.check(jws, &rules, NOW)) {
        Outcome::Verified(_) => true,
        Outcome::Rejected(TokenError::Malformed(why)) => why.starts_with("the claims are not"),
        _ => false,
    }
}

fn play(file: &str) -> (usize, Vec<String>) {
    let folder = env::var("WYCHEPROOF").expect("WYCHEPROOF names the folder of the vectors");
    let text = fs::read_to_string(Path::new(&folder).join(file)).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    let mut played = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = match key.get("keys") {
            Some(keys) => keys.as_array().unwrap().iter().collect(),
            None => vec![key],
        };
        for test in group["tests"].as_array().unwrap() {
            played += 1;
            let comment = test["comment"].as_str().unwrap();
            let is_good = test["result"] == "valid" && !REFUSED.contains(&comment);
            let expected = is_good || TAKEN.contains(&comment);
            let jws = match &test["jws"] {
                Value::String(jws) => jws.clone(),
                // The JSON serialization, which is no token here.
                other => other.to_string(),
            };
            if is_signed(&keys, &jws) != expected {
                wrong.push(format!("{} {comment} {}", test["tcId"], test["flags"]));
            }
        }
    }
    (played, wrong)
}

#[test]
#[ignore = "needs WYCHEPROOF=<checkout of C2SP/wycheproof>/testvectors_v1"]
fn t14_wycheproof_json_web_signature() {
    let (played, wrong) = play("json_web_signature_test.json");
    assert!(played > 350, "{played}");
    assert_eq!(json!(wrong), json!([]));
}

#[test]
#[ignore = "needs WYCHEPROOF=<checkout of C2SP/wycheproof>/testvectors_v1"]
fn t14_wycheproof_json_web_key() {
    let (played, wrong) = play("json_web_key_test.json");
    assert!(played > 20, "{played}");
    assert_eq!(json!(wrong), json!([]));
}
