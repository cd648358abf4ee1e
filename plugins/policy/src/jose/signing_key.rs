//! The private key of a key set that tokens are signed with. Kept apart from the keys that verify:
//! none of those comes from here, and nothing of this is ever printed.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{algorithm::named, der, jwk::Key};
use crate::digest::{Hash, base64url, sha256};

/// A private key, and its public half to check its signatures with.
#[derive(Debug)]
pub(crate) struct SigningKey {
    kid: Box<str>,
    algorithm: Algorithm,
    private: EncodingKey,
    public: Key,
    /// Tells this key from all others: a hash of what tokens show of it.
    pub(crate) fingerprint: Hash,
}

/// Why a key set cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoSigningKey {
    /// Not a JSON object with an array `keys`.
    #[error("it is not a key set (RFC 7517 section 5)")]
    NotAKeySet,
    /// None of the keys can sign.
    #[error(
        "the key set holds no private key to sign with: one that has `kid`, `alg` and, with RSA, all of `p`, `q`, \
         `dp`, `dq` and `qi`; `gatepost credentials generate` makes one"
    )]
    NoPrivateKey,
}

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SigningFault {
    /// The provider does not sign with this algorithm, or not with this key.
    #[error(
        "nothing here signs with {0:?}: the proxy does not offer it and the module may not do it; take a key for ES256 \
         or EdDSA, or for RS256 an Envoy that has the foreign function `sign`"
    )]
    NotOffered(Algorithm),
    /// The signature is not the public key's.
    #[error("the private key and its public half do not belong together")]
    Mismatch,
}

impl SigningKey {
    /// Chooses the key of a JWK Set (RFC 7517 section 5): the first private one that may sign (`use`
    /// is `sig` or absent) and says with which `alg`. Where a public key of the set is its other half,
    /// tokens name that one's `kid`, else its own.
    pub(crate) fn choose(set: &Value) -> Result<Self, NoSigningKey> {
        let keys = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(NoSigningKey::NotAKeySet)?;
        let mut key = keys
            .iter()
            .find_map(Self::read)
            .ok_or(NoSigningKey::NoPrivateKey)?;
        let published = keys
            .iter()
            .filter(|jwk| !is_private(jwk))
            .filter_map(Key::read)
            .find(|public| public.is_same_key(&key.public));
        if let Some(kid) = published.and_then(|public| public.kid) {
            key.kid = kid;
        }
        key.fingerprint = sha256(
            format!(
                "{:?}.{}.{}",
                key.algorithm,
                key.kid,
                base64url(&key.fingerprint)
            )
            .as_bytes(),
        );
        Ok(key)
    }

    fn read(jwk: &Value) -> Option<Self> {
        if !is_private(jwk) || !may_sign(jwk) {
            return None;
        }
        let algorithm = named(text(jwk, "alg")?)?;
        let public = public_half(jwk)?;
        let fingerprint = match text(jwk, "kty")? {
            // Of a secret not even a hash goes anywhere but into another hash.
            "oct" => sha256(text(jwk, "k")?.as_bytes()),
            _ => sha256(public.to_string().as_bytes()),
        };
        let public = match text(jwk, "kty")? {
            "oct" => Key::read(&json!({"kty": "oct", "k": jwk.get("k")?})),
            _ => Key::read(&public),
        }?;
        Some(Self {
            kid: text(jwk, "kid").filter(|kid| !kid.is_empty())?.into(),
            private: private_half(jwk)?,
            public: public.fits(algorithm).then_some(public)?,
            algorithm,
            fingerprint,
        })
    }

    /// Signs claims: a token in the JWS compact form (RFC 7515 section 7.1). The signature is checked
    /// with the public half before anybody sees it: a wrong one could give an RSA key away, and would
    /// be refused by every upstream.
    pub(crate) fn sign(&self, claims: &Map<String, Value>) -> Result<String, SigningFault> {
        let header = json!({"alg": self.algorithm, "kid": self.kid, "typ": "JWT"});
        let claims = Value::Object(claims.clone()).to_string();
        let message = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.as_bytes())
        );
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.private, self.algorithm)
                .map_err(|_| SigningFault::NotOffered(self.algorithm))?;
        if !self.public.signed(self.algorithm, &message, &signature) {
            return Err(SigningFault::Mismatch);
        }
        Ok(format!("{message}.{signature}"))
    }
}

