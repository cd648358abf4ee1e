//! Nonces for DPoP proofs (RFC 9449 section 9), made without keeping any: a keyed hash of the time.

use std::time::Duration;

use super::{SharedSecret, same_text};
use crate::{UnixTime, digest};

/// How nonces are made and how long they are good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonceRules {
    /// A nonce is good for at least this long, and at most twice.
    pub(crate) lifetime: Duration,
    /// The secret that engines share, so that each takes the others' nonces; `None` for the engine's
    /// own.
    pub(crate) secret: Option<SharedSecret>,
}

impl NonceRules {
    /// Nonces that change every `lifetime`. Engines with the same `secret` take each other's.
    #[must_use]
    pub fn new(lifetime: Duration, secret: Option<&str>) -> Self {
        Self {
            lifetime: lifetime.max(Duration::from_secs(1)),
            secret: secret.map(|secret| SharedSecret::new(digest::sha256(secret.as_bytes()))),
        }
    }

    pub(super) fn current(&self, seed: &digest::Hash, now: UnixTime) -> String {
        self.of_period(seed, self.period(now))
    }

    /// Whether `nonce` is this period's or the last one's.
    pub(super) fn knows(&self, nonce: &str, seed: &digest::Hash, now: UnixTime) -> bool {
        let period = self.period(now);
        same_text(nonce, &self.of_period(seed, period))
            || same_text(nonce, &self.of_period(seed, period.saturating_sub(1)))
    }

    fn period(&self, now: UnixTime) -> u64 {
        now.as_secs()
            .checked_div(self.lifetime.as_secs())
            .unwrap_or_default()
    }

    fn of_period(&self, seed: &digest::Hash, period: u64) -> String {
        let key = self.secret.as_deref().unwrap_or(seed);
        let hash = digest::keyed(key, &[b"DPoP nonce", &period.to_be_bytes()]);
        digest::base64url(hash.get(..16).unwrap_or(&hash))
    }
}
