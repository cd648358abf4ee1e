//! Slows down guessing of passwords.
//!
//! An attempt counts against the account and against the pair of account and address, before the password is
//! checked, so that parallel attempts cannot slip through. A success forgives the pair. The counters are keyed by the
//! canonical identifier whether or not such an account exists: the answer tells nothing about that.
//!
//! - The pair stops one guesser without shutting the owner out elsewhere.
//! - The account stops many addresses together. It is generous, because whoever knows an address can make it trip;
//!   NIST SP 800-63B allows at most a hundred failures in a row.
//!
//! The counters live in memory, as many as [`MAX_KEYS`]: a restart forgets them, and several servers count apart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// Failures from one address to one account within [`WINDOW`].
const PER_PAIR: u32 = 10;

/// Failures to one account from anywhere within [`WINDOW`].
const PER_ACCOUNT: u32 = 100;

/// After so long a counter starts again.
const WINDOW: Duration = Duration::minutes(10);

/// Counters in memory, at some 100 bytes each. Past that the oldest give way; filling it up costs an attacker as
/// many password hashes.
const MAX_KEYS: usize = 20_000;

/// Counts attempts.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<Key, Counter>>);

/// A digest, so that no identifier sits in memory in a guessable place and every key has the same size.
type Key = [u8; 32];

#[derive(Debug, Clone, Copy)]
struct Counter {
    attempts: u32,
    since: OffsetDateTime,
}

/// Too many attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// When to try again.
    pub wait: Duration,
}

impl Throttle {
    /// Counts an attempt on `identifier` (in canonical form) from `ip`.
    ///
    /// # Errors
    /// [`Throttled`] when there have been too many; the attempt must not be made then.
    pub fn attempt(
        &self,
        identifier: &str,
        ip: &str,
        now: OffsetDateTime,
    ) -> Result<(), Throttled> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut counters, now);
        count(&mut counters, pair(identifier, ip), PER_PAIR, now)?;
        count(&mut counters, account(identifier), PER_ACCOUNT, now)
    }

    /// Whether `identifier` may be tried, by its failures from anywhere. Counts nothing; for those who count only
    /// failures, by [`failed`](Self::failed).
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn check(&self, identifier: &str, now: OffsetDateTime) -> Result<(), Throttled> {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counters.get(&account(identifier)) {
            Some(counter) if !is_over(counter, now) && counter.attempts >= PER_ACCOUNT => {
                Err(throttled(counter, now))
            }
            _ => Ok(()),
        }
    }

    /// Counts a failure on `identifier` from anywhere.
    pub fn failed(&self, identifier: &str, now: OffsetDateTime) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut counters, now);
        // Already full is as good as counted.
        let _ = count(&mut counters, account(identifier), PER_ACCOUNT, now);
    }

    /// Forgives what `ip` got wrong on `identifier`, because it now got it right.
    pub fn succeeded(&self, identifier: &str, ip: &str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counters.remove(&pair(identifier, ip));
        if let Some(counter) = counters.get_mut(&account(identifier)) {
            counter.attempts = counter.attempts.saturating_sub(1);
        }
    }
}

fn count(
    counters: &mut HashMap<Key, Counter>,
    key: Key,
    limit: u32,
    now: OffsetDateTime,
) -> Result<(), Throttled> {
    let counter = counters.entry(key).or_insert(Counter {
        attempts: 0,
        since: now,
    });
    if is_over(counter, now) {
        *counter = Counter {
            attempts: 0,
            since: now,
        };
    }
    if counter.attempts >= limit {
        return Err(throttled(counter, now));
    }
    counter.attempts += 1;
    Ok(())
}

fn throttled(counter: &Counter, now: OffsetDateTime) -> Throttled {
    Throttled {
        wait: counter.since.saturating_add(WINDOW) - now,
    }
}

