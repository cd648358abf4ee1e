//! Signs JSON Web Tokens with throw-away keys.
//!
//! Nothing here guards anything: the demo's stranger, the bench's token file and the end-to-end
//! tests need tokens that no server of ours issued. Signing is done by aws-lc-rs.

use anyhow::{Result, anyhow};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A 2048-bit RSA key that signs RS256 tokens under one `kid`.
pub struct Key {
    kid: String,
    pair: RsaKeyPair,
    random: SystemRandom,
}

impl Key {
    /// A new key, named `kid` in the tokens that it signs.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate(kid: &str) -> Result<Self> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)
            .map_err(|_| anyhow!("cannot generate an RSA key"))?;
        Ok(Self {
            kid: kid.to_owned(),
            pair,
            random: SystemRandom::new(),
        })
    }

    /// The compact token (RFC 7515 section 3.1) over `claims`.
    ///
    /// # Errors
    /// If signing fails, which a fresh key does not do.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({"alg": "RS256", "kid": self.kid, "typ": "JWT"});
        let mut token = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &self.random,
                token.as_bytes(),
                &mut signature,
            )
            .map_err(|_| anyhow!("cannot sign a token"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The public part as a JSON Web Key (RFC 7517) for signatures.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": URL_SAFE_NO_PAD.encode(parts.n), "e": URL_SAFE_NO_PAD.encode(parts.e),
        })
    }

    /// A key set that holds this key alone.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}
