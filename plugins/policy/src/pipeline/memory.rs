//! The keys that an engine fetches: those that verify, then those that sign.
//!
//! A build without handlers for tokens, or for signing them, has nothing to fetch; saying so here lets the
//! linker leave out all that reads keys.

use crate::{
    Call, FetchId, Policy, Reply, UnixTime,
    jose::{CacheLimits, FetchFault, KeySets, Minter, Verifier},
};

use super::Memory;

impl Memory {
    /// Makes ready for another policy. Keys from places that it knows stay.
    pub(super) fn reload(&mut self, policy: &Policy) {
        self.tokens.renew(key_sets(policy), CacheLimits::default());
        let minter = std::mem::replace(&mut self.minter, minter(policy));
        self.minter.inherit(minter);
    }

    /// How many names of fetches there are.
    pub(super) fn fetches(&self) -> u32 {
        let fetches = self.verifying().saturating_add(self.minter.len());
        u32::try_from(fetches).unwrap_or(u32::MAX)
    }

    /// What the fetch of a signing key is called.
    pub(crate) fn signing_fetch(&self, source: usize) -> FetchId {
        let number = self.verifying().saturating_add(source);
        FetchId(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// The fetches to make now.
    pub(super) fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        let mut due = Vec::new();
        if cfg!(feature = "tokens") {
            due = self.tokens.due(now);
        }
        if cfg!(feature = "rules") {
            for (source, call) in self.minter.due(now) {
                due.push((self.signing_fetch(source), call));
            }
        }
        due
    }

    /// Takes in the answer to a fetch. A private key goes to where tokens are signed, and nowhere
    /// else.
    pub(super) fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) {
        match self.signing_source(fetch) {
            Some(source) => self.minter.fetched(source, reply, now),
            None if cfg!(feature = "tokens") => self.tokens.fetched(fetch, reply, now),
            None => {}
        }
    }

    /// Why the latest fetch failed.
    pub(super) fn fault(&self, fetch: FetchId) -> Option<FetchFault> {
        match self.signing_source(fetch) {
            Some(source) => self.minter.fault(source),
            None => self.tokens.fault(fetch),
        }
    }

    /// The number of the signing key that this fetch is to bring.
    pub(super) fn signing_source(&self, fetch: FetchId) -> Option<usize> {
        let number = usize::try_from(fetch.0).ok()?;
        let source = number.checked_sub(self.verifying())?;
        cfg!(feature = "rules").then_some(source)
    }

    const fn verifying(&self) -> usize {
        self.tokens.key_set_count()
    }
}

/// What verifies tokens under `policy`.
pub(super) fn verifier(policy: &Policy, seed: [u8; 32]) -> Verifier {
    Verifier::new(key_sets(policy), CacheLimits::default(), seed)
}

fn key_sets(policy: &Policy) -> KeySets {
    KeySets::new(policy.key_sets.clone(), policy.key_set_settings.clone())
}

/// What signs tokens under `policy`.
pub(super) fn minter(policy: &Policy) -> Minter {
    Minter::new(&policy.signing_keys, policy.key_set_settings.clone())
}
