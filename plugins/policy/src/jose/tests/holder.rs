//! Tokens that are bound to their holder (T21): DPoP proofs and client certificates.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    super::{
        Algorithms, CertificateBound, DpopRules, NonceRules, Presentation, ProofError,
        ProofRequest, TokenError, TokenRules, Trust, Verifier,
    },
    support::{
        NOW, Outcome, TestKey, alice, b64, claims, claims_with, ec_key, ed_key, outcome, rsa_key,
        rules, secret_key, verifier,
    },
};
use crate::{UnixTime, path::Url};

fn after(seconds: u64) -> UnixTime {
    NOW.after(Duration::from_secs(seconds))
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

/// The RFC 7638 thumbprint of a P-256 key.
fn thumbprint(key: &TestKey) -> String {
    let member = |name: &str| key.jwk[name].as_str().unwrap().to_owned();
    let text = format!(
        r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
        member("crv"),
        member("x"),
        member("y")
    );
    b64(&sha256(text.as_bytes()))
}

fn dpop() -> DpopRules {
    DpopRules {
        required: false,
        algorithms: Algorithms::parse(&["ES256", "EdDSA", "RS256"]).unwrap(),
        max_age: Duration::from_secs(60),
        nonce: None,
    }
}

/// An issuer, a client with a key, and a token that is bound to it.
struct World {
    verifier: Verifier,
    client: TestKey,
    token: String,
    rules: TokenRules,
}

fn world() -> World {
    let issuer = ec_key("P-256", "k");
    let client = ec_key("P-256", "client");
    let claims = claims_with("cnf", json!({"jkt": thumbprint(&client)}));
    World {
        verifier: verifier(&[&[&issuer.jwk]]),
        token: issuer.token("ES256", &claims),
        client,
        rules: TokenRules {
            dpop: Some(dpop()),
            ..rules(&[0], &["ES256"])
        },
    }
}

impl World {
    fn proof_claims(&self) -> Value {
        json!({"jti": "1", "htm": "GET", "htu": "https://api.test/a/b", "iat": NOW.as_secs(),
               "ath": b64(&sha256(self.token.as_bytes()))})
    }

    fn header(&self) -> Value {
        let jwk = public(&self.client.jwk);
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk})
    }

    fn proof(&self, name: &str, value: Value) -> String {
        let mut claims = self.proof_claims();
        set(&mut claims, name, value);
        self.sign(&self.header(), &claims)
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        self.client
            .token_of(&header.to_string(), &claims.to_string())
    }

    fn send(&mut self, proof: &str, now: UnixTime) -> Outcome {
        let url = Url {
            scheme: "https".to_owned(),
            host: "api.test".to_owned(),
            path: "/a/b".to_owned(),
            query: Some("q=1".to_owned()),
            ..Url::default()
        };
        let presentation = Presentation {
            proof: Some(ProofRequest {
                proof,
                method: "GET",
                url: &url,
            }),
            certificate: None,
        };
        let trust = Trust::Unbound(Box::new(self.rules.clone()));
        outcome(
            self.verifier
                .check_presented(&self.token, &trust, &presentation, now),
        )
    }
}

