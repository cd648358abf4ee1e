//! Making signatures in pure Rust, with what does so in constant time.

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, EncodingKey,
    crypto::JwtSigner,
    errors::{self, ErrorKind},
    signature::{Error, Signer},
};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// HMAC (RFC 2104) with one of several hash functions.
macro_rules! mac {
    ($hash:ty, $secret:expr, $text:expr) => {{
        let mut mac = Hmac::<$hash>::new_from_slice($secret).map_err(|_| Error::new())?;
        mac.update($text);
        Ok(mac.finalize().into_bytes().to_vec())
    }};
}

/// A private key that signs, without a host's help.
pub struct RustSigner {
    algorithm: Algorithm,
    key: RustKey,
}

enum RustKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Secret(Zeroizing<Vec<u8>>),
}

impl RustSigner {
    /// Reads the key: PKCS #8 for elliptic curves, the secret itself for HMAC.
    ///
    /// # Errors
    /// It is not one for this algorithm, or the algorithm is one of RSA's.
    pub fn new(algorithm: Algorithm, key: &EncodingKey) -> errors::Result<Self> {
        let bytes = key.as_bytes();
        let key = match (algorithm, algorithm.family()) {
            (Algorithm::ES256, _) => p256::ecdsa::SigningKey::from_pkcs8_der(bytes)
                .map(RustKey::P256)
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?,
            (Algorithm::ES384, _) => p384::ecdsa::SigningKey::from_pkcs8_der(bytes)
                .map(RustKey::P384)
                .map_err(|_| ErrorKind::InvalidEcdsaKey)?,
            (Algorithm::EdDSA, _) => ed25519_dalek::SigningKey::from_pkcs8_der(bytes)
                .map(|key| RustKey::Ed25519(Box::new(key)))
                .map_err(|_| ErrorKind::InvalidEddsaKey)?,
            (_, AlgorithmFamily::Hmac) => RustKey::Secret(Zeroizing::new(bytes.to_vec())),
            // RSA: its time would tell of the key.
            _ => return Err(ErrorKind::InvalidAlgorithm.into()),
        };
        Ok(Self { algorithm, key })
    }
}

/// Keys are not shown.
impl std::fmt::Debug for RustSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RustSigner({:?})", self.algorithm)
    }
}

impl Signer<Vec<u8>> for RustSigner {
    fn try_sign(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.key {
            RustKey::P256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(text)?;
                Ok(signature.to_bytes().to_vec())
            }
            RustKey::P384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(text)?;
                Ok(signature.to_bytes().to_vec())
            }
            RustKey::Ed25519(key) => Ok(key.try_sign(text)?.to_vec()),
            RustKey::Secret(secret) => match self.algorithm {
                Algorithm::HS256 => mac!(Sha256, secret, text),
                Algorithm::HS384 => mac!(Sha384, secret, text),
                _ => mac!(Sha512, secret, text),
            },
        }
    }
}

impl JwtSigner for RustSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
