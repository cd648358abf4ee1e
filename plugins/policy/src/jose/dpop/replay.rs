//! Which proofs were seen already.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, DefaultHasher},
};

use super::ProofError;
use crate::{UnixTime, digest};

/// How many proofs are remembered at once, at 16 bytes each: some 4 MiB at most. With the default
/// `max_age` of a minute that is about a thousand requests a second.
const LIMIT: usize = 131_072;

/// The proofs that could be sent again. When there is no more room, further proofs are refused: to
/// forget one that is still good would let it be replayed.
#[derive(Debug)]
pub(super) struct SeenProofs {
    key: digest::Hash,
    young: Generation,
    old: Generation,
    limit: usize,
}

#[derive(Debug, Default)]
struct Generation {
    /// The fixed hasher cannot be played with: nobody knows the keyed hashes that get in.
    proofs: HashSet<Name, BuildHasherDefault<DefaultHasher>>,
    /// When the last of them is no longer good.
    until: UnixTime,
}

type Name = [u8; 16];

impl SeenProofs {
    /// Has seen nothing yet. `seed` must be secret.
    pub(super) fn new(seed: &digest::Hash) -> Self {
        Self {
            key: digest::keyed(seed, &[b"DPoP proofs"]),
            young: Generation::default(),
            old: Generation::default(),
            limit: LIMIT,
        }
    }

    /// Remembers the proof `id` of the key `thumbprint` until it is no longer good anyway.
    pub(super) fn remember(
        &mut self,
        thumbprint: &str,
        id: &str,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<(), ProofError> {
        self.forget(now);
        let name = self.name(thumbprint, id);
        if self.young.proofs.contains(&name) || self.old.proofs.contains(&name) {
            return Err(ProofError::Replayed);
        }
        let held = self
            .young
            .proofs
            .len()
            .saturating_add(self.old.proofs.len());
        if held >= self.limit {
            return Err(ProofError::TooMany);
        }
        self.young.proofs.insert(name);
        self.young.until = self.young.until.max(until);
        Ok(())
    }

    /// Half of a keyed hash, which leaves nothing to be found by trying.
    fn name(&self, thumbprint: &str, id: &str) -> Name {
        let hash = digest::keyed(&self.key, &[thumbprint.as_bytes(), id.as_bytes()]);
        let mut name = Name::default();
        for (half, whole) in name.iter_mut().zip(hash) {
            *half = whole;
        }
        name
    }

    /// Drops the old generation once none of its proofs is good any more; the young one is the old one
    /// then.
    fn forget(&mut self, now: UnixTime) {
        if self.old.until < now {
            self.old = std::mem::take(&mut self.young);
        }
        if self.old.until < now {
            self.old = Generation::default();
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);

    fn at(seconds: u64) -> UnixTime {
        NOW.after(std::time::Duration::from_secs(seconds))
    }

    #[test]
    fn a_proof_is_new_once_for_as_long_as_it_is_good() {
        let mut seen = SeenProofs::new(&[7; 32]);
        for second in 0..60 {
            let id = second.to_string();
            let until = at(second + 60);
            assert_eq!(seen.remember("k", &id, until, at(second)), Ok(()));
        }
        for second in 0..60 {
            let again = seen.remember("k", &second.to_string(), at(second + 60), at(60));
            assert_eq!(again, Err(ProofError::Replayed), "{second}");
        }
        assert_eq!(seen.remember("other", "0", at(60), NOW), Ok(()));
    }

    #[test]
    fn when_it_is_full_further_proofs_are_refused_until_the_old_ones_are_no_longer_good() {
        let mut seen = SeenProofs {
            limit: 100,
            ..SeenProofs::new(&[7; 32])
        };
        for number in 0..100 {
            let result = seen.remember("k", &number.to_string(), at(60), NOW);
            assert_eq!(result, Ok(()));
        }
        assert_eq!(
            seen.remember("k", "x", at(60), NOW),
            Err(ProofError::TooMany)
        );
        assert_eq!(
            seen.remember("k", "7", at(60), NOW),
            Err(ProofError::Replayed)
        );
        assert_eq!(seen.remember("k", "x", at(121), at(61)), Ok(()));
    }

    #[test]
    fn memory_follows_the_window_and_not_the_traffic() {
        let mut seen = SeenProofs::new(&[7; 32]);
        for second in 0..10_000 {
            let id = second.to_string();
            assert_eq!(seen.remember("k", &id, at(second + 60), at(second)), Ok(()));
            assert!(seen.young.proofs.len() + seen.old.proofs.len() <= 183);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_nothing() {
        let mut seen = SeenProofs::new(&[7; 32]);
        assert_eq!(seen.remember("k", "a", at(160), at(100)), Ok(()));
        assert_eq!(
            seen.remember("k", "a", at(60), NOW),
            Err(ProofError::Replayed)
        );
    }
}
