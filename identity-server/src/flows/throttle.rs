//! Slows down guessing of passwords.
//!
//! An attempt counts against the account and against the pair of account and address, before the password is
//! checked, so that parallel attempts cannot slip through. A success forgives the pair. The counters are keyed by the
//! canonical identifier whether or not such an account exists: the answer tells nothing about that.
//! Callers take their [`Turn`](crate::identity::password::Turn) to hash before they count, so that filling the memory
//! costs hashes. Of an IPv6 address the network counts (/64): a household has that many addresses.
//!
//! - The pair stops one guesser without shutting the owner out elsewhere.
//! - The account stops many addresses together. It is generous, because whoever knows an address can make it trip;
//!   NIST SP 800-63B allows at most a hundred failures in a row.
//! - A registration counts against the address alone, because each one is of a new account.
//!
//! The counters live in memory, as many as [`MAX_KEYS`]: a restart forgets them, and several servers count apart.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// Failures from one address to one account within [`WINDOW`].
const PER_PAIR: u32 = 10;

/// Failures to one account from anywhere within [`WINDOW`].
const PER_ACCOUNT: u32 = 100;

/// Registrations from one address within [`WINDOW`]; plenty even for an office behind one address.
const PER_ADDRESS: u32 = 300;

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
        let limits = [
            (pair(identifier, ip), PER_PAIR),
            (account(identifier), PER_ACCOUNT),
        ];
        // All are looked at before any is counted: what is refused costs no hash, so it must leave no trace.
        for (key, limit) in limits {
            allowed(&counters, &key, limit, now)?;
        }
        for (key, _) in limits {
            count(&mut counters, key, now);
        }
        Ok(())
    }

    /// Counts a registration from `ip`.
    ///
    /// # Errors
    /// [`Throttled`] when there have been too many.
    pub fn registration(&self, ip: &str, now: OffsetDateTime) -> Result<(), Throttled> {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut counters, now);
        let key = address(ip);
        allowed(&counters, &key, PER_ADDRESS, now)?;
        count(&mut counters, key, now);
        Ok(())
    }

    /// Whether `identifier` may be tried, by its failures from anywhere. Counts nothing; for those who count only
    /// failures, by [`failed`](Self::failed).
    ///
    /// # Errors
    /// [`Throttled`].
    pub fn check(&self, identifier: &str, now: OffsetDateTime) -> Result<(), Throttled> {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        allowed(&counters, &account(identifier), PER_ACCOUNT, now)
    }

    /// Counts a failure on `identifier` from anywhere.
    pub fn failed(&self, identifier: &str, now: OffsetDateTime) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut counters, now);
        count(&mut counters, account(identifier), now);
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

fn allowed(
    counters: &HashMap<Key, Counter>,
    key: &Key,
    limit: u32,
    now: OffsetDateTime,
) -> Result<(), Throttled> {
    match counters.get(key) {
        Some(counter) if counter.attempts >= limit && !is_over(counter, now) => {
            Err(throttled(counter, now))
        }
        _ => Ok(()),
    }
}

fn count(counters: &mut HashMap<Key, Counter>, key: Key, now: OffsetDateTime) {
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
    counter.attempts = counter.attempts.saturating_add(1);
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
        .chain_update(network(ip))
        .chain_update(b"\0")
        .chain_update(identifier)
        .finalize()
        .into()
}

fn address(ip: &str) -> Key {
    Sha256::new()
        .chain_update(b"address\0")
        .chain_update(network(ip))
        .finalize()
        .into()
}

/// The address, or of an IPv6 address its /64.
fn network(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).to_string()
        }
        Ok(address) => address.to_string(),
        Err(_) => ip.to_owned(),
    }
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
    fn moving_about_in_a_network_does_not_help() {
        let throttle = Throttle::default();
        for host in 0..PER_PAIR {
            assert_eq!(fail_times(&throttle, 1, &format!("2001:db8::{host}")), None);
        }
        assert!(fail_times(&throttle, 1, "2001:db8::ffff").is_some());
        assert_eq!(fail_times(&throttle, 1, "2001:db8:0:1::1"), None);
    }

    #[test]
    fn refused_attempts_take_no_memory() {
        let throttle = Throttle::default();
        for host in 0..PER_ACCOUNT {
            fail_times(&throttle, 1, &format!("192.0.2.{host}"));
        }
        let before = throttle.0.lock().unwrap().len();
        for host in 0..200 {
            assert!(fail_times(&throttle, 1, &format!("198.51.100.{host}")).is_some());
        }
        assert_eq!(throttle.0.lock().unwrap().len(), before);
    }

    #[test]
    fn registrations_count_against_their_address() {
        let throttle = Throttle::default();
        for _ in 0..PER_ADDRESS {
            assert_eq!(throttle.registration("192.0.2.1", START), Ok(()));
        }
        assert!(throttle.registration("192.0.2.1", START).is_err());
        assert_eq!(throttle.registration("192.0.2.2", START), Ok(()));
        assert_eq!(throttle.registration("192.0.2.1", START + WINDOW), Ok(()));
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
