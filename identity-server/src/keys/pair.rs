//! One key pair in memory: made, packed for storage, unpacked, and put to use.
//!
//! aws-lc-rs does all of it, in constant time. jsonwebtoken would parse (and check) the private key again for every
//! signature, which for RSA costs more than signing; here a key is parsed once.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Algorithm;
use crate::id::KeyId;

/// The cryptographic library refused. It does not say why, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key could not be made, read or used")]
pub struct CryptoError;

/// A private key, parsed, with its public half.
pub(super) enum Pair {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Pair {
    /// Makes a new one. Takes up to a second for RSA: not on the threads that answer requests.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, CryptoError> {
        match algorithm {
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Self::Rs256),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::Es256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Self::EdDsa),
        }
        .map_err(|_| CryptoError)
    }

    /// Reads what [`pkcs8`](Self::pkcs8) wrote.
    pub(super) fn parse(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        match algorithm {
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Self::Rs256),
            Algorithm::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map(Self::Es256)
            }
            // Version 1 of PKCS#8 carries no public half to check against; it is computed from the private one.
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map(Self::EdDsa),
        }
        .map_err(|_| CryptoError)
    }

    /// The private key for storage, PKCS#8 version 1. To be sealed before it goes anywhere.
    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let bytes = match self {
            Self::Rs256(pair) => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec())
            }
            Self::Es256(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
            Self::EdDsa(pair) => pair.to_pkcs8v1().map(|document| document.as_ref().to_vec()),
        };
        bytes.map(Zeroizing::new).map_err(|_| CryptoError)
    }

    /// The signature over `message`, in the form that JWS wants (RFC 7518 §3).
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let random = SystemRandom::new();
        match self {
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| CryptoError)?;
                Ok(signature)
            }
            Self::Es256(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| CryptoError),
            Self::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }

    /// The public key as a JSON Web Key (RFC 7517): public members only, by construction.
    pub(super) fn public_jwk(&self, id: &KeyId) -> Result<Value, CryptoError> {
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let kid = id.as_str();
        Ok(match self {
            Self::Rs256(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let (n, e) = (b64(&public.n), b64(&public.e));
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e})
            }
            Self::Es256(pair) => {
                // SEC 1 uncompressed point: 0x04, x, y.
                let [4, point @ ..] = pair.public_key().as_ref() else {
                    return Err(CryptoError);
                };
                let (x, y) = point.split_at_checked(32).ok_or(CryptoError)?;
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": b64(x), "y": b64(y)})
            }
            Self::EdDsa(pair) => {
                let x = b64(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x})
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_survives_packing_and_its_signature_is_accepted_by_its_public_key() {
        super::super::install_crypto();
        for algorithm in Algorithm::ALL {
            let id = KeyId::new("k1");
            let made = Pair::generate(algorithm).unwrap();
            let read = Pair::parse(algorithm, &made.pkcs8().unwrap()).unwrap();
            let jwk = made.public_jwk(&id).unwrap();
            assert_eq!(jwk, read.public_jwk(&id).unwrap());
            assert!(jwk.get("d").is_none() && jwk.get("p").is_none(), "{jwk}");
            let key =
                jsonwebtoken::DecodingKey::from_jwk(&serde_json::from_value(jwk).unwrap()).unwrap();
            let signature = URL_SAFE_NO_PAD.encode(read.sign(b"a.b").unwrap());
            let name = serde_json::from_value(json!(algorithm.name())).unwrap();
            assert!(
                jsonwebtoken::crypto::verify(&signature, b"a.b", &key, name).unwrap(),
                "{algorithm}"
            );
        }
    }
}
