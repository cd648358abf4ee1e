//! Sealed boxes: AES-256-GCM under derived keys.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::derive::DerivedKey;
use crate::entropy::{Entropy, EntropyError};

/// First byte of every box; another format gets another number.
const VERSION: u8 = 1;

/// Why a box could not be closed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// None of the configured secrets opens it, or it was altered.
    #[error(
        "none of the secrets in `secrets.system` opens this value; put the secret that sealed it back into the list"
    )]
    Opening,
    /// It could not be encrypted.
    #[error("the value could not be encrypted")]
    Sealing,
    /// No nonce could be drawn.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Keys for one purpose: the first seals, all of them open.
///
/// A box is `version (1) || nonce (12) || ciphertext || tag (16)`. `context` is authenticated but not stored: pass
/// what the box belongs to (a row's id), and a box copied to another row does not open there.
#[derive(Clone)]
pub struct SealingKeys(Vec<DerivedKey>);

impl SealingKeys {
    pub(super) fn new(keys: Vec<DerivedKey>) -> Self {
        Self(keys)
    }

    /// Encrypts `plain`.
    ///
    /// # Errors
    /// [`SealError::Entropy`] without randomness, [`SealError::Sealing`] if no secret is configured.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let key = self.0.first().and_then(cipher).ok_or(SealError::Sealing)?;
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce)?;
        let mut body = plain.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut body,
        )
        .map_err(|_| SealError::Sealing)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + body.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Whether a box was sealed with an older secret than the first. Seal it again, so that the older one can go.
    #[must_use]
    pub fn is_outdated(&self, context: &[u8], sealed: &[u8]) -> bool {
        let newest = Self(self.0.iter().take(1).cloned().collect());
        newest.open(context, sealed).is_err() && self.open(context, sealed).is_ok()
    }

    /// Decrypts a box made by [`seal`](Self::seal) with the same context and any of the secrets.
    ///
    /// # Errors
    /// [`SealError::Opening`] for anything else.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (&VERSION, rest) = sealed.split_first().ok_or(SealError::Opening)? else {
            return Err(SealError::Opening);
        };
        let (nonce, body) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealError::Opening)?;
        self.0
            .iter()
            .find_map(|key| open_with(key, *nonce, context, body))
            .ok_or(SealError::Opening)
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKeys([redacted])")
    }
}

fn open_with(
    key: &DerivedKey,
    nonce: [u8; NONCE_LEN],
    context: &[u8],
    body: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(body.to_vec());
    let length = cipher(key)?
        .open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(context),
            &mut buffer,
        )
        .ok()?
        .len();
    buffer.truncate(length);
    Some(buffer)
}

fn cipher(key: &DerivedKey) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.as_slice())
        .ok()
        .map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::secret::{Purpose, SecretText, Secrets};

    fn keys(list: &[&str]) -> SealingKeys {
        Secrets::new(
            list.iter().map(|text| SecretText::new(*text)).collect(),
            Vec::new(),
        )
        .sealing(Purpose("test"))
    }

    #[test]
    fn a_box_opens_after_rotation_and_only_in_its_context() {
        let sealed = keys(&["old"])
            .seal(&SeededEntropy::new(1), b"row 1", b"private")
            .unwrap();
        let rotated = keys(&["new", "old"]);
        assert_eq!(&**rotated.open(b"row 1", &sealed).unwrap(), b"private");
        assert!(
            rotated.is_outdated(b"row 1", &sealed)
                && !keys(&["old", "new"]).is_outdated(b"row 1", &sealed)
        );
        assert_eq!(
            rotated.open(b"row 2", &sealed).unwrap_err(),
            SealError::Opening
        );
        assert_eq!(
            keys(&["new"]).open(b"row 1", &sealed).unwrap_err(),
            SealError::Opening
        );
    }

    #[test]
    fn an_altered_or_cut_box_does_not_open() {
        let keys = keys(&["one"]);
        let sealed = keys.seal(&SeededEntropy::new(1), b"", b"private").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(keys.open(b"", &altered).is_err(), "byte {at}");
            assert!(keys.open(b"", &sealed[..at]).is_err(), "length {at}");
        }
    }
}
