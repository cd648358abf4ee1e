//! The host's side is played by aws-lc-rs, which reads the orders and keys on its own terms; what was
//! signed is verified by pure Rust.

use super::*;
use aws_lc_rs::{
    encoding::{AsBigEndian as _, AsDer as _},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
        RsaKeyPair,
    },
};
use jsonwebtoken::DecodingKey;

/// Signs as Envoy does: an order has hash function, PKCS #8 and text.
fn host(order: &[u8]) -> Result<Vec<u8>, HostError> {
    let fields = crate::crypto::tests::fields(order);
    let [hash, key, text] = fields.as_slice() else {
        panic!("three fields");
    };
    let random = SystemRandom::new();
    let ec = match hash.as_slice() {
        b"sha256" => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).ok(),
        b"sha384" => EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, key).ok(),
        _ => None,
    };
    let signature = if let Some(pair) = ec {
        pair.sign(&random, text).unwrap().as_ref().to_vec()
    } else if let Ok(pair) = RsaKeyPair::from_pkcs8(key) {
        let padding = match hash.as_slice() {
            b"sha256" => &RSA_PKCS1_SHA256,
            b"sha384" => &RSA_PKCS1_SHA384,
            _ => &RSA_PKCS1_SHA512,
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &random, text, &mut signature).unwrap();
        signature
    } else {
        return Ok(b"\x1a\x07bad key".to_vec());
    };
    let mut answer = b"\x08\x01\x12".to_vec();
    let length = signature.len();
    if length >= 0x80 {
        answer.push(0x80 | (length & 0x7f) as u8);
        answer.push((length >> 7) as u8);
    } else {
        answer.push(length as u8);
    }
    answer.extend(signature);
    Ok(answer)
}

fn without_function(_: &[u8]) -> Result<Vec<u8>, HostError> {
    Err(HostError::Refused {
        call: "call_foreign_function",
        status: Status::NotFound,
    })
}

fn always_no(_: &[u8]) -> Result<Vec<u8>, HostError> {
    Ok(b"\x1a\x02no".to_vec())
}

fn garbage(_: &[u8]) -> Result<Vec<u8>, HostError> {
    Ok(b"\x08".to_vec())
}

fn rsa() -> (EncodingKey, DecodingKey) {
    let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = aws_lc_rs::signature::RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let pkcs8 = pair.as_der().unwrap();
    // The envelope is 26 bytes for a 2048-bit key.
    let private = EncodingKey::from_rsa_der(&pkcs8.as_ref()[26..]);
    let public = DecodingKey::from_rsa_raw_components(&public.n, &public.e);
    (private, public)
}

fn ec(algorithm: Algorithm) -> (EncodingKey, DecodingKey) {
    let signing = match algorithm {
        Algorithm::ES256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
        _ => &ECDSA_P384_SHA384_ASN1_SIGNING,
    };
    let pair = EcdsaKeyPair::generate(signing).unwrap();
    (
        EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
        DecodingKey::from_ec_der(pair.public_key().as_ref()),
    )
}

fn check(by_host: Option<Ask>, algorithm: Algorithm, private: &EncodingKey, public: &DecodingKey) {
    let signer = signer_asking(by_host, algorithm, private).unwrap();
    assert_eq!(signer.algorithm(), algorithm);
    let verifier = gatepost_signatures::verifier(&algorithm, public).unwrap();
    for text in [&b"a.b"[..], b"", &[7; 5000]] {
        let signature = signer.try_sign(text).unwrap();
        assert!(verifier.verify(text, &signature).is_ok(), "{algorithm:?}");
        assert!(verifier.verify(b"other", &signature).is_err());
    }
}

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

#[test]
fn the_host_signs_with_rsa_and_elliptic_curves() {
    let (private, public) = rsa();
    for algorithm in [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512] {
        check(Some(host), algorithm, &private, &public);
    }
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        let (private, public) = ec(algorithm);
        for _ in 0..20 {
            check(Some(host), algorithm, &private, &public);
        }
    }
}

#[test]
fn without_the_host_elliptic_curves_and_secrets_sign_in_pure_rust() {
    for by_host in [None, Some(host as Ask)] {
        let pair = Ed25519KeyPair::generate().unwrap();
        let private = EncodingKey::from_ed_der(pair.to_pkcs8v1().unwrap().as_ref());
        assert_eq!(
            pair.seed().unwrap().as_be_bytes().unwrap().as_ref().len(),
            32
        );
        let public = DecodingKey::from_ed_der(pair.public_key().as_ref());
        check(by_host, Algorithm::EdDSA, &private, &public);
        let secret = [7; 64];
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let private = EncodingKey::from_secret(&secret);
            let public = DecodingKey::from_secret(&secret);
            check(by_host, algorithm, &private, &public);
        }
    }
    for algorithm in [Algorithm::ES256, Algorithm::ES384] {
        let (private, public) = ec(algorithm);
        check(None, algorithm, &private, &public);
    }
}

#[test]
fn rsa_never_signs_in_the_module() {
    let (private, _) = rsa();
    for algorithm in RSA {
        assert!(signer_asking(None, algorithm, &private).is_err());
        assert!(RustSigner::new(algorithm, &private).is_err());
    }
    // The host has no RSASSA-PSS.
    for algorithm in [Algorithm::PS256, Algorithm::PS384, Algorithm::PS512] {
        assert!(signer_asking(Some(host), algorithm, &private).is_err());
    }
}

#[test]
fn a_host_that_does_not_sign_makes_no_signature() {
    let (private, _) = rsa();
    for ask in [without_function, always_no, garbage] {
        let signer = signer_asking(Some(ask), Algorithm::RS256, &private).unwrap();
        assert!(signer.try_sign(b"a.b").is_err());
        // What the module may sign itself it then does.
        for algorithm in [Algorithm::ES256, Algorithm::ES384] {
            let (private, public) = ec(algorithm);
            check(Some(ask), algorithm, &private, &public);
        }
    }
}

#[test]
fn a_host_is_recognised_by_its_answer() {
    let bad_argument: Ask = |_| {
        Err(HostError::Refused {
            call: "call_foreign_function",
            status: Status::BadArgument,
        })
    };
    assert!(is_offered(bad_argument));
    assert!(is_offered(always_no));
    assert!(!is_offered(without_function));
    assert!(!is_offered(garbage));
}

#[test]
fn a_key_of_another_kind_does_not_sign() {
    let (rsa, _) = rsa();
    let (p384, _) = ec(Algorithm::ES384);
    let secret = EncodingKey::from_secret(&[7; 64]);
    for (algorithm, key) in [
        (Algorithm::ES256, &rsa),
        (Algorithm::RS256, &p384),
        (Algorithm::ES256, &p384),
        (Algorithm::HS256, &rsa),
        (Algorithm::RS256, &secret),
        (Algorithm::EdDSA, &p384),
    ] {
        assert!(signer_asking(None, algorithm, key).is_err());
    }
}
