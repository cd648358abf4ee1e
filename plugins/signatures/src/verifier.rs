//! Checking signatures in pure Rust.
//!
//! The same crates as in `jsonwebtoken`'s own provider in pure Rust. That one comes with its signers,
//! which nothing here must carry: 130 KB, and RSA signatures whose time tells of the key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind,
    crypto::JwtVerifier,
    errors::{self, ErrorKind},
    signature::{Error, Verifier},
};
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::{Sha256, Sha384, Sha512};
use sha2_of_rsa::Digest as _;

/// A public key that checks signatures, without a host's help.
pub struct RustVerifier {
    algorithm: Algorithm,
    key: RustKey,
}

enum RustKey {
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Rsa(RsaPublicKey),
    Secret(Vec<u8>),
}

/// HMAC (RFC 2104) with one of several hash functions, compared in constant time.
macro_rules! mac {
    ($hash:ty, $secret:expr, $text:expr, $tag:expr) => {{
        let mut mac = Hmac::<$hash>::new_from_slice($secret).map_err(|_| Error::new())?;
        mac.update($text);
        mac.verify_slice($tag).map_err(|_| Error::new())
    }};
}

/// An RSA signature of either kind over the hash of a text.
macro_rules! rsa {
    ($hash:ty, $key:expr, $pss:expr, $text:expr, $signature:expr) => {{
        let digest = <$hash>::digest($text);
        let verified = match $pss {
            true => $key.verify(Pss::new::<$hash>(), &digest, $signature),
            false => $key.verify(Pkcs1v15Sign::new::<$hash>(), &digest, $signature),
        };
        verified.map_err(|_| Error::new())
    }};
}

impl RustVerifier {
    /// Makes ready to check signatures of `algorithm`.
    ///
    /// # Errors
    /// The key is not for this algorithm.
    pub fn new(algorithm: Algorithm, key: &DecodingKey) -> errors::Result<Self> {
        if key.family() != algorithm.family() {
            return Err(ErrorKind::InvalidKeyFormat.into());
        }
        let key = match (algorithm, algorithm.family()) {
            (Algorithm::ES256, _) => p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes(key)?)
                .map(|key| RustKey::P256(Box::new(key)))
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?,
            (Algorithm::ES384, _) => p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes(key)?)
                .map(|key| RustKey::P384(Box::new(key)))
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?,
            (Algorithm::EdDSA, _) => <&[u8; 32]>::try_from(bytes(key)?)
                .ok()
                .and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok())
                .map(|key| RustKey::Ed25519(Box::new(key)))
                .ok_or(ErrorKind::InvalidEddsaKey)?,
            (_, AlgorithmFamily::Rsa) => RustKey::Rsa(rsa_key(key)?),
            (_, AlgorithmFamily::Hmac) => RustKey::Secret(bytes(key)?.to_vec()),
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        };
        Ok(Self { algorithm, key })
    }
}

/// Shows the algorithm: a secret for HMAC is not shown.
impl std::fmt::Debug for RustVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RustVerifier({:?})", self.algorithm)
    }
}

fn bytes(key: &DecodingKey) -> errors::Result<&[u8]> {
    match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => Ok(bytes),
        DecodingKeyKind::RsaModulusExponent { .. } => Err(ErrorKind::InvalidKeyFormat.into()),
    }
}

/// The engine's RSA keys come from JWKs, never from DER.
fn rsa_key(key: &DecodingKey) -> errors::Result<RsaPublicKey> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else {
        return Err(ErrorKind::InvalidKeyFormat.into());
    };
    let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    RsaPublicKey::new(n, e).map_err(|error| ErrorKind::InvalidRsaKey(error.to_string()).into())
}

impl Verifier<Vec<u8>> for RustVerifier {
    fn verify(&self, text: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        match &self.key {
            RustKey::P256(key) => {
                let signature = p256::ecdsa::Signature::from_slice(signature);
                key.verify(text, &signature?)
            }
            RustKey::P384(key) => {
                let signature = p384::ecdsa::Signature::from_slice(signature);
                key.verify(text, &signature?)
            }
            RustKey::Ed25519(key) => {
                key.verify(text, &ed25519_dalek::Signature::from_slice(signature)?)
            }
            RustKey::Rsa(key) => match self.algorithm {
                Algorithm::RS256 => rsa!(sha2_of_rsa::Sha256, key, false, text, signature),
                Algorithm::RS384 => rsa!(sha2_of_rsa::Sha384, key, false, text, signature),
                Algorithm::RS512 => rsa!(sha2_of_rsa::Sha512, key, false, text, signature),
                Algorithm::PS256 => rsa!(sha2_of_rsa::Sha256, key, true, text, signature),
                Algorithm::PS384 => rsa!(sha2_of_rsa::Sha384, key, true, text, signature),
                Algorithm::PS512 => rsa!(sha2_of_rsa::Sha512, key, true, text, signature),
                _ => Err(Error::new()),
            },
            RustKey::Secret(secret) => match self.algorithm {
                Algorithm::HS256 => mac!(Sha256, secret, text, signature),
                Algorithm::HS384 => mac!(Sha384, secret, text, signature),
                Algorithm::HS512 => mac!(Sha512, secret, text, signature),
                _ => Err(Error::new()),
            },
        }
    }
}

impl JwtVerifier for RustVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
