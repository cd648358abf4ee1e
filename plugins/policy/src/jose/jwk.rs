//! One key of a key set (RFC 7517 section 4): what it may verify, and nothing private.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde_json::Value;

use super::algorithm::named;

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
    pub(super) fn read(jwk: &Value) -> Option<Self> {
        let usage = text(jwk, "use")?;
        if usage.is_some_and(|usage| usage != "sig") || !may_verify(jwk) {
            return None;
        }
        let (kind, material) = material(jwk)?;
        Some(Self {
            states_use: usage.is_some(),
            algorithm: match text(jwk, "alg")? {
                None => None,
                Some(stated) => Some(named(stated)?),
            },
            kid: text(jwk, "kid")?.map(Box::from),
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

/// The string that is the member `name`, where there is one; `None` if it is something else.
fn text<'j>(jwk: &'j Value, name: &str) -> Option<Option<&'j str>> {
    match jwk.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text)),
        Some(_) => None,
    }
}

/// `key_ops`, where it is there, permits verification (RFC 7517 section 4.3).
fn may_verify(jwk: &Value) -> bool {
    match jwk.get("key_ops") {
        None | Some(Value::Null) => true,
        Some(operations) => operations
            .as_array()
            .is_some_and(|operations| operations.iter().any(|it| it == "verify")),
    }
}

fn material(jwk: &Value) -> Option<(Kind, DecodingKey)> {
    let member = |name: &str| text(jwk, name)?;
    match (member("kty")?, member("crv")) {
        ("RSA", _) => rsa_key(member("n")?, member("e")?),
        ("EC", Some("P-256")) => ec_key(Kind::P256, 32, member("x")?, member("y")?),
        ("EC", Some("P-384")) => ec_key(Kind::P384, 48, member("x")?, member("y")?),
        ("OKP", Some("Ed25519")) => {
            let x = member("x")?;
            let key = DecodingKey::from_ed_components(x).ok()?;
            (decode(x)?.len() == 32).then_some((Kind::Ed25519, key))
        }
        ("oct", _) => {
            let secret = decode(member("k")?)?;
            let kind = Kind::Secret {
                bytes: secret.len(),
            };
            Some((kind, DecodingKey::from_secret(&secret)))
        }
        _ => None,
    }
}

/// Coordinates have the curve's full length (RFC 7518 section 6.2.1.2).
fn ec_key(kind: Kind, bytes: usize, x: &str, y: &str) -> Option<(Kind, DecodingKey)> {
    let whole = decode(x)?.len() == bytes && decode(y)?.len() == bytes;
    let key = DecodingKey::from_ec_components(x, y).ok()?;
    whole.then_some((kind, key))
}

fn rsa_key(n: &str, e: &str) -> Option<(Kind, DecodingKey)> {
    let modulus = decode(n)?;
    let exponent = decode(e)?;
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
