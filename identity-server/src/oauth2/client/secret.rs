//! Client secrets: made here with 256 random bits, or chosen by the operator.
//!
//! A random secret cannot be guessed, so a plain SHA-256 of it is enough and costs a token request nothing. A chosen
//! one can be guessed, so it gets argon2id like a password.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

use crate::entropy::{Entropy, EntropyError};
use crate::secret::{digest, same};

/// The shortest secret that an operator may choose (Hydra's rule).
pub const SHORTEST: usize = 6;

/// The longest: hashing is work that the sender chooses.
pub const LONGEST: usize = 1024;

const RANDOM: &str = "sha256$";

/// The hash of a secret, as it is stored: `sha256$…` or an argon2id string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret(String);

/// A secret could not be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// No salt could be drawn.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Argon2 refused, or its thread died.
    #[error("the client secret could not be hashed")]
    Hashing,
}

impl StoredSecret {
    /// Makes a fresh secret: the secret in clear, to be shown once, and what to store.
    ///
    /// # Errors
    /// [`EntropyError`] when the generator fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<(String, Self), EntropyError> {
        let secret = entropy.token(32)?;
        let stored = Self(format!("{RANDOM}{}", digest(&secret)));
        Ok((secret, stored))
    }

    /// Hashes a secret that somebody chose. Takes tens of milliseconds, on a thread of its own.
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn from_chosen(entropy: &dyn Entropy, secret: &str) -> Result<Self, HashError> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        let secret = zeroize::Zeroizing::new(secret.to_owned());
        tokio::task::spawn_blocking(move || {
            let hash = Argon2::default()
                .hash_password_with_salt(secret.as_bytes(), &salt)
                .map_err(|_| HashError::Hashing)?;
            Ok(Self(hash.to_string()))
        })
        .await
        .map_err(|_| HashError::Hashing)?
    }

    /// From the store.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// For the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `secret` is the one. A stored form that cannot be read matches nothing.
    pub async fn matches(&self, secret: &str) -> bool {
        if secret.len() > LONGEST {
            return false;
        }
        if let Some(stored) = self.0.strip_prefix(RANDOM) {
            return same(stored.as_bytes(), digest(secret).as_bytes());
        }
        let (stored, secret) = (self.0.clone(), zeroize::Zeroizing::new(secret.to_owned()));
        tokio::task::spawn_blocking(move || {
            Argon2::default()
                .verify_password(secret.as_bytes(), stored.as_str())
                .is_ok()
        })
        .await
        .unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[tokio::test]
    async fn a_generated_secret_matches_itself_and_nothing_near_it() {
        let (secret, stored) = StoredSecret::generate(&SeededEntropy::new(1)).unwrap();
        assert_eq!(secret.len(), 43);
        assert!(!stored.as_str().contains(&secret));
        assert!(stored.matches(&secret).await);
        for at in 0..secret.len() {
            let mut altered = secret.clone().into_bytes();
            altered[at] ^= 1;
            assert!(!stored.matches(&String::from_utf8_lossy(&altered)).await);
            assert!(!stored.matches(secret.get(..at).unwrap()).await);
        }
    }

    #[tokio::test]
    async fn a_chosen_secret_is_stored_as_argon2id() {
        let stored = StoredSecret::from_chosen(&SeededEntropy::new(1), "correct horse")
            .await
            .unwrap();
        assert!(
            stored.as_str().starts_with("$argon2id$"),
            "{}",
            stored.as_str()
        );
        assert!(stored.matches("correct horse").await);
        assert!(!stored.matches("correct horsf").await);
        assert!(!stored.matches("").await);
    }

    #[tokio::test]
    async fn an_unreadable_hash_matches_nothing() {
        for stored in ["", "sha256$", "$argon2id$broken", "plain"] {
            assert!(
                !StoredSecret::from_stored(stored.to_owned())
                    .matches("plain")
                    .await
            );
            assert!(
                !StoredSecret::from_stored(stored.to_owned())
                    .matches("")
                    .await
            );
        }
    }
}
