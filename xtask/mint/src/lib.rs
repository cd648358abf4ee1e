//! Signs JSON Web Tokens with throw-away keys.
//!
//! Nothing here guards anything: the demo's stranger, the bench's token file and the end-to-end
//! tests need tokens that no server of ours issued. Signing is done by aws-lc-rs.

use anyhow::{Result, anyhow};
use aws_lc_rs::{
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// What a key signs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA of 2048 bits, PKCS #1 v1.5, SHA-256.
    Rs256,
    /// The curve P-256, SHA-256.
    Es256,
}

/// A key that signs tokens under one `kid`.
pub struct Key {
    kid: String,
    pair: Pair,
    random: SystemRandom,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    /// A new RS256 key, named `kid` in the tokens that it signs.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(kid: &str) -> Result<Self> {
        Self::generate_for(Algorithm::Rs256, kid)
    }

    /// A new key for this algorithm, named `kid` in the tokens that it signs.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate_for(algorithm: Algorithm, kid: &str) -> Result<Self> {
        let pair = match algorithm {
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::P256)
            }
        };
        Ok(Self {
            kid: kid.to_owned(),
            pair: pair.map_err(|_| anyhow!("cannot generate a key"))?,
            random: SystemRandom::new(),
        })
    }

    /// The compact token (RFC 7515 section 3.1) over `claims`.
    ///
    /// # Errors
    /// If signing fails, which a fresh key does not do.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": self.algorithm(), "kid": self.kid, "typ": "JWT"});
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .signature(token.as_bytes())
            .map_err(|_| anyhow!("cannot sign a token"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    const fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::P256(_) => "ES256",
        }
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)?;
                Ok(signature)
            }
            Pair::P256(pair) => Ok(pair.sign(&self.random, message)?.as_ref().to_vec()),
        }
    }

    /// The public part as a JSON Web Key (RFC 7517) for signatures.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = json!({"use": "sig", "alg": self.algorithm(), "kid": self.kid});
        let material = match &self.pair {
            Pair::Rsa(pair) => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                vec![
                    ("kty", "RSA".to_owned()),
                    ("n", base64(&parts.n)),
                    ("e", base64(&parts.e)),
                ]
            }
            Pair::P256(pair) => {
                // An uncompressed point: 4, then both coordinates (SEC 1 section 2.3.3).
                let (x, y) = pair.public_key().as_ref().split_at(33);
                let x = x.get(1..).unwrap_or_default();
                let curve = ("crv", "P-256".to_owned());
                vec![
                    ("kty", "EC".to_owned()),
                    curve,
                    ("x", base64(x)),
                    ("y", base64(y)),
                ]
            }
        };
        if let Some(fields) = jwk.as_object_mut() {
            fields.extend(
                material
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value.into())),
            );
        }
        jwk
    }

    /// A key set that holds this key alone.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }
}

fn encode(part: &Value) -> String {
    base64(part.to_string().as_bytes())
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