fn public(jwk: &Value) -> Value {
    let mut jwk = jwk.clone();
    for member in ["use", "kid"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
}

fn refused(error: ProofError) -> Outcome {
    Outcome::Rejected(TokenError::Proof(error))
}

#[test]
fn a_bound_token_is_taken_with_a_proof_once() {
    let mut world = world();
    let proof = world.proof("jti", json!("1"));
    assert_eq!(world.send(&proof, NOW), alice());
    assert_eq!(world.send(&proof, after(1)), refused(ProofError::Replayed));
    let another = world.proof("jti", json!("2"));
    assert_eq!(world.send(&another, after(1)), alice());
}

#[test]
fn t21_a_bound_token_is_never_a_bearer_token() {
    let mut world = world();
    for dpop in [None, Some(dpop())] {
        let rules = TokenRules {
            dpop,
            ..rules(&[0], &["ES256"])
        };
        for _ in 0..2 {
            assert_eq!(
                outcome(world.verifier.check(&world.token, &rules, NOW)),
                Outcome::Rejected(TokenError::BoundToKey)
            );
        }
    }
    // Nor does a proof help where the handler takes none.
    world.rules.dpop = None;
    let proof = world.proof("jti", json!("1"));
    assert_eq!(
        world.send(&proof, NOW),
        Outcome::Rejected(TokenError::BoundToKey)
    );
}

#[test]
fn a_token_that_is_not_bound_is_no_dpop_token() {
    let mut world = world();
    let issuer = ec_key("P-256", "k");
    world.verifier = verifier(&[&[&issuer.jwk]]);
    world.token = issuer.token("ES256", &claims());
    let proof = world.proof("jti", json!("1"));
    assert_eq!(
        world.send(&proof, NOW),
        Outcome::Rejected(TokenError::NotBound)
    );
    let check = |world: &mut World| outcome(world.verifier.check(&world.token, &world.rules, NOW));
    assert_eq!(check(&mut world), alice());
    world.rules.dpop = Some(DpopRules {
        required: true,
        ..dpop()
    });
    assert_eq!(check(&mut world), Outcome::Rejected(TokenError::NotBound));
}

#[test]
fn a_proof_is_for_one_method_url_and_token() {
    for (name, value, expected) in [
        ("htm", json!("POST"), refused(ProofError::OtherRequest)),
        ("htm", json!("get"), refused(ProofError::OtherRequest)),
        (
            "htu",
            json!("http://api.test/a/b"),
            refused(ProofError::OtherRequest),
        ),
        (
            "htu",
            json!("https://other.test/a/b"),
            refused(ProofError::OtherRequest),
        ),
        (
            "htu",
            json!("https://api.test:8443/a/b"),
            refused(ProofError::OtherRequest),
        ),
        (
            "htu",
            json!("https://api.test/a"),
            refused(ProofError::OtherRequest),
        ),
        (
            "htu",
            json!("https://api.test/a%2fb"),
            refused(ProofError::OtherRequest),
        ),
        (
            "htu",
            json!("https://api.test@evil.test/a/b"),
            refused(ProofError::OtherRequest),
        ),
        ("htu", json!("/a/b"), refused(ProofError::OtherRequest)),
        ("htu", json!(""), refused(ProofError::OtherRequest)),
        ("htu", json!("https://API.test:443/a/./b"), alice()),
        ("htu", json!("https://api.test/a/b?x=1#y"), alice()),
        ("htu", json!("https://api.test/%61/b"), alice()),
        (
            "ath",
            json!(b64(&sha256(b"x"))),
            refused(ProofError::OtherToken),
        ),
        ("ath", json!(""), refused(ProofError::OtherToken)),
    ] {
        let mut world = world();
        let proof = world.proof(name, value.clone());
        assert_eq!(world.send(&proof, NOW), expected, "{name}: {value}");
    }
}

#[test]
fn a_proof_was_made_just_now() {
    for (issued, expected) in [
        (NOW.as_secs(), alice()),
        (NOW.as_secs() + 5, alice()),
        (NOW.as_secs() + 6, refused(ProofError::NotFresh)),
        (NOW.as_secs() - 60, alice()),
        (NOW.as_secs() - 61, refused(ProofError::NotFresh)),
    ] {
        let mut world = world();
        let proof = world.proof("iat", json!(issued));
        assert_eq!(world.send(&proof, NOW), expected, "{issued}");
    }
}

#[test]
fn a_proof_has_every_claim_with_its_type() {
    let long = "x".repeat(513);
    for (name, value) in [
        ("jti", Value::Null),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!(long)),
        ("htm", Value::Null),
        ("htu", Value::Null),
        ("htu", json!(["https://api.test/a/b"])),
        ("iat", Value::Null),
        ("iat", json!("1800000000")),
        ("iat", json!(-1)),
        ("ath", Value::Null),
        ("nonce", json!(7)),
    ] {
        let mut world = world();
        let proof = world.proof(name, value.clone());
        assert!(
            matches!(
                world.send(&proof, NOW),
                Outcome::Rejected(TokenError::Proof(ProofError::Malformed(_)))
            ),
            "{name}: {value}"
        );
    }
}

