//! Signatures: checked and made by the host where it can, in pure Rust elsewhere.
//!
//! Envoy verifies RSA (PKCS #1 v1.5) and ECDSA signatures for a module through its foreign function
//! `verify_signature`, natively and some ten times faster than code inside the VM. Whether a host
//! does, and does it right, is found out with known answers when [`install`] is called, for each
//! algorithm by itself. Everything else is done in pure Rust, by `gatepost-signatures`.
//!
//! A host's "no" is a "no": only when it does not answer at all does pure Rust decide.

mod der;
mod known_answers;
mod message;
#[cfg(feature = "rules")]
mod signing;

use std::cell::RefCell;

use gatepost_signatures::NO_KEY_UTILS;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    crypto::{CryptoProvider, JwtVerifier},
    errors,
    signature::{self, Verifier},
};

use crate::host::{self, HostError};

/// Makes this the way in which the engine verifies signatures, and finds out what the host can do.
/// To be called from `on_configure` (hosts may take no foreign calls before), and before the first
/// token is checked.
pub(crate) fn install() {
    // In a VM that is configured again it is there already.
    let _ = PROVIDER.install_default();
    let verified = known_answers::verified_by(host::verify_signature);
    host::log_info(&if verified.is_empty() {
        "signatures are verified inside the module: the proxy does not offer it".to_owned()
    } else {
        format!("signatures of {verified:?} are verified by the proxy")
    });
    BY_HOST.set(verified);
    #[cfg(feature = "rules")]
    signing::install();
}

static PROVIDER: CryptoProvider = CryptoProvider {
    #[cfg(feature = "rules")]
    signer_factory: signing::signer,
    #[cfg(not(feature = "rules"))]
    signer_factory: |_, _| Err(errors::ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: NO_KEY_UTILS,
};

thread_local! {
    /// The algorithms that the host verifies. A VM has one thread.
    static BY_HOST: RefCell<Vec<Algorithm>> = const { RefCell::new(Vec::new()) };
}

/// Hands `verify_signature`'s message to the host and returns its answer.
type Ask = fn(&[u8]) -> Result<Vec<u8>, HostError>;

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> errors::Result<Box<dyn JwtVerifier>> {
    let by_host = BY_HOST.with_borrow(|by_host| by_host.contains(algorithm));
    match HostVerifier::new(*algorithm, key, host::verify_signature) {
        Some(verifier) if by_host => Ok(Box::new(verifier)),
        _ => gatepost_signatures::verifier(algorithm, key),
    }
}

/// One key, made ready for the host.
struct HostVerifier {
    algorithm: Algorithm,
    scheme: Scheme,
    /// DER of the key's SubjectPublicKeyInfo.
    public_key: Vec<u8>,
    key: DecodingKey,
    ask: Ask,
}

/// What the host has to know about an algorithm.
#[derive(Clone, Copy)]
struct Scheme {
    hash: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Rsa,
    Ecdsa(der::Curve),
}

impl Scheme {
    /// `None` for what Envoy does not verify: RSASSA-PSS, EdDSA, and HMAC, which is no signature.
    const fn of(algorithm: Algorithm) -> Option<Self> {
        let (hash, kind) = match algorithm {
            Algorithm::RS256 => ("sha256", Kind::Rsa),
            Algorithm::RS384 => ("sha384", Kind::Rsa),
            Algorithm::RS512 => ("sha512", Kind::Rsa),
            Algorithm::ES256 => ("sha256", Kind::Ecdsa(der::Curve::P256)),
            Algorithm::ES384 => ("sha384", Kind::Ecdsa(der::Curve::P384)),
            _ => return None,
        };
        Some(Self { hash, kind })
    }
}

impl HostVerifier {
    /// `None` where the host is not to be asked: the algorithm is not for it, or the key does not
    /// fit (pure Rust then says what is wrong with it).
    fn new(algorithm: Algorithm, key: &DecodingKey, ask: Ask) -> Option<Self> {
        let scheme = Scheme::of(algorithm)?;
        if key.family() != algorithm.family() {
            return None;
        }
        let public_key = match scheme.kind {
            Kind::Rsa => der::rsa_public_key(key)?,
            Kind::Ecdsa(curve) => der::ec_public_key(curve, key)?,
        };
        Some(Self {
            algorithm,
            scheme,
            public_key,
            key: key.clone(),
            ask,
        })
    }

    /// What the host says; an error if it says nothing that can be understood.
    fn ask(&self, text: &[u8], signature: &[u8]) -> Result<bool, NoAnswer> {
        let signature = match self.scheme.kind {
            Kind::Rsa => signature.to_vec(),
            Kind::Ecdsa(curve) => match der::ecdsa_signature(curve, signature) {
                Some(signature) => signature,
                None => return Ok(false),
            },
        };
        let question = message::question(self.scheme.hash, &self.public_key, &signature, text);
        let answer = (self.ask)(&question).map_err(|_| NoAnswer)?;
        message::answer(&answer).ok_or(NoAnswer)
    }
}

/// The host did not answer, or not in the form that is known.
struct NoAnswer;

impl Verifier<Vec<u8>> for HostVerifier {
    fn verify(&self, text: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        match self.ask(text, signature) {
            Ok(true) => Ok(()),
            Ok(false) => Err(signature::Error::new()),
            Err(NoAnswer) => gatepost_signatures::verifier(&self.algorithm, &self.key)
                .map_err(signature::Error::from_source)?
                .verify(text, signature),
        }
    }
}

impl JwtVerifier for HostVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[cfg(test)]
mod tests;
