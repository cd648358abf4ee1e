//! Secrets: values that never print, keys derived from the operator's secrets, sealed boxes, and digests.
//!
//! - [`SecretText`] holds text that must not reach a log; it prints as `[redacted]` and is wiped when dropped.
//! - [`Secrets`] is what the operator configured. Nothing uses it directly: every purpose derives its own key
//!   from it, so that a weakness in one use tells nothing about another.
//! - [`SealingKeys`] encrypts what is stored (AES-256-GCM); [`MacKeys`] authenticates what is handed out.
//! - [`digest`] is for random secrets that we store only hashed. Passwords need argon2 instead: a plain hash
//!   protects only what cannot be guessed.

mod derive;
mod mac;
mod seal;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub use derive::{Purpose, Secrets};
pub use mac::MacKeys;
pub use seal::{SealError, SealingKeys};

/// Text that never prints.
#[derive(Clone, Default, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. The name is a reminder at the call: what follows must not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Serialises as `[redacted]`, so that printing settings is harmless.
impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl PartialEq for SecretText {
    fn eq(&self, other: &Self) -> bool {
        same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for SecretText {}

/// Compares in time that does not depend on where the inputs differ (their lengths are not hidden).
#[must_use]
pub fn same(one: &[u8], two: &[u8]) -> bool {
    one.ct_eq(two).into()
}

/// The form in which a random secret (token, code, client secret of ours) is stored and looked up:
/// base64url of its SHA-256. Only for secrets with at least 128 random bits.
#[must_use]
pub fn digest(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = SecretText::new("hunter2-hunter2");
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
    }

    #[test]
    fn comparison_tells_equal_from_different() {
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"abcd"));
    }
}
