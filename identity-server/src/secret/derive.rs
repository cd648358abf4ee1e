//! The operator's secrets, and one key per purpose from them.

use std::fmt;

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::{MacKeys, SealingKeys, SecretText};

/// What a derived key is for. Two purposes never share a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose(pub &'static str);

/// `secrets.system` and `secrets.cookie`: the first of a list encrypts and signs, all of them decrypt and verify,
/// so a secret is rotated by putting the new one in front.
#[derive(Clone)]
pub struct Secrets {
    system: Vec<SecretText>,
    cookie: Vec<SecretText>,
}

impl Secrets {
    /// Takes the configured lists; an empty `cookie` list means that the system secrets serve for cookies too.
    #[must_use]
    pub fn new(system: Vec<SecretText>, cookie: Vec<SecretText>) -> Self {
        let cookie = if cookie.is_empty() {
            system.clone()
        } else {
            cookie
        };
        Self { system, cookie }
    }

    /// Keys that encrypt what is stored, from `secrets.system`.
    #[must_use]
    pub fn sealing(&self, purpose: Purpose) -> SealingKeys {
        SealingKeys::new(derive_all(&self.system, purpose))
    }

    /// Keys that authenticate what is handed out, from `secrets.system`.
    #[must_use]
    pub fn mac(&self, purpose: Purpose) -> MacKeys {
        MacKeys::new(&derive_all(&self.system, purpose))
    }

    /// Keys that encrypt cookies, from `secrets.cookie`.
    #[must_use]
    pub fn cookie_sealing(&self, purpose: Purpose) -> SealingKeys {
        SealingKeys::new(derive_all(&self.cookie, purpose))
    }

    /// Keys that authenticate cookies and CSRF tokens, from `secrets.cookie`.
    #[must_use]
    pub fn cookie_mac(&self, purpose: Purpose) -> MacKeys {
        MacKeys::new(&derive_all(&self.cookie, purpose))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

/// 256 bits for one purpose.
pub(super) type DerivedKey = Zeroizing<[u8; 32]>;

fn derive_all(secrets: &[SecretText], purpose: Purpose) -> Vec<DerivedKey> {
    secrets
        .iter()
        .map(|secret| derive(secret, purpose))
        .collect()
}

/// HKDF-SHA256 (RFC 5869) with the purpose as context. The secrets are long and random by the rules of the
/// configuration, so no slow password hash is needed.
fn derive(secret: &SecretText, purpose: Purpose) -> DerivedKey {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gatepost");
    let mut key = Zeroizing::new([0; 32]);
    let info = [purpose.0.as_bytes()];
    let filled = salt
        .extract(secret.expose().as_bytes())
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|output| output.fill(key.as_mut_slice()));
    debug_assert!(filled.is_ok(), "HKDF-SHA256 can always give 32 bytes");
    key
}
