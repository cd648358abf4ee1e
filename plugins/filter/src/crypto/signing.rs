//! Making signatures: by the host through Envoy's foreign function `sign` where it is there, and in pure
//! Rust for what that does in constant time.

use std::cell::Cell;

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use gatepost_policy::jose::der::{RSA_ENCRYPTION, private_key_info};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, EncodingKey,
    crypto::JwtSigner,
    errors::{self, ErrorKind},
    signature::{Error, Signer},
};
use proxy_wasm::types::Status;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::{Ask, Kind, Scheme, der, message};
use crate::host::{self, HostError};

/// HMAC (RFC 2104) with one of several hash functions.
macro_rules! mac {
    ($hash:ty, $secret:expr, $text:expr) => {{
        let mut mac = Hmac::<$hash>::new_from_slice($secret).map_err(|_| Error::new())?;
        mac.update($text);
        Ok(mac.finalize().into_bytes().to_vec())
    }};
}
thread_local! {
    /// Whether the host signs. A VM has one thread.
    static BY_HOST: Cell<bool> = const { Cell::new(false) };
}

/// Finds out whether the host signs. That it does so rightly is proved for each key by itself: no
/// signature leaves the engine that was not verified.
pub(super) fn install() {
    let offered = is_offered(host::sign);
    BY_HOST.set(offered);
    if !offered {
        host::log_info(
            "the proxy does not sign for the module: keys for RS256 and its like are refused",
        );
    }
}

/// A host that has the function has something to say even to an order without a key: Envoy calls it a bad
/// argument. Only one that lacks it says that there is none.
fn is_offered(ask: Ask) -> bool {
    match ask(&message::order("sha256", b"", b"")) {
        Ok(answer) => message::answer(&answer).is_some(),
        Err(HostError::Refused { status, .. }) => status == Status::BadArgument,
        Err(_) => false,
    }
}

/// Makes ready to sign. An error: nothing here signs with this algorithm, or the key is not for it.
pub(super) fn signer(
    algorithm: &Algorithm,
    key: &EncodingKey,
) -> errors::Result<Box<dyn JwtSigner>> {
    let by_host = BY_HOST.get().then_some(host::sign as Ask);
    signer_asking(by_host, *algorithm, key)
}

fn signer_asking(
    by_host: Option<Ask>,
    algorithm: Algorithm,
    key: &EncodingKey,
) -> errors::Result<Box<dyn JwtSigner>> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    match by_host.and_then(|ask| HostSigner::new(algorithm, key, ask)) {
        Some(signer) => Ok(Box::new(signer)),
        None => Ok(Box::new(RustSigner::new(algorithm, key)?)),
    }
}

/// One private key, made ready for the host.
struct HostSigner {
    algorithm: Algorithm,
    scheme: Scheme,
    /// PKCS #8.
    private_key: Zeroizing<Vec<u8>>,
    key: EncodingKey,
    ask: Ask,
}

impl HostSigner {
    /// `None` for what Envoy does not sign: RSASSA-PSS, EdDSA and HMAC.
    fn new(algorithm: Algorithm, key: &EncodingKey, ask: Ask) -> Option<Self> {
        let scheme = Scheme::of(algorithm)?;
        let private_key = Zeroizing::new(match scheme.kind {
            Kind::Rsa => private_key_info(&RSA_ENCRYPTION, key.as_bytes()),
            Kind::Ecdsa(_) => key.as_bytes().to_vec(),
        });
        Some(Self {
            algorithm,
            scheme,
            private_key,
            key: key.clone(),
            ask,
        })
    }
}

impl Signer<Vec<u8>> for HostSigner {
    fn try_sign(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        let order = message::order(self.scheme.hash, &self.private_key, text);
        let order = Zeroizing::new(order);
        let answer = (self.ask)(&order);
        let signature = answer.as_deref().ok().and_then(message::signature);
        let signature = signature.and_then(|signature| match self.scheme.kind {
            Kind::Rsa => Some(signature.to_vec()),
            Kind::Ecdsa(curve) => der::joined(curve, signature),
        });
        match signature {
            Some(signature) => Ok(signature),
            None => RustSigner::new(self.algorithm, &self.key)
                .map_err(Error::from_source)?
                .try_sign(text),
        }
    }
}

impl JwtSigner for HostSigner {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// A private key that signs inside the module.
struct RustSigner {
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
    fn new(algorithm: Algorithm, key: &EncodingKey) -> errors::Result<Self> {
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

#[cfg(test)]
mod tests;
