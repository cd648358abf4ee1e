//! Message authentication codes under derived keys.

use std::fmt;

use aws_lc_rs::hmac;

use super::derive::DerivedKey;

/// HMAC-SHA256 keys for one purpose: the first makes codes, all of them check.
#[derive(Clone)]
pub struct MacKeys(Vec<hmac::Key>);

impl MacKeys {
    pub(super) fn new(keys: &[DerivedKey]) -> Self {
        Self(
            keys.iter()
                .map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
                .collect(),
        )
    }

    /// The code of `message`: 32 bytes. `None` only if no secret is configured, which loading refuses.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let key = self.0.first()?;
        Some(hmac::sign(key, message).as_ref().to_vec())
    }

    /// Whether `code` was made over `message` with any of the keys. Constant time per key.
    #[must_use]
    pub fn verify(&self, message: &[u8], code: &[u8]) -> bool {
        self.0
            .iter()
            .any(|key| hmac::verify(key, message, code).is_ok())
    }
}

impl fmt::Debug for MacKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKeys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use crate::secret::{Purpose, SecretText, Secrets};

    fn secrets(list: &[&str]) -> Secrets {
        Secrets::new(
            list.iter().map(|text| SecretText::new(*text)).collect(),
            Vec::new(),
        )
    }

    #[test]
    fn a_code_survives_rotation_while_its_secret_is_listed() {
        let code = secrets(&["old"])
            .mac(Purpose("test"))
            .sign(b"message")
            .unwrap();
        assert!(
            secrets(&["new", "old"])
                .mac(Purpose("test"))
                .verify(b"message", &code)
        );
        assert!(
            !secrets(&["new"])
                .mac(Purpose("test"))
                .verify(b"message", &code)
        );
    }

    #[test]
    fn a_code_is_worthless_for_another_purpose_or_message() {
        let code = secrets(&["one"])
            .mac(Purpose("test"))
            .sign(b"message")
            .unwrap();
        assert!(
            !secrets(&["one"])
                .mac(Purpose("other"))
                .verify(b"message", &code)
        );
        assert!(
            !secrets(&["one"])
                .mac(Purpose("test"))
                .verify(b"massage", &code)
        );
    }
}
