//! Randomness, passed in.
//!
//! Production reads the operating system's generator through aws-lc-rs; a test passes [`SeededEntropy`] and gets
//! the same ids and secrets in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The generator of random bytes failed. Nothing secret may be made without it, so callers give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the random number generator failed")]
pub struct EntropyError;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `buffer` with random bytes.
    ///
    /// # Errors
    /// [`EntropyError`] when the generator cannot deliver; the buffer must not be used then.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError>;
}

impl dyn Entropy + '_ {
    /// A random secret of `bytes` bytes, base64url without padding. Use 32 for anything that grants access.
    ///
    /// # Errors
    /// [`EntropyError`] when the generator fails.
    pub fn token(&self, bytes: usize) -> Result<String, EntropyError> {
        let mut buffer = zeroize::Zeroizing::new(vec![0; bytes]);
        self.fill(&mut buffer)?;
        Ok(URL_SAFE_NO_PAD.encode(&*buffer))
    }

    /// A random (version 4) UUID.
    ///
    /// # Errors
    /// [`EntropyError`] when the generator fails.
    pub fn uuid(&self) -> Result<Uuid, EntropyError> {
        let mut buffer = [0; 16];
        self.fill(&mut buffer)?;
        Ok(uuid::Builder::from_random_bytes(buffer).into_uuid())
    }
}

/// The operating system's generator.
#[derive(Debug, Default)]
pub struct SystemEntropy(SystemRandom);

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(buffer).map_err(|_| EntropyError)
    }
}

/// A reproducible stream of bytes for tests. Never for production: whoever knows the seed knows every secret.
#[derive(Debug, Default)]
pub struct SeededEntropy {
    seed: u64,
    blocks: AtomicU64,
}

impl SeededEntropy {
    /// A stream that depends on nothing but `seed` and the order of the calls.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            blocks: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(32) {
            let block = self.blocks.fetch_add(1, Ordering::Relaxed);
            let bytes = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(block.to_be_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_stream_and_never_a_value() {
        let (one, two): (Box<dyn Entropy>, Box<dyn Entropy>) = (
            Box::new(SeededEntropy::new(7)),
            Box::new(SeededEntropy::new(7)),
        );
        let first = one.token(40).unwrap();
        assert_eq!(first, two.token(40).unwrap());
        assert_ne!(first, one.token(40).unwrap());
    }

    #[test]
    fn system_tokens_have_the_length_asked_for() {
        let entropy: &dyn Entropy = &SystemEntropy::default();
        assert_eq!(entropy.token(32).unwrap().len(), 43);
        assert_eq!(entropy.uuid().unwrap().get_version_num(), 4);
    }
}
