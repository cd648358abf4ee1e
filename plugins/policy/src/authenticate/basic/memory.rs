//! Passwords that were checked, so that a slow hash is not computed for every request; and a limit on
//! how many are computed at all, since each holds up all connections of the proxy's worker.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, DefaultHasher},
    time::Duration,
};

use super::password::PasswordHash;
use crate::{
    UnixTime,
    digest::{self, Hash},
};

/// How many outcomes are remembered, in each of two generations.
const GENERATION: usize = 2048;
/// How many hashes may be computed in a row.
const BURST: u32 = 8;
/// After that, one in this time.
const INTERVAL: Duration = Duration::from_millis(500);

/// One user name with a password, to be checked against a hash.
pub(super) struct Check<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a str,
    pub(super) hash: &'a PasswordHash,
    /// Names `hash`.
    pub(super) fingerprint: &'a Hash,
}

/// More passwords are to be checked than the proxy has time for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMany {
    pub(super) retry_after: Duration,
}

/// Outcomes by a keyed hash of user name, password and password hash: what is remembered is of no use
/// to anybody who reads it without the key.
#[derive(Debug)]
pub(crate) struct CheckedPasswords {
    key: Hash,
    young: Outcomes,
    old: Outcomes,
    /// When the computations so far would be over if each took [`INTERVAL`].
    busy_until: UnixTime,
}

/// The fixed hasher cannot be played with: nobody knows the keys, which are keyed hashes themselves.
type Outcomes = HashMap<Hash, Outcome, BuildHasherDefault<DefaultHasher>>;

#[derive(Clone, Copy, Debug)]
struct Outcome {
    is_right: bool,
    at: UnixTime,
}

impl CheckedPasswords {
    /// Remembers nothing yet. `seed` must be secret.
    pub(crate) fn new(seed: &Hash) -> Self {
        Self {
            key: digest::keyed(seed, &[b"checked passwords"]),
            young: Outcomes::default(),
            old: Outcomes::default(),
            busy_until: UnixTime::default(),
        }
    }

    /// Whether the password is right; from memory if it was, or if that it is not was found out less
    /// than `ttl` ago.
    pub(super) fn is_right(
        &mut self,
        check: &Check<'_>,
        ttl: Duration,
        now: UnixTime,
    ) -> Result<bool, TooMany> {
        let (name, password) = (check.name.as_bytes(), check.password.as_bytes());
        let place = digest::keyed(&self.key, &[name, password, check.fingerprint]);
        let known = self.young.get(&place).or_else(|| self.old.get(&place));
        // A password that was right is right as long as its hash, which names the place, is the same:
        // those who have it must not queue behind those who guess.
        if let Some(known) = known
            && (known.is_right || (known.at <= now && now.since(known.at) < ttl))
        {
            return Ok(known.is_right);
        }
        self.take_turn(now)?;
        let is_right = check.hash.is_of(password);
        self.remember(place, Outcome { is_right, at: now });
        Ok(is_right)
    }

    fn take_turn(&mut self, now: UnixTime) -> Result<(), TooMany> {
        let burst = INTERVAL.saturating_mul(BURST);
        // A clock that was set back must not lock everybody out until it has caught up.
        self.busy_until = self.busy_until.max(now).min(now.after(burst));
        let done = self.busy_until.after(INTERVAL);
        if done.since(now) > burst {
            let retry_after = done.since(now).saturating_sub(burst);
            return Err(TooMany { retry_after });
        }
        self.busy_until = done;
        Ok(())
    }

    fn remember(&mut self, place: Hash, outcome: Outcome) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(place, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);
    const TTL: Duration = Duration::from_secs(300);
    /// bcrypt, cost 4, of `correct horse`.
    const HASH: &str = "$2b$04$NASrLHgSAKlitNhEq1MvJOOGaUNLl1YR5O6v2teqRJunILlBiT/FK";

    fn after(millis: u64) -> UnixTime {
        NOW.after(Duration::from_millis(millis))
    }

    fn is_right(
        checked: &mut CheckedPasswords,
        name: &str,
        password: &str,
        now: UnixTime,
    ) -> Result<bool, TooMany> {
        let hash = PasswordHash::read(HASH).unwrap();
        let check = Check {
            name,
            password,
            hash: &hash,
            fingerprint: &[1; 32],
        };
        checked.is_right(&check, TTL, now)
    }

    #[test]
    fn only_so_many_hashes_are_computed_and_known_outcomes_cost_nothing() {
        let mut checked = CheckedPasswords::new(&[7; 32]);
        assert_eq!(is_right(&mut checked, "a", "correct horse", NOW), Ok(true));
        for number in 1..8 {
            let wrong = is_right(&mut checked, "a", &number.to_string(), NOW);
            assert_eq!(wrong, Ok(false));
        }
        let refused = is_right(&mut checked, "a", "x", NOW);
        assert_eq!(
            refused,
            Err(TooMany {
                retry_after: INTERVAL
            })
        );
        // Right or wrong, what is known is known.
        assert_eq!(is_right(&mut checked, "a", "correct horse", NOW), Ok(true));
        assert_eq!(is_right(&mut checked, "a", "7", NOW), Ok(false));
        // Half a second later there is time for one.
        assert_eq!(is_right(&mut checked, "a", "x", after(500)), Ok(false));
        assert!(is_right(&mut checked, "a", "y", after(500)).is_err());
    }

    #[test]
    fn what_is_remembered_ends_with_its_time_and_with_its_hash() {
        let mut checked = CheckedPasswords::new(&[7; 32]);
        let place = |name, password: &str, fingerprint: &Hash| {
            let key = digest::keyed(&[7; 32], &[b"checked passwords"]);
            digest::keyed(&key, &[name, password.as_bytes(), fingerprint])
        };
        assert_eq!(is_right(&mut checked, "a", "correct horse", NOW), Ok(true));
        let known = place(b"a", "correct horse", &[1; 32]);
        assert!(checked.young.contains_key(&known));
        assert!(
            !checked
                .young
                .contains_key(&place(b"a", "correct horse", &[2; 32]))
        );
        assert!(
            !checked
                .young
                .contains_key(&place(b"ac", "orrect horse", &[1; 32]))
        );
        // Were it remembered for longer, this wrong outcome would be found.
        for outcome in checked.young.values_mut() {
            outcome.is_right = false;
        }
        let late = after(299_999);
        assert_eq!(
            is_right(&mut checked, "a", "correct horse", late),
            Ok(false)
        );
        let later = after(300_000);
        assert_eq!(
            is_right(&mut checked, "a", "correct horse", later),
            Ok(true)
        );
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let mut checked = CheckedPasswords::new(&[7; 32]);
        for number in 0..8 {
            let _ = is_right(&mut checked, "a", &number.to_string(), after(10_000_000));
        }
        assert!(is_right(&mut checked, "a", "x", NOW).is_err());
        assert_eq!(is_right(&mut checked, "a", "x", after(500)), Ok(false));
    }

    #[test]
    fn memory_is_bounded() {
        let mut checked = CheckedPasswords::new(&[7; 32]);
        let outcome = Outcome {
            is_right: true,
            at: NOW,
        };
        for number in 0..20_000_u32 {
            checked.remember(digest::sha256(&number.to_be_bytes()), outcome);
            assert!(checked.young.len() + checked.old.len() <= 2 * GENERATION);
        }
    }
}
