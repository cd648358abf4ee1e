//! One key of a key set (RFC 7517 section 4): what it may verify, and nothing private.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse,
        RSAKeyParameters,
    },
};
use serde_json::Value;

/// Shorter moduli can be factored; longer ones cost a verifier more than any honest key does
/// (CVE-2024-28180 and its kin).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// `e = 1` makes every message its own signature; huge exponents are a denial of service. Odd
/// exponents from 3 to this many bits are all that exist in the wild.
const RSA_EXPONENT_MAX_BITS: usize = 33;

/// Names a key for as long as its set holds it unchanged. Never used again for another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyId(pub(super) u64);

/// A key that can verify signatures.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) kid: Option<Box<str>>,
    /// Whether the key says `"use": "sig"`. Where it says another use it is no [`Key`] at all.
    pub(super) states_use: bool,
    kind: Kind,
    algorithm: Option<Algorithm>,
    material: DecodingKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
    Secret { bytes: usize },
}

impl Key {
    /// Reads a JWK. `None` for keys that verify nothing here: for encryption, of an unknown type
    /// or curve, too weak, or malformed. Private members are not looked at.
    pub(super) fn read(jwk: Value) -> Option<Self> {
        let Jwk { common, algorithm } = serde_json::from_value(jwk).ok()?;
        if !may_verify(&common) {
            return None;
        }
        let (kind, material) = material(&algorithm)?;
        Some(Self {
            states_use: common.public_key_use.is_some(),
            algorithm: match common.key_algorithm {
                None => None,
                Some(stated) => Some(Algorithm::try_from(stated).ok()?),
            },
            kid: common.key_id.map(String::into_boxed_str),
            kind,
            material,
        })
    }

    /// Whether the key is meant for signatures of `algorithm`: its type, its curve, its length and
    /// its own `alg` agree. This is what keeps an RSA key from serving as an HMAC secret.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|stated| stated == algorithm) && self.kind.fits(algorithm)
    }

    /// Whether `signature` (base64url) is this key's over `message`.
    pub(super) fn signed(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        self.fits(algorithm)
            && matches!(
                jsonwebtoken::crypto::verify(
                    signature,
                    message.as_bytes(),
                    &self.material,
                    algorithm
                ),
                Ok(true)
            )
    }
}

impl Key {
    /// Whether both are the same number, whatever else they say of themselves.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.kind == other.kind && same_material(self.material.kind(), other.material.kind())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.kid, self.states_use, self.kind, self.algorithm)
            == (&other.kid, other.states_use, other.kind, other.algorithm)
            && same_material(self.material.kind(), other.material.kind())
    }
}

impl Kind {
    const fn fits(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512 => matches!(self, Self::Rsa),
            Algorithm::ES256 => matches!(self, Self::P256),
            Algorithm::ES384 => matches!(self, Self::P384),
            Algorithm::EdDSA => matches!(self, Self::Ed25519),
            // A secret is at least as long as the hash (RFC 7518 section 3.2).
            Algorithm::HS256 => matches!(self, Self::Secret { bytes: 32.. }),
            Algorithm::HS384 => matches!(self, Self::Secret { bytes: 48.. }),
            Algorithm::HS512 => matches!(self, Self::Secret { bytes: 64.. }),
            _ => false,
        }
    }
}

/// `use` and `key_ops`, where they are there, both permit verification (RFC 7517 sections 4.2, 4.3).
fn may_verify(common: &CommonParameters) -> bool {
    let by_use = common
        .public_key_use
        .as_ref()
        .is_none_or(|stated| *stated == PublicKeyUse::Signature);
    let by_operations = common
        .key_operations
        .as_ref()
        .is_none_or(|stated| stated.contains(&KeyOperations::Verify));
    by_use && by_operations
}

fn material(parameters: &AlgorithmParameters) -> Option<(Kind, DecodingKey)> {
    match parameters {
        AlgorithmParameters::RSA(rsa) => rsa_key(rsa),
        AlgorithmParameters::EllipticCurve(ec) => {
            let (kind, bytes) = match ec.curve {
                EllipticCurve::P256 => (Kind::P256, 32),
                EllipticCurve::P384 => (Kind::P384, 48),
                _ => return None,
            };
            // Coordinates have the curve's full length (RFC 7518 section 6.2.1.2).
            let whole = decode(&ec.x)?.len() == bytes && decode(&ec.y)?.len() == bytes;
            let key = DecodingKey::from_ec_components(&ec.x, &ec.y).ok()?;
            whole.then_some((kind, key))
        }
        AlgorithmParameters::OctetKeyPair(okp) => {
            let ed25519 = okp.curve == EllipticCurve::Ed25519 && decode(&okp.x)?.len() == 32;
            let key = DecodingKey::from_ed_components(&okp.x).ok()?;
            ed25519.then_some((Kind::Ed25519, key))
        }
        AlgorithmParameters::OctetKey(oct) => {
            let secret = decode(&oct.value)?;
            let kind = Kind::Secret {
                bytes: secret.len(),
            };
            Some((kind, DecodingKey::from_secret(&secret)))
        }
        _ => None,
    }
}

fn rsa_key(rsa: &RSAKeyParameters) -> Option<(Kind, DecodingKey)> {
    let modulus = decode(&rsa.n)?;
    let exponent = decode(&rsa.e)?;
    let modulus = without_leading_zeros(&modulus);
    let exponent = without_leading_zeros(&exponent);
    let strong = RSA_BITS.contains(&bits(modulus))
        && is_odd(modulus)
        && is_odd(exponent)
        && (2..=RSA_EXPONENT_MAX_BITS).contains(&bits(exponent));
    strong.then(|| {
        (
            Kind::Rsa,
            DecodingKey::from_rsa_raw_components(modulus, exponent),
        )
    })
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// How many bits the big-endian `number`, without leading zero bytes, has.
fn bits(number: &[u8]) -> usize {
    let leading_zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    number
        .len()
        .saturating_mul(8)
        .saturating_sub(leading_zeros as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

fn same_material(a: &DecodingKeyKind, b: &DecodingKeyKind) -> bool {
    match (a, b) {
        (DecodingKeyKind::SecretOrDer(a), DecodingKeyKind::SecretOrDer(b)) => a == b,
        (
            DecodingKeyKind::RsaModulusExponent { n: n_a, e: e_a },
            DecodingKeyKind::RsaModulusExponent { n: n_b, e: e_b },
        ) => n_a == n_b && e_a == e_b,
        _ => false,
    }
}
