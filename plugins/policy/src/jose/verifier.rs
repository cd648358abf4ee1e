use std::sync::Arc;

use serde_json::{Map, Value};

use super::{KeySets, TokenError, TokenRules};
use crate::{Call, FetchId, Reply, UnixTime};

/// The outcome of checking a token.
#[derive(Clone, Debug)]
pub enum Check {
    /// Signature and claims hold.
    Verified(Arc<Claims>),
    /// The token's key may be in a key set that is being fetched: wait for that fetch, then check
    /// again.
    NeedKeys(FetchId),
    /// Not accepted.
    Rejected(TokenError),
}

/// The claims of a token whose signature holds.
#[derive(Clone, Debug)]
pub struct Claims {
    /// `sub`; empty where it is missing or not a string.
    pub subject: String,
    /// Every claim, with the first of `scp`, `scope` and `scopes` replaced by the array `scp`
    /// (empty where there is none): Oathkeeper's `extra` of a session.
    pub extra: Arc<Map<String, Value>>,
}

/// How much the cache of verified tokens may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Tokens. Zero switches the cache off.
    pub entries: usize,
    /// Bytes, estimated, of tokens and claims together.
    pub bytes: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            entries: 4096,
            bytes: 8 * 1024 * 1024,
        }
    }
}

/// Checks tokens, and remembers keys and verified tokens between requests.
#[derive(Debug)]
pub struct Verifier {
    key_sets: KeySets,
}

impl Verifier {
    /// A verifier that knows no keys yet.
    #[must_use]
    pub fn new(key_sets: KeySets, _limits: CacheLimits) -> Self {
        Self { key_sets }
    }

    /// Checks `token` against `rules`.
    pub fn check(&mut self, _token: &str, _rules: &TokenRules, _now: UnixTime) -> Check {
        Check::Rejected(TokenError::KeysUnavailable)
    }

    /// The key sets to fetch now. Each is handed out once until [`Verifier::fetched`] is told its
    /// end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        self.key_sets.due(now)
    }

    /// Takes in the answer to a fetch that [`Verifier::due`] asked for.
    pub fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) {
        self.key_sets.fetched(fetch, reply, now);
    }
}
