//! The life of a key: published, active, retired, gone. All of it follows from four stored values and the time, so
//! no process has to wake up for a key to change state, and all processes agree.
//!
//! ```text
//! created_at        activates_at         retires_at          retires_at + token_lifespan
//!     | published        | active             | retired             | expired: removed
//! ```
//!
//! A verifier that caches the key set for its max-age has seen a key before the first token signed by it, because
//! `publish_ahead` exceeds `jwks_max_age`; and it finds the key there until the last such token has expired.

use time::{Duration, OffsetDateTime};

use super::KeySet;
use super::store::StoredKey;

/// Clocks differ, verifiers allow leeway, and another process may learn of a rotation a little late: a retired key
/// stays published for this much longer than its last token needs.
const GRACE: Duration = Duration::minutes(15);

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// In the key set, not signing yet.
    Published,
    /// Signing.
    Active,
    /// In the key set for the tokens it signed.
    Retired,
    /// To be removed.
    Expired,
}

impl Phase {
    /// The phase's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Expired => "expired",
        }
    }
}

impl StoredKey {
    /// The phase at `now`.
    #[must_use]
    pub fn phase(&self, now: OffsetDateTime) -> Phase {
        match self.retires_at {
            Some(retires_at)
                if now
                    >= retires_at
                        .saturating_add(self.token_lifespan)
                        .saturating_add(GRACE) =>
            {
                Phase::Expired
            }
            Some(retires_at) if now >= retires_at => Phase::Retired,
            _ if now >= self.activates_at => Phase::Active,
            _ => Phase::Published,
        }
    }
}

/// What it takes to give a set its next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// Make a key that signs from this time.
    Create { activates_at: OffsetDateTime },
    /// A successor is published already; let it sign from this time.
    Advance {
        successor: StoredKey,
        activates_at: OffsetDateTime,
    },
    /// A successor is published already and will follow by itself.
    Wait { successor: StoredKey },
}

/// Plans a rotation of `set`. With `at_once`, the successor signs from `now`, however unknown it is to verifiers.
pub(super) fn plan(
    keys: &[StoredKey],
    set: KeySet,
    now: OffsetDateTime,
    publish_ahead: Duration,
    at_once: bool,
) -> Plan {
    let in_phase = |phase| {
        keys.iter()
            .filter(move |key| key.set == set && key.phase(now) == phase)
    };
    if let Some(successor) = in_phase(Phase::Published).max_by_key(|key| key.activates_at) {
        let successor = successor.clone();
        return if at_once {
            Plan::Advance {
                successor,
                activates_at: now,
            }
        } else {
            Plan::Wait { successor }
        };
    }
    // Nobody can have cached a set in which nothing has signed yet.
    let first = in_phase(Phase::Active).next().is_none();
    let activates_at = if first || at_once {
        now
    } else {
        now.saturating_add(publish_ahead)
    };
    Plan::Create { activates_at }
}

/// The keys of `set` that must stop to sign when a successor starts, with their new times.
pub(super) fn retire(keys: &[StoredKey], successor: &StoredKey) -> Vec<StoredKey> {
    let stops = |key: &&StoredKey| {
        key.set == successor.set
            && key.id != successor.id
            && key
                .retires_at
                .is_none_or(|retires_at| retires_at > successor.activates_at)
    };
    keys.iter()
        .filter(stops)
        .map(|key| StoredKey {
            retires_at: Some(successor.activates_at),
            ..key.clone()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::id::KeyId;
    use crate::keys::Algorithm;

    const T0: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const AHEAD: Duration = Duration::minutes(10);
    const LIFESPAN: Duration = Duration::hours(1);

    fn key(
        id: &str,
        activates_at: OffsetDateTime,
        retires_at: Option<OffsetDateTime>,
    ) -> StoredKey {
        StoredKey {
            id: KeyId::new(id),
            set: KeySet::AccessToken,
            algorithm: Algorithm::Es256,
            sealed_private: Vec::new(),
            public_jwk: String::new(),
            created_at: T0,
            activates_at,
            retires_at,
            token_lifespan: LIFESPAN,
        }
    }

    #[test]
    fn phases_follow_the_clock() {
        let key = key("a", T0 + AHEAD, Some(T0 + Duration::hours(5)));
        let at = |offset| key.phase(T0 + offset);
        assert_eq!(at(Duration::minutes(9)), Phase::Published);
        assert_eq!(at(Duration::minutes(10)), Phase::Active);
        assert_eq!(at(Duration::hours(5)), Phase::Retired);
        assert_eq!(
            at(Duration::hours(6)),
            Phase::Retired,
            "its last token has just expired"
        );
        assert_eq!(at(Duration::hours(6) + GRACE), Phase::Expired);
    }

    #[test]
    fn the_first_key_signs_at_once_and_a_later_one_is_published_ahead() {
        let create = |activates_at| Plan::Create { activates_at };
        assert_eq!(plan(&[], KeySet::AccessToken, T0, AHEAD, false), create(T0));
        let active = [key("a", T0, None)];
        assert_eq!(
            plan(&active, KeySet::AccessToken, T0, AHEAD, false),
            create(T0 + AHEAD)
        );
        assert_eq!(
            plan(&active, KeySet::AccessToken, T0, AHEAD, true),
            create(T0)
        );
        assert_eq!(
            plan(&active, KeySet::IdToken, T0, AHEAD, false),
            create(T0),
            "the other set has none"
        );
    }

    #[test]
    fn a_second_rotation_waits_for_the_first() {
        let successor = key("b", T0 + AHEAD, None);
        let keys = [key("a", T0, Some(T0 + AHEAD)), successor.clone()];
        let wait = plan(&keys, KeySet::AccessToken, T0, AHEAD, false);
        assert_eq!(
            wait,
            Plan::Wait {
                successor: successor.clone()
            }
        );
        let advance = plan(&keys, KeySet::AccessToken, T0, AHEAD, true);
        assert_eq!(
            advance,
            Plan::Advance {
                successor,
                activates_at: T0
            }
        );
    }

    #[test]
    fn a_predecessor_signs_until_its_successor_does() {
        let keys = [key("old", T0, Some(T0)), key("a", T0, None)];
        let retired = retire(&keys, &key("b", T0 + AHEAD, None));
        assert_eq!(
            retired,
            [key("a", T0, Some(T0 + AHEAD))],
            "and one that retired earlier is left alone"
        );
    }
}
