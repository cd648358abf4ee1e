//! Signatures in pure Rust, for WebAssembly: in a proxy where its host does not help, and in a browser.
//!
//! Made of the crates of `jsonwebtoken`'s own provider in pure Rust, without its signers for RSA: the `rsa`
//! crate's time tells of the key (RUSTSEC-2023-0071).

mod signer;
mod verifier;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{self, ErrorKind},
};

pub use signer::RustSigner;
pub use verifier::RustVerifier;

/// A provider that makes no keys: the engine has no use for that, and what would make them is left out of
/// the module.
pub const NO_KEY_UTILS: KeyUtils = KeyUtils {
    rsa_pub_components_from_private_key: |_| Err(ErrorKind::InvalidAlgorithm.into()),
    rsa_pub_components_from_public_key: |_| Err(ErrorKind::InvalidAlgorithm.into()),
    ec_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    ed_pub_components_from_private_key: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    compute_digest: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
};

/// Everything in pure Rust.
pub static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    key_utils: NO_KEY_UTILS,
};

/// What checks the signatures of `key`.
///
/// # Errors
/// The key is not one for this algorithm.
pub fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> errors::Result<Box<dyn JwtVerifier>> {
    Ok(Box::new(RustVerifier::new(*algorithm, key)?))
}

fn signer(algorithm: &Algorithm, key: &EncodingKey) -> errors::Result<Box<dyn JwtSigner>> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(RustSigner::new(*algorithm, key)?))
}
