//! The random texts that name a session.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::entropy::{Entropy, EntropyError};
use crate::secret::{self, SecretText};

/// What a session token starts with; scanners for leaked secrets look for it.
pub const SESSION_PREFIX: &str = "ory_st_";

/// What a logout token starts with.
pub const LOGOUT_PREFIX: &str = "ory_lo_";

const LENGTH: usize = 32;

const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The token of a session, handed out once and stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionToken(SecretText);

impl SessionToken {
    /// A fresh token: `ory_st_` and 32 characters out of 62, which is 190 random bits.
    ///
    /// # Errors
    /// [`EntropyError`].
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(SecretText::new(format!(
            "{SESSION_PREFIX}{}",
            alphanumeric(entropy)?
        ))))
    }

    /// Takes what a client sent.
    #[must_use]
    pub fn from_client(text: &str) -> Self {
        Self(SecretText::new(text))
    }

    /// The token itself, for the answer that hands it out.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Under what the session is stored.
    #[must_use]
    pub fn digest(&self) -> String {
        secret::digest(self.0.expose())
    }

    /// The token that lets a browser with this session sign out by following a link.
    ///
    /// It is derived, so that it needs no storing, and only the holder of the session can be given it. It does not
    /// tell the session token, which goes through SHA-256 first.
    #[must_use]
    pub fn logout_token(&self) -> String {
        let hash = Sha256::new()
            .chain_update(b"gatepost logout token\0")
            .chain_update(self.0.expose())
            .finalize();
        let text: String = URL_SAFE_NO_PAD
            .encode(hash)
            .chars()
            .map(|c| match c {
                '-' => 'x',
                '_' => 'y',
                other => other,
            })
            .take(LENGTH)
            .collect();
        format!("{LOGOUT_PREFIX}{text}")
    }

    /// Whether `given` is this session's logout token, in constant time.
    #[must_use]
    pub fn has_logout_token(&self, given: &str) -> bool {
        secret::same(self.logout_token().as_bytes(), given.as_bytes())
    }
}

/// Uniform: bytes that would favour some characters are drawn again.
fn alphanumeric(entropy: &dyn Entropy) -> Result<String, EntropyError> {
    let mut text = String::with_capacity(LENGTH);
    while text.len() < LENGTH {
        let mut bytes = [0; LENGTH];
        entropy.fill(&mut bytes)?;
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let chars = fair.filter_map(|byte| {
            ALPHABET
                .get(usize::from(*byte) % ALPHABET.len())
                .copied()
                .map(char::from)
        });
        text.extend(chars.take(LENGTH - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn tokens_have_the_shape_that_clients_know_and_do_not_print() {
        let entropy = SeededEntropy::new(5);
        let token = SessionToken::random(&entropy).unwrap();
        let body = token.expose().strip_prefix("ory_st_").unwrap();
        assert_eq!(body.len(), 32);
        assert!(body.chars().all(|c| c.is_ascii_alphanumeric()));
        assert!(!format!("{token:?}").contains(body));
        assert_ne!(token, SessionToken::random(&entropy).unwrap());
    }

    #[test]
    fn a_logout_token_belongs_to_one_session() {
        let entropy = SeededEntropy::new(6);
        let (one, two) = (
            SessionToken::random(&entropy).unwrap(),
            SessionToken::random(&entropy).unwrap(),
        );
        assert!(one.logout_token().starts_with("ory_lo_"));
        assert_eq!(one.logout_token().len(), "ory_lo_".len() + 32);
        assert!(one.has_logout_token(&one.logout_token()));
        assert!(!one.has_logout_token(&two.logout_token()));
        assert!(!one.has_logout_token(""));
    }
}
