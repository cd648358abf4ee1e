//! The host's side is played by aws-lc-rs, which reads the messages, the DER keys and the DER
//! signatures on its own terms.

use std::cell::Cell;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use proxy_wasm::types::Status;

use super::*;

thread_local! {
    static QUESTIONS: Cell<usize> = const { Cell::new(0) };
}

/// The fields of a question, in order.
pub(super) fn fields(mut message: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    while let [_, rest @ ..] = message {
        let (mut length, mut used) = (0_usize, 0);
        for byte in rest {
            length |= usize::from(byte & 0x7f) << (7 * used);
            used += 1;
            if *byte < 0x80 {
                break;
            }
        }
        fields.push(rest[used..used + length].to_vec());
        message = &rest[used + length..];
    }
    fields
}

fn host(question: &[u8]) -> Result<Vec<u8>, HostError> {
    QUESTIONS.set(QUESTIONS.get() + 1);
    let fields = fields(question);
    let [hash, key, signature, text] = fields.as_slice() else {
        panic!("four fields");
    };
    let is_rsa = key.windows(3).any(|bytes| bytes == [0x01, 0x05, 0x00]);
    let algorithm: &dyn VerificationAlgorithm = match (hash.as_slice(), is_rsa) {
        (b"sha256", true) => &RSA_PKCS1_2048_8192_SHA256,
        (b"sha384", true) => &RSA_PKCS1_2048_8192_SHA384,
        (b"sha512", true) => &RSA_PKCS1_2048_8192_SHA512,
        (b"sha256", false) => &ECDSA_P256_SHA256_ASN1,
        (b"sha384", false) => &ECDSA_P384_SHA384_ASN1,
        other => panic!("{other:?}"),
    };
    let key = UnparsedPublicKey::new(algorithm, key);
    Ok(match key.verify(text, signature) {
        Ok(()) => b"\x08\x01".to_vec(),
        Err(_) => b"\x12\x02no".to_vec(),
    })
}

fn without_function(_: &[u8]) -> Result<Vec<u8>, HostError> {
    Err(HostError::Refused {
        call: "call_foreign_function",
        status: Status::NotFound,
    })
}

fn always(answer: &'static [u8]) -> impl Fn(&[u8]) -> Result<Vec<u8>, HostError> {
    move |_| Ok(answer.to_vec())
}

fn always_yes(question: &[u8]) -> Result<Vec<u8>, HostError> {
    always(b"\x08\x01")(question)
}

fn always_no(question: &[u8]) -> Result<Vec<u8>, HostError> {
    always(b"\x12\x0bunsupported")(question)
}

fn garbage(question: &[u8]) -> Result<Vec<u8>, HostError> {
    always(b"\x08")(question)
}

const BY_ENVOY: [Algorithm; 5] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
];

#[test]
fn a_host_that_verifies_is_recognised_for_each_algorithm() {
    assert_eq!(known_answers::verified_by(host), BY_ENVOY);
}

#[test]
fn a_host_without_the_function_or_that_is_wrong_is_not_trusted() {
    for ask in [without_function, always_yes, always_no, garbage] {
        assert_eq!(known_answers::verified_by(ask), []);
    }
}

#[test]
fn known_answers_hold_in_pure_rust_too() {
    for (algorithm, key, signature) in known_answers::all() {
        let verifier = gatepost_signatures::verifier(&algorithm, &key).unwrap();
        assert!(
            verifier
                .verify(b"gatepost known answer", &signature)
                .is_ok()
        );
        assert!(
            verifier
                .verify(b"gatepost known answex", &signature)
                .is_err()
        );
    }
}

#[test]
fn a_host_that_does_not_answer_is_replaced_by_pure_rust() {
    for (algorithm, key, signature) in known_answers::all() {
        for ask in [without_function, garbage] {
            let verifier = HostVerifier::new(algorithm, &key, ask).unwrap();
            assert!(
                verifier
                    .verify(b"gatepost known answer", &signature)
                    .is_ok()
            );
            assert!(verifier.verify(b"something else", &signature).is_err());
        }
    }
}

#[test]
fn a_host_that_says_no_has_the_last_word() {
    for (algorithm, key, signature) in known_answers::all() {
        let verifier = HostVerifier::new(algorithm, &key, always_no).unwrap();
        assert!(
            verifier
                .verify(b"gatepost known answer", &signature)
                .is_err()
        );
    }
}

#[test]
fn signatures_that_were_changed_are_refused_by_the_host() {
    for (algorithm, key, signature) in known_answers::all() {
        let verifier = HostVerifier::new(algorithm, &key, host).unwrap();
        assert!(
            verifier
                .verify(b"gatepost known answer", &signature)
                .is_ok()
        );
        for place in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            assert!(verifier.verify(b"gatepost known answer", &changed).is_err());
        }
        for length in [0, 1, signature.len() - 1] {
            let short = signature[..length].to_vec();
            assert!(verifier.verify(b"gatepost known answer", &short).is_err());
        }
    }
}

#[test]
fn the_host_is_not_asked_about_what_it_cannot_do() {
    QUESTIONS.set(0);
    let secret = DecodingKey::from_secret(&[7; 64]);
    for algorithm in [
        Algorithm::HS256,
        Algorithm::PS256,
        Algorithm::EdDSA,
        Algorithm::RS256,
        Algorithm::ES256,
    ] {
        assert!(HostVerifier::new(algorithm, &secret, host).is_none());
    }
    let (_, p384, _) = known_answers::all().pop().unwrap();
    assert!(HostVerifier::new(Algorithm::ES256, &p384, host).is_none());
    assert!(HostVerifier::new(Algorithm::RS256, &p384, host).is_none());
    let raw = DecodingKey::from_ec_der(&[4; 10]);
    assert!(HostVerifier::new(Algorithm::ES256, &raw, host).is_none());
    assert_eq!(QUESTIONS.get(), 0);
}