#[test]
fn t14_a_proof_brings_a_public_key_and_nothing_else() {
    let malformed = |outcome: &Outcome| {
        matches!(
            outcome,
            Outcome::Rejected(TokenError::Proof(ProofError::Malformed(_)))
        )
    };
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", Value::Null),
        ("jwk", Value::Null),
        ("jwk", json!("x")),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
    ] {
        let mut world = world();
        let mut header = world.header();
        set(&mut header, name, value.clone());
        let proof = world.sign(&header, &world.proof_claims());
        assert!(malformed(&world.send(&proof, NOW)), "{name}: {value}");
    }
    for (name, value) in [
        ("d", json!("AQAB")),
        ("k", json!("AQAB")),
        ("oth", json!([])),
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("alg", json!("ES384")),
        ("crv", json!("P-384")),
        ("x", json!("AQAB")),
    ] {
        let mut world = world();
        let mut header = world.header();
        set(&mut header["jwk"], name, value.clone());
        let proof = world.sign(&header, &world.proof_claims());
        assert_eq!(
            world.send(&proof, NOW),
            refused(ProofError::UnfitKey),
            "{name}: {value}"
        );
    }
    for algorithm in ["none", "nOnE", "HS256", "ES384", "PS256", ""] {
        let mut world = world();
        let mut header = world.header();
        header["alg"] = json!(algorithm);
        let proof = world.sign(&header, &world.proof_claims());
        assert_eq!(
            world.send(&proof, NOW),
            refused(ProofError::AlgorithmNotAllowed),
            "{algorithm}"
        );
    }
}

#[test]
fn t14_a_shared_secret_proves_nothing_even_where_the_algorithm_is_listed() {
    let mut world = world();
    let secret = secret_key(&[7; 64], "client");
    let mut rules = dpop();
    rules.algorithms = Algorithms::parse(&["HS256", "ES256"]).unwrap();
    world.rules.dpop = Some(rules);
    let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": secret.jwk}).to_string();
    let proof = secret.token_of(&header, &world.proof_claims().to_string());
    assert_eq!(world.send(&proof, NOW), refused(ProofError::UnfitKey));
}

#[test]
fn another_key_proves_nothing() {
    let mut world = world();
    let header = world.header().to_string();
    let claims = world.proof_claims().to_string();
    let stranger = ec_key("P-256", "client");
    // The client's key in the header, the stranger's signature.
    let forged = stranger.token_of(&header, &claims);
    assert_eq!(
        world.send(&forged, NOW),
        refused(ProofError::WrongSignature)
    );
    // Proofs that are sound, of keys that the token is not bound to.
    for (stranger, algorithm) in [
        (stranger, "ES256"),
        (ed_key("client"), "EdDSA"),
        (rsa_key(0, "client"), "RS256"),
    ] {
        let header =
            json!({"typ": "dpop+jwt", "alg": algorithm, "jwk": public(&stranger.jwk)}).to_string();
        let proof = stranger.token_of(&header, &claims);
        assert_eq!(
            world.send(&proof, NOW),
            refused(ProofError::OtherKey),
            "{algorithm}"
        );
    }
}

#[test]
fn t22_a_proof_that_is_no_jws_costs_nothing() {
    let mut world = world();
    for text in ["", "x", "a.b", "a.b.c.d"] {
        assert_eq!(world.send(text, NOW), refused(ProofError::Missing));
    }
    let dots = ".".repeat(1 << 20);
    let deep = format!("{}.e30.x", b64("[".repeat(5000).as_bytes()));
    for text in [dots.as_str(), deep.as_str(), "!.!.!"] {
        let found = world.send(text, NOW);
        assert!(
            matches!(
                found,
                Outcome::Rejected(TokenError::Proof(ProofError::Malformed(_)))
            ),
            "{found:?}"
        );
    }
}

#[test]
fn a_bad_token_is_refused_whatever_the_proof_says() {
    let mut world = world();
    let proof = world.proof("jti", json!("1"));
    world.rules.target_audience = vec!["nobody".to_owned()];
    assert_eq!(
        world.send(&proof, NOW),
        Outcome::Rejected(TokenError::WrongAudience)
    );
    // The proof was not used up by that.
    world.rules.target_audience.clear();
    assert_eq!(world.send(&proof, NOW), alice());
}

#[test]
fn a_nonce_is_asked_for_and_good_for_one_to_two_lifetimes() {
    let mut world = world();
    let rules = NonceRules::new(Duration::from_secs(300), None);
    world.rules.dpop = Some(DpopRules {
        nonce: Some(rules.clone()),
        ..dpop()
    });
    let wanted = refused(ProofError::NonceWanted);
    let mut number = 0;
    let mut send = |nonce: Value, now: UnixTime, world: &mut World| {
        number += 1;
        let mut claims = world.proof_claims();
        set(&mut claims, "nonce", nonce);
        claims["jti"] = json!(number.to_string());
        claims["iat"] = json!(now.as_secs());
        let proof = world.sign(&world.header(), &claims);
        world.send(&proof, now)
    };
    assert_eq!(send(Value::Null, NOW, &mut world), wanted);
    assert_eq!(send(json!(""), NOW, &mut world), wanted);
    assert_eq!(send(json!("invented"), NOW, &mut world), wanted);
    let nonce = world.verifier.nonce(&rules, NOW);
    assert_eq!(send(json!(nonce), NOW, &mut world), alice());
    assert_eq!(send(json!(nonce), after(300), &mut world), alice());
    assert_eq!(send(json!(nonce), after(600), &mut world), wanted);
    let shared = NonceRules::new(Duration::from_secs(300), Some("a secret"));
    assert_ne!(world.verifier.nonce(&shared, NOW), nonce);
}

