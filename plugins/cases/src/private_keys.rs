//! The private members of the cases' keys, as a JWK has them (RFC 7518 section 6).

use anyhow::{Context as _, bail};
use aws_lc_rs::{
    encoding::AsBigEndian as _,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use serde_json::Value;

/// `key` is PKCS #1 for RSA, PKCS #8 for elliptic curves, the secret itself for HMAC.
pub(crate) fn private_members(
    algorithm: Algorithm,
    key: &[u8],
) -> anyhow::Result<Vec<(String, Value)>> {
    let numbers = match algorithm {
        Algorithm::RS256
        | Algorithm::RS384
        | Algorithm::RS512
        | Algorithm::PS256
        | Algorithm::PS384
        | Algorithm::PS512 => rsa(key).context("not an RSAPrivateKey")?,
        Algorithm::ES256 => vec![("d", ec(&ECDSA_P256_SHA256_FIXED_SIGNING, key)?)],
        Algorithm::ES384 => vec![("d", ec(&ECDSA_P384_SHA384_FIXED_SIGNING, key)?)],
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::from_pkcs8(key)?;
            vec![("d", pair.seed()?.as_be_bytes()?.as_ref().to_vec())]
        }
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => vec![("k", key.to_vec())],
        other => bail!("no key of the cases signs with {other:?}"),
    };
    let text = |number: Vec<u8>| URL_SAFE_NO_PAD.encode(number).into();
    Ok(numbers
        .into_iter()
        .map(|(name, number)| (name.to_owned(), text(number)))
        .collect())
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, key: &[u8]) -> anyhow::Result<Vec<u8>> {
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, key)?;
    Ok(pair.private_key().as_be_bytes()?.as_ref().to_vec())
}

/// The numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2): version, n, e, and these.
fn rsa(der: &[u8]) -> Option<Vec<(&'static str, Vec<u8>)>> {
    let (mut numbers, _) = element(der)?;
    let mut found = Vec::new();
    for name in ["", "", "", "d", "p", "q", "dp", "dq", "qi"] {
        let (number, rest) = element(numbers)?;
        numbers = rest;
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        if !name.is_empty() {
            found.push((name, number.get(zeros..)?.to_vec()));
        }
    }
    Some(found)
}

/// The content of the first DER element, and what follows it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match length {
        short @ ..0x80 => (usize::from(*short), rest),
        long => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            let length = bytes.iter().fold(0, |sum: usize, byte| {
                sum.wrapping_shl(8) | usize::from(*byte)
            });
            (length, rest)
        }
    };
    rest.split_at_checked(length)
}
