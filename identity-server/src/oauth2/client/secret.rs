//! Client secrets: made here with 256 random bits, or chosen by the operator.
//!
//! A random secret cannot be guessed, so a plain SHA-256 of it is enough and costs a token request nothing. A chosen
//! one can be guessed, so it gets argon2id like a password.

use crate::entropy::{Entropy, EntropyError};
use crate::identity::password::{PasswordError, PasswordHasher};
use crate::secret::{SecretText, digest, same};

/// The shortest secret that an operator may choose (Hydra's rule).
pub const SHORTEST: usize = 6;

/// The longest: hashing is work that the sender chooses.
pub const LONGEST: usize = 1024;

const RANDOM: &str = "sha256$";

/// The hash of a secret, as it is stored: `sha256$…` or an argon2id string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSecret(String);

/// What comparing a secret with the stored one showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison<'a> {
    /// It is the one, or it is not.
    Settled(bool),
    /// The secret was chosen by somebody; only argon2 can tell, with this PHC string.
    NeedsArgon2(&'a str),
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

    /// Hashes a secret that somebody chose. Takes tens of milliseconds, in turn with the passwords.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub async fn from_chosen(
        passwords: &PasswordHasher,
        entropy: &dyn Entropy,
        secret: &SecretText,
    ) -> Result<Self, PasswordError> {
        passwords.hash(secret, entropy).await.map(Self)
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

    /// Compares as far as that is cheap.
    #[must_use]
    pub fn compare(&self, secret: &SecretText) -> Comparison<'_> {
        if secret.expose().len() > LONGEST {
            return Comparison::Settled(false);
        }
        match self.0.strip_prefix(RANDOM) {
            Some(stored) => {
                Comparison::Settled(same(stored.as_bytes(), digest(secret.expose()).as_bytes()))
            }
            None => Comparison::NeedsArgon2(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::identity::password::Argon2Cost;

    fn settled(stored: &StoredSecret, secret: &str) -> bool {
        stored.compare(&SecretText::new(secret)) == Comparison::Settled(true)
    }

    #[test]
    fn a_generated_secret_matches_itself_and_nothing_near_it() {
        let (secret, stored) = StoredSecret::generate(&SeededEntropy::new(1)).unwrap();
        assert_eq!(secret.len(), 43);
        assert!(!stored.as_str().contains(&secret));
        assert!(settled(&stored, &secret));
        for at in 0..secret.len() {
            let mut altered = secret.clone().into_bytes();
            altered[at] ^= 1;
            assert!(!settled(&stored, &String::from_utf8_lossy(&altered)));
            assert!(!settled(&stored, secret.get(..at).unwrap()));
        }
    }

    #[tokio::test]
    async fn a_chosen_secret_is_stored_as_argon2id_of_the_configured_cost() {
        let cost = Argon2Cost {
            memory_kib: 64,
            iterations: 1,
            parallelism: 1,
        };
        let passwords = PasswordHasher::new(cost, 1).unwrap();
        let secret = SecretText::new("correct horse");
        let stored = StoredSecret::from_chosen(&passwords, &SeededEntropy::new(1), &secret)
            .await
            .unwrap();
        assert!(
            stored.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
            "{}",
            stored.as_str()
        );
        assert_eq!(
            stored.compare(&secret),
            Comparison::NeedsArgon2(stored.as_str())
        );
    }

    #[test]
    fn a_secret_that_is_too_long_is_wrong_without_hashing() {
        let stored = StoredSecret::from_stored("$argon2id$x".to_owned());
        let long = SecretText::new("x".repeat(LONGEST + 1));
        assert_eq!(stored.compare(&long), Comparison::Settled(false));
    }

    #[test]
    fn nothing_settles_an_unreadable_hash() {
        for stored in ["", "sha256$", "plain"] {
            let stored = StoredSecret::from_stored(stored.to_owned());
            assert!(!settled(&stored, "plain") && !settled(&stored, ""));
        }
    }
}
