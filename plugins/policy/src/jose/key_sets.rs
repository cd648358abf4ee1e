use std::time::Duration;

use crate::{Call, FetchId, Reply, UnixTime, call::Endpoint};

/// How key sets are fetched and how long they are trusted. One for all sets of a policy, as in
/// Oathkeeper, where only the global configuration counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetSettings {
    /// After this long a set is fetched again (`jwks_ttl`). It is still used until the new one is
    /// there; the refresh begins a little earlier, so that no request meets it.
    pub ttl: Duration,
    /// How long one fetch may take (`jwks_max_wait`): the longest that a request waits for keys.
    pub timeout: Duration,
    /// A set that could not be refreshed is used until it is this old.
    pub max_stale: Duration,
    /// At most one fetch per set in this time is made because of an unknown `kid`, however many
    /// tokens name one. Stops a flood of invented `kid`s from becoming a flood of fetches.
    pub refetch_window: Duration,
    /// A `kid` that a refetch did not bring asks for no other refetch for this long.
    pub unknown_kid_ttl: Duration,
    /// The wait after the first failed fetch; it doubles with each further one.
    pub first_retry: Duration,
    /// The longest wait between failed fetches.
    pub last_retry: Duration,
}

impl Default for KeySetSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            timeout: Duration::from_secs(1),
            max_stale: Duration::from_secs(24 * 60 * 60),
            refetch_window: Duration::from_secs(10),
            unknown_kid_ttl: Duration::from_secs(60),
            first_retry: Duration::from_millis(500),
            last_retry: Duration::from_secs(10),
        }
    }
}

/// All key sets of a policy. [`FetchId`]s number them in the order they were given.
#[derive(Debug)]
pub struct KeySets {}

impl KeySets {
    /// Key sets to be fetched from `endpoints`; none has keys yet.
    #[must_use]
    pub fn new(_endpoints: Vec<Endpoint>, _settings: KeySetSettings) -> Self {
        Self {}
    }

    /// The fetches to make now. Each is handed out once until [`KeySets::fetched`] is told its end.
    pub fn due(&mut self, _now: UnixTime) -> Vec<(FetchId, Call)> {
        Vec::new()
    }

    /// Takes in the answer to a fetch. Anything but a proper key set leaves the last good one.
    pub fn fetched(&mut self, _fetch: FetchId, _reply: Reply, _now: UnixTime) {}
}