#[test]
fn a_certificate_bound_token_needs_its_certificate() {
    let issuer = ec_key("P-256", "k");
    let certificate: [u8; 32] = sha256(b"a certificate").try_into().unwrap();
    let other: [u8; 32] = sha256(b"another").try_into().unwrap();
    let bound = issuer.token(
        "ES256",
        &claims_with("cnf", json!({"x5t#S256": b64(&certificate)})),
    );
    let plain = issuer.token("ES256", &claims());
    let mismatch = || Outcome::Rejected(TokenError::BoundToCertificate);
    let not_bound = || Outcome::Rejected(TokenError::NotBound);
    use CertificateBound::{Accepted, Refused, Required};
    for (token, taken, presented, expected) in [
        (&bound, Accepted, Some(&certificate), alice()),
        (&bound, Required, Some(&certificate), alice()),
        (&bound, Accepted, Some(&other), mismatch()),
        (&bound, Accepted, None, mismatch()),
        (&bound, Required, None, mismatch()),
        (&bound, Refused, Some(&certificate), mismatch()),
        (&plain, Refused, None, alice()),
        (&plain, Accepted, Some(&certificate), alice()),
        (&plain, Required, Some(&certificate), not_bound()),
    ] {
        let mut verifier = verifier(&[&[&issuer.jwk]]);
        let trust = Trust::Unbound(Box::new(TokenRules {
            certificate_bound: taken,
            ..rules(&[0], &["ES256"])
        }));
        let presentation = Presentation {
            proof: None,
            certificate: presented,
        };
        let found = outcome(verifier.check_presented(token, &trust, &presentation, NOW));
        assert_eq!(found, expected, "{taken:?} {}", presented.is_some());
    }
}

#[test]
fn a_token_with_two_bindings_needs_both() {
    let mut world = world();
    let issuer = ec_key("P-256", "k");
    let certificate: [u8; 32] = sha256(b"a certificate").try_into().unwrap();
    world.verifier = verifier(&[&[&issuer.jwk]]);
    let binding = json!({"jkt": thumbprint(&world.client), "x5t#S256": b64(&certificate)});
    world.token = issuer.token("ES256", &claims_with("cnf", binding));
    world.rules.certificate_bound = CertificateBound::Accepted;
    let proof = world.proof("jti", json!("1"));
    assert_eq!(
        world.send(&proof, NOW),
        Outcome::Rejected(TokenError::BoundToCertificate)
    );
    let trust = Trust::Unbound(Box::new(world.rules.clone()));
    let presentation = Presentation {
        proof: None,
        certificate: Some(&certificate),
    };
    let found = world
        .verifier
        .check_presented(&world.token, &trust, &presentation, NOW);
    assert_eq!(outcome(found), Outcome::Rejected(TokenError::BoundToKey));
}

#[test]
fn a_binding_that_nobody_can_check_is_refused() {
    let issuer = ec_key("P-256", "k");
    let mut verifier = verifier(&[&[&issuer.jwk]]);
    for (binding, is_malformed) in [
        (json!({}), false),
        (json!({"kid": "x"}), false),
        (json!({"jwk": {"kty": "EC"}}), false),
        (json!(null), true),
        (json!("x"), true),
        (json!({"jkt": 1}), true),
        (json!({"x5t#S256": ["x"]}), true),
    ] {
        let mut claims = claims();
        claims["cnf"] = binding.clone();
        let token = issuer.token("ES256", &claims);
        let found = outcome(verifier.check(&token, &rules(&[0], &["ES256"]), NOW));
        let as_expected = match found {
            Outcome::Rejected(TokenError::Malformed(_)) => is_malformed,
            Outcome::Rejected(TokenError::UnknownBinding) => !is_malformed,
            _ => false,
        };
        assert!(as_expected, "{binding}: {found:?}");
    }
}
