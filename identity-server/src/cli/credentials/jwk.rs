//! Private keys as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037). aws-lc-rs makes them.

use anyhow::{Context as _, bail};
use aws_lc_rs::encoding::{AsBigEndian as _, AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::ValueEnum as _;
use gatepost_policy::jose::der;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::jwks::Algorithm;
use crate::entropy::Entropy;

/// The largest secret for HMAC, in bits.
const MAX_SECRET: u32 = 4096;

/// Makes a private key.
pub(super) fn generate(
    algorithm: Algorithm,
    bits: Option<u32>,
    kid: &str,
    entropy: &dyn Entropy,
) -> anyhow::Result<Value> {
    let mut jwk = match algorithm {
        Algorithm::Es256 => {
            size_is(bits, 256)?;
            ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")?
        }
        Algorithm::Es384 => {
            size_is(bits, 384)?;
            ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")?
        }
        Algorithm::EdDsa => {
            size_is(bits, 256)?;
            ed25519()?
        }
        Algorithm::Hs256 => secret(256, bits, entropy)?,
        Algorithm::Hs384 => secret(384, bits, entropy)?,
        Algorithm::Hs512 => secret(512, bits, entropy)?,
        Algorithm::Rs256
        | Algorithm::Rs384
        | Algorithm::Rs512
        | Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512 => rsa(bits)?,
    };
    let name = algorithm
        .to_possible_value()
        .context("the algorithm has no name")?;
    if let Some(members) = jwk.as_object_mut() {
        members.insert("use".to_owned(), "sig".into());
        members.insert("alg".to_owned(), name.get_name().into());
        members.insert("kid".to_owned(), kid.into());
    }
    Ok(jwk)
}

fn size_is(bits: Option<u32>, only: u32) -> anyhow::Result<()> {
    match bits {
        Some(bits) if bits != only => {
            bail!("a key for this algorithm has {only} bits; leave `--bits {bits}` out")
        }
        _ => Ok(()),
    }
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, curve: &str) -> anyhow::Result<Value> {
    let pair = EcdsaKeyPair::generate(algorithm).context(NOT_MADE)?;
    let private = pair.private_key().as_be_bytes().context(NOT_MADE)?;
    // SEC 1, uncompressed: 0x04, x, y.
    let [4, point @ ..] = pair.public_key().as_ref() else {
        bail!(NOT_MADE);
    };
    let (x, y) = point.split_at(point.len() / 2);
    Ok(json!({"kty": "EC", "crv": curve, "x": text(x), "y": text(y), "d": text(private.as_ref())}))
}

fn ed25519() -> anyhow::Result<Value> {
    let pair = Ed25519KeyPair::generate().context(NOT_MADE)?;
    let seed = pair.seed().context(NOT_MADE)?;
    let seed = seed.as_be_bytes().context(NOT_MADE)?;
    let x = text(pair.public_key().as_ref());
    Ok(json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": text(seed.as_ref())}))
}

fn rsa(bits: Option<u32>) -> anyhow::Result<Value> {
    let size = match bits {
        None | Some(2048) => KeySize::Rsa2048,
        Some(3072) => KeySize::Rsa3072,
        Some(4096) => KeySize::Rsa4096,
        Some(8192) => KeySize::Rsa8192,
        Some(other) => bail!("an RSA key has 2048, 3072, 4096 or 8192 bits, not {other}"),
    };
    let pair = RsaKeyPair::generate(size).context(NOT_MADE)?;
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).context(NOT_MADE)?;
    let numbers = rsa_numbers(pkcs8.as_ref()).context(NOT_MADE)?;
    let members = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].into_iter();
    let mut jwk = json!({"kty": "RSA"});
    if let Some(jwk) = jwk.as_object_mut() {
        jwk.extend(
            members
                .zip(numbers)
                .map(|(name, number)| (name.to_owned(), text(number).into())),
        );
    }
    Ok(jwk)
}

/// The numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2), from the modulus on, out of its
/// PrivateKeyInfo (RFC 5208 section 5).
fn rsa_numbers(pkcs8: &[u8]) -> Option<[&[u8]; 8]> {
    let (info, _) = der::content(der::SEQUENCE, pkcs8)?;
    let (_version, rest) = der::content(der::INTEGER, info)?;
    let (_algorithm, rest) = der::content(der::SEQUENCE, rest)?;
    let (key, _) = der::content(der::OCTET_STRING, rest)?;
    let (key, _) = der::content(der::SEQUENCE, key)?;
    let (_version, mut rest) = der::content(der::INTEGER, key)?;
    let mut numbers: [&[u8]; 8] = [&[]; 8];
    for number in &mut numbers {
        let (bytes, following) = der::content(der::INTEGER, rest)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        (*number, rest) = (bytes.get(zeros..)?, following);
    }
    Some(numbers)
}

fn secret(least: u32, bits: Option<u32>, entropy: &dyn Entropy) -> anyhow::Result<Value> {
    let bits = bits.unwrap_or(least);
    if !(least..=MAX_SECRET).contains(&bits) || !bits.is_multiple_of(8) {
        bail!("a secret for this algorithm has {least} to {MAX_SECRET} bits, in whole bytes");
    }
    let mut secret = Zeroizing::new(vec![0; usize::try_from(bits / 8)?]);
    entropy.fill(&mut secret)?;
    Ok(json!({"kty": "oct", "k": text(&secret)}))
}

fn text(number: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(number)
}

const NOT_MADE: &str = "the key could not be made";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn make(algorithm: Algorithm, bits: Option<u32>) -> anyhow::Result<Value> {
        generate(algorithm, bits, "k", &SystemEntropy::default())
    }

    #[test]
    fn every_key_but_a_secret_has_a_public_half_that_the_engine_publishes() {
        for algorithm in Algorithm::value_variants() {
            let jwk = make(*algorithm, None).unwrap();
            let is_secret = jwk["kty"] == "oct";
            let public = gatepost_policy::jose::public_keys(&json!({"keys": [jwk]})).unwrap();
            assert_eq!(public.len(), usize::from(!is_secret), "{algorithm:?}");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(public.iter().all(|key| key.get(private).is_none()));
            }
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        for (algorithm, bits) in [
            (Algorithm::Es256, 384),
            (Algorithm::EdDsa, 448),
            (Algorithm::Rs256, 1024),
            (Algorithm::Hs256, 128),
            (Algorithm::Hs512, 513),
        ] {
            assert!(make(algorithm, Some(bits)).is_err(), "{algorithm:?} {bits}");
        }
        assert!(make(Algorithm::Es384, Some(384)).is_ok());
    }
}
