//! An issuer with keys of every kind, and a verifier that has fetched its key sets.

use std::sync::{Arc, LazyLock, Once};

use aws_lc_rs::{
    encoding::AsDer as _,
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaPublicKeyComponents},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::super::{CacheLimits, Check, KeySetSettings, KeySets, TokenRules, Verifier};
use crate::{FetchId, Reply, UnixTime, call::Endpoint, call::Response};

pub(super) const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// A private key under a `kid`, with the JWK that its issuer publishes.
pub(super) struct TestKey {
    pub(super) jwk: Value,
    pair: Pair,
}

enum Pair {
    Rsa(Arc<rsa::KeyPair>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Secret(Vec<u8>),
}

static RSA_KEYS: LazyLock<[Arc<rsa::KeyPair>; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Arc::new(new_rsa())));

fn new_rsa() -> rsa::KeyPair {
    rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap()
}

/// One of two RSA keys; making new ones for each test would be slow.
pub(super) fn rsa_key(which: usize, kid: &str) -> TestKey {
    let pair = Arc::clone(&RSA_KEYS[which]);
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    TestKey {
        jwk: json!({"kty": "RSA", "use": "sig", "kid": kid, "n": b64(&public.n), "e": b64(&public.e)}),
        pair: Pair::Rsa(pair),
    }
}

/// An RSA key's SubjectPublicKeyInfo: what an attacker would use as an HMAC secret.
pub(super) fn rsa_public_der(which: usize) -> Vec<u8> {
    let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> =
        RSA_KEYS[which].public_key().as_der().unwrap();
    der.as_ref().to_vec()
}

pub(super) fn ec_key(curve: &str, kid: &str) -> TestKey {
    let algorithm = match curve {
        "P-256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        "P-384" => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
    };
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    TestKey {
        jwk: json!({"kty": "EC", "use": "sig", "kid": kid, "crv": curve, "x": b64(x), "y": b64(y)}),
        pair: Pair::Ec(pair),
    }
}

pub(super) fn ed_key(kid: &str) -> TestKey {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = b64(pair.public_key().as_ref());
    TestKey {
        jwk: json!({"kty": "OKP", "use": "sig", "kid": kid, "crv": "Ed25519", "x": x}),
        pair: Pair::Ed(pair),
    }
}

pub(super) fn secret_key(secret: &[u8], kid: &str) -> TestKey {
    TestKey {
        jwk: json!({"kty": "oct", "use": "sig", "kid": kid, "k": b64(secret)}),
        pair: Pair::Secret(secret.to_vec()),
    }
}

impl TestKey {
    pub(super) fn kid(&self) -> &str {
        self.jwk["kid"].as_str().unwrap()
    }

    /// The JWK with one member set, or removed where `value` is null.
    pub(super) fn jwk_with(&self, member: &str, value: Value) -> Value {
        let mut jwk = self.jwk.clone();
        let members = jwk.as_object_mut().unwrap();
        members.remove(member);
        if !value.is_null() {
            members.insert(member.to_owned(), value);
        }
        jwk
    }

    pub(super) fn token(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "typ": "JWT", "kid": self.kid()});
        self.token_of(&header.to_string(), &claims.to_string())
    }

    /// A properly signed token of any text; the header's `alg` decides how, `RS256` where it is odd.
    pub(super) fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header.as_bytes()), b64(claims.as_bytes()));
        let algorithm = serde_json::from_str::<Value>(header)
            .ok()
            .and_then(|header| Some(header.get("alg")?.as_str()?.to_owned()))
            .unwrap_or_default();
        let signature = self.sign(&algorithm, message.as_bytes());
        format!("{message}.{}", b64(&signature))
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Secret(secret) => {
                let hash = match algorithm {
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    _ => hmac::HMAC_SHA256,
                };
                hmac::sign(&hmac::Key::new(hash, secret), message)
                    .as_ref()
                    .to_vec()
            }
        }
    }
}

fn rsa_encoding(algorithm: &str) -> &'static dyn signature::RsaEncoding {
    match algorithm {
        "RS384" => &signature::RSA_PKCS1_SHA384,
        "RS512" => &signature::RSA_PKCS1_SHA512,
        "PS256" => &signature::RSA_PSS_SHA256,
        "PS384" => &signature::RSA_PSS_SHA384,
        "PS512" => &signature::RSA_PSS_SHA512,
        _ => &signature::RSA_PKCS1_SHA256,
    }
}

pub(super) fn b64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Good claims: unexpired, with subject `alice`.
pub(super) fn claims() -> Value {
    json!({"sub": "alice", "iss": "https://id.test", "aud": ["a", "b"], "scope": "x y",
           "iat": NOW.as_secs() - 10, "exp": NOW.as_secs() + 3600})
}

pub(super) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

pub(super) fn jwks(keys: &[&Value]) -> Reply {
    ok(json!({ "keys": keys }).to_string())
}

pub(super) fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Ok(Response {
        status: 200,
        headers: Vec::new(),
        body: body.into(),
    })
}

/// Rules that take keys from the sets of these numbers and allow `algorithms`.
pub(super) fn rules(sets: &[u32], algorithms: &[&str]) -> TokenRules {
    TokenRules {
        key_sets: sets.iter().copied().map(FetchId).collect(),
        algorithms: super::super::Algorithms::parse(algorithms).unwrap(),
        ..TokenRules::default()
    }
}

/// A verifier of `count` key sets that were not fetched yet.
pub(super) fn empty_verifier(count: usize, limits: CacheLimits) -> Verifier {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test of this binary may have been first.
        let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    });
    let endpoints: Vec<_> = (0..count)
        .map(|number| Endpoint::parse(&format!("http://id{number}.test/keys?a=1")).unwrap())
        .collect();
    let sets = KeySets::new(endpoints, KeySetSettings::default());
    Verifier::new(sets, limits, [7; 32])
}

/// A verifier that has fetched `sets` at [`NOW`].
pub(super) fn verifier(sets: &[&[&Value]]) -> Verifier {
    verifier_with(sets, CacheLimits::default())
}

pub(super) fn verifier_with(sets: &[&[&Value]], limits: CacheLimits) -> Verifier {
    let mut verifier = empty_verifier(sets.len(), limits);
    let due = verifier.due(NOW);
    assert_eq!(due.len(), sets.len());
    for ((fetch, _), keys) in due.into_iter().zip(sets) {
        verifier.fetched(fetch, jwks(keys), NOW);
    }
    verifier
}

/// What became of a token, in a form that compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Verified(String),
    NeedKeys(FetchId),
    Rejected(super::super::TokenError),
}

pub(super) fn outcome(check: Check) -> Outcome {
    match check {
        Check::Verified(claims) => Outcome::Verified(claims.subject.clone()),
        Check::NeedKeys(fetch) => Outcome::NeedKeys(fetch),
        Check::Rejected(error) => Outcome::Rejected(error),
    }
}

pub(super) fn alice() -> Outcome {
    Outcome::Verified("alice".to_owned())
}