/// What the world may know of a key set: its asymmetric keys that are for signatures, as public keys.
/// Nothing is passed on that is not known to be public.
///
/// # Errors
/// It is not a JSON object with an array `keys`.
pub fn public_keys(set: &Value) -> Result<Vec<Value>, super::FetchFault> {
    let keys = set
        .get("keys")
        .and_then(Value::as_array)
        .ok_or(super::FetchFault::NotAKeySet)?;
    Ok(keys
        .iter()
        .filter(|jwk| may_sign(jwk) || !is_private(jwk))
        .filter_map(public_half)
        .filter(|public| Key::read(public).is_some())
        .collect())
}

/// The public members of an asymmetric key (RFC 7518 section 6, RFC 8037 section 2).
fn public_half(jwk: &Value) -> Option<Value> {
    const PUBLIC: &[&str] = &[
        "kty", "use", "alg", "kid", "x5c", "x5t", "x5t#S256", "n", "e", "crv", "x", "y",
    ];
    let members = PUBLIC
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), jwk.get(*name)?.clone())));
    Some(Value::Object(members.collect()))
}

/// Whether a key is one that only its owner has.
fn is_private(jwk: &Value) -> bool {
    jwk.get("d").is_some() || jwk.get("k").is_some()
}

/// Whether `use` and `key_ops`, where they are there, permit signing (RFC 7517 sections 4.2, 4.3).
fn may_sign(jwk: &Value) -> bool {
    let by_use = jwk.get("use").is_none_or(|stated| stated == "sig");
    let by_operations = jwk.get("key_ops").is_none_or(|operations| {
        operations
            .as_array()
            .is_some_and(|operations| operations.iter().any(|operation| operation == "sign"))
    });
    by_use && by_operations
}

/// The private key in the form that `jsonwebtoken`'s providers take: PKCS #1 for RSA, PKCS #8 for
/// elliptic curves.
fn private_half(jwk: &Value) -> Option<EncodingKey> {
    match (text(jwk, "kty")?, text(jwk, "crv")) {
        ("RSA", _) => rsa(jwk).map(|der| EncodingKey::from_rsa_der(&der)),
        ("EC", Some("P-256")) => {
            ec(jwk, &der::EC_P256, 32).map(|der| EncodingKey::from_ec_der(&der))
        }
        ("EC", Some("P-384")) => {
            ec(jwk, &der::EC_P384, 48).map(|der| EncodingKey::from_ec_der(&der))
        }
        ("OKP", Some("Ed25519")) => {
            let seed = Zeroizing::new(der::element(der::OCTET_STRING, &number(jwk, "d", 32)?));
            let der = Zeroizing::new(der::private_key_info(&der::ED25519, &seed));
            Some(EncodingKey::from_ed_der(&der))
        }
        ("oct", _) => {
            let secret = Zeroizing::new(URL_SAFE_NO_PAD.decode(text(jwk, "k")?).ok()?);
            Some(EncodingKey::from_secret(&secret))
        }
        _ => None,
    }
}

/// RSAPrivateKey (RFC 8017 appendix A.1.2).
fn rsa(jwk: &Value) -> Option<Zeroizing<Vec<u8>>> {
    let mut numbers = Zeroizing::new(der::unsigned(&[]));
    for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let number = Zeroizing::new(URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()?);
        numbers.extend_from_slice(&Zeroizing::new(der::unsigned(&number)));
    }
    Some(Zeroizing::new(der::element(der::SEQUENCE, &numbers)))
}

/// ECPrivateKey (RFC 5915 section 3) with its public key, in PKCS #8.
fn ec(jwk: &Value, curve: &[u8], size: usize) -> Option<Zeroizing<Vec<u8>>> {
    const UNCOMPRESSED: &[u8] = &[0, 4];
    const PUBLIC_KEY: u8 = 0xa1;
    let (x, y) = (number(jwk, "x", size)?, number(jwk, "y", size)?);
    let point = der::element(der::BIT_STRING, &[UNCOMPRESSED, &x, &y].concat());
    let point = der::element(PUBLIC_KEY, &point);
    let secret = Zeroizing::new(der::element(der::OCTET_STRING, &number(jwk, "d", size)?));
    let version = der::unsigned(&[1]);
    let key = [&version, &*secret, &point].map(Vec::as_slice);
    let key = Zeroizing::new(key.concat());
    let key = Zeroizing::new(der::element(der::SEQUENCE, &key));
    Some(Zeroizing::new(der::private_key_info(curve, &key)))
}

/// A number of exactly so many bytes.
fn number(jwk: &Value, name: &str, size: usize) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text(jwk, name)?).ok()?);
    (bytes.len() == size).then_some(bytes)
}

fn text<'a>(jwk: &'a Value, name: &str) -> Option<&'a str> {
    jwk.get(name)?.as_str()
}