/// A clock that was set back also ends the window, or an account could stay shut for years.
fn is_over(counter: &Counter, now: OffsetDateTime) -> bool {
    now >= counter.since.saturating_add(WINDOW) || now < counter.since
}

fn make_room(counters: &mut HashMap<Key, Counter>, now: OffsetDateTime) {
    if counters.len() + 2 <= MAX_KEYS {
        return;
    }
    counters.retain(|_, counter| !is_over(counter, now));
    if counters.len() + 2 > MAX_KEYS {
        // Drop the older half at once: finding the single oldest for each attempt would cost a scan each.
        let mut ages: Vec<OffsetDateTime> =
            counters.values().map(|counter| counter.since).collect();
        let middle = ages.len() / 2;
        let (_, median, _) = ages.select_nth_unstable(middle);
        let median = *median;
        counters.retain(|_, counter| counter.since > median);
    }
}

fn account(identifier: &str) -> Key {
    Sha256::new()
        .chain_update(b"account\0")
        .chain_update(identifier)
        .finalize()
        .into()
}

fn pair(identifier: &str, ip: &str) -> Key {
    Sha256::new()
        .chain_update(b"pair\0")
        .chain_update(ip)
        .chain_update(b"\0")
        .chain_update(identifier)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn fail_times(throttle: &Throttle, times: u32, ip: &str) -> Option<Throttled> {
        (0..times).find_map(|_| throttle.attempt("a@example.com", ip, START).err())
    }

    #[test]
    fn one_address_is_stopped_and_others_are_not() {
        let throttle = Throttle::default();
        assert_eq!(fail_times(&throttle, PER_PAIR, "192.0.2.1"), None);
        assert_eq!(
            fail_times(&throttle, 1, "192.0.2.1"),
            Some(Throttled { wait: WINDOW })
        );
        assert_eq!(fail_times(&throttle, 1, "192.0.2.2"), None);
    }

    #[test]
    fn many_addresses_together_are_stopped() {
        let throttle = Throttle::default();
        for host in 0..PER_ACCOUNT {
            assert_eq!(fail_times(&throttle, 1, &format!("192.0.2.{host}")), None);
        }
        assert!(fail_times(&throttle, 1, "198.51.100.1").is_some());
    }

    #[test]
    fn failures_alone_can_be_counted() {
        let throttle = Throttle::default();
        for _ in 0..PER_ACCOUNT {
            assert_eq!(throttle.check("app", START), Ok(()));
            throttle.failed("app", START);
        }
        throttle.failed("app", START);
        assert_eq!(
            throttle.check("app", START),
            Err(Throttled { wait: WINDOW })
        );
        assert_eq!(throttle.check("another", START), Ok(()));
        assert_eq!(throttle.check("app", START + WINDOW), Ok(()));
    }

    #[test]
    fn time_and_success_forgive() {
        let throttle = Throttle::default();
        fail_times(&throttle, PER_PAIR + 1, "192.0.2.1");
        assert!(
            throttle
                .attempt("a@example.com", "192.0.2.1", START + WINDOW)
                .is_ok()
        );
        fail_times(&throttle, PER_PAIR - 1, "192.0.2.9");
        throttle.succeeded("a@example.com", "192.0.2.9");
        assert_eq!(fail_times(&throttle, PER_PAIR, "192.0.2.9"), None);
    }

    #[test]
    fn a_clock_set_back_does_not_shut_anybody_out() {
        let throttle = Throttle::default();
        fail_times(&throttle, PER_PAIR + 1, "192.0.2.1");
        assert!(
            throttle
                .attempt("a@example.com", "192.0.2.1", START - Duration::days(1))
                .is_ok()
        );
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for number in 0..MAX_KEYS + 10 {
            let later = START + Duration::milliseconds(i64::try_from(number).unwrap());
            let _ = throttle.attempt(&format!("{number}@example.com"), "192.0.2.1", later);
        }
        assert!(throttle.0.lock().unwrap().len() <= MAX_KEYS);
    }
}
