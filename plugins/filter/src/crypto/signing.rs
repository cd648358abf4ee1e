//! Making signatures: by the host through Envoy's foreign function `sign` where it is there, and in pure
//! Rust for what that does in constant time.

use std::cell::Cell;

use gatepost_policy::jose::der::{RSA_ENCRYPTION, private_key_info};
use gatepost_signatures::RustSigner;
use jsonwebtoken::{
    Algorithm, EncodingKey,
    crypto::JwtSigner,
    errors::{self, ErrorKind},
    signature::{Error, Signer},
};
use proxy_wasm::types::Status;
use zeroize::Zeroizing;

use super::{Ask, Kind, Scheme, der, message};
use crate::host::{self, HostError};

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

#[cfg(test)]
mod tests;
