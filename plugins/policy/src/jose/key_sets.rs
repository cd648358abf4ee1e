use std::{fmt, time::Duration};

use super::{
    Discovery,
    jwk::{Key, KeyId},
    jwks::{FetchFault, InlineKeys},
    key_set::{Answer, KeySet},
};
use crate::{Call, FetchId, Reply, UnixTime, call::Endpoint};

/// How key sets are fetched and how long they are trusted. One for all sets of a policy, as in
/// Oathkeeper, where only the global configuration counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetSettings {
    /// After this long a set is fetched again (`jwks_ttl`). It is still used until the new one is
    /// there; the refresh begins a little earlier, so that no request meets it.
    pub ttl: Duration,
    /// How long one fetch may take: the longest that a request waits for keys. A longer
    /// `jwks_max_wait` prolongs it; a shorter one is not taken, since with Oathkeeper the fetch
    /// itself goes on after it, while ours would end.
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
            timeout: Duration::from_secs(5),
            max_stale: Duration::from_secs(24 * 60 * 60),
            refetch_window: Duration::from_secs(2),
            unknown_kid_ttl: Duration::from_secs(60),
            first_retry: Duration::from_millis(500),
            last_retry: Duration::from_secs(10),
        }
    }
}

/// Where the keys of a set come from.
#[derive(Clone, Debug, PartialEq)]
pub enum KeySource {
    /// A JWK Set at this URL.
    Url(Endpoint),
    /// The URL that an issuer's metadata names.
    Discovery(Discovery),
    /// The configuration itself.
    Inline(InlineKeys),
}

impl From<Endpoint> for KeySource {
    fn from(endpoint: Endpoint) -> Self {
        Self::Url(endpoint)
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(endpoint) => write!(f, "key set `{}{}`", endpoint.origin, endpoint.path),
            Self::Discovery(discovery) => write!(f, "key set of the issuer `{}`", discovery.issuer),
            Self::Inline(_) => f.write_str("key set in the configuration"),
        }
    }
}

/// All key sets of a policy. [`FetchId`]s number them in the order they were given.
#[derive(Debug)]
pub struct KeySets {
    settings: KeySetSettings,
    sets: Vec<KeySet>,
    /// The last [`KeyId`] given out.
    last_id: u64,
}

impl KeySets {
    /// The key sets of `sources`. Those to be fetched have no keys yet.
    #[must_use]
    pub fn new(
        sources: impl IntoIterator<Item = impl Into<KeySource>>,
        settings: KeySetSettings,
    ) -> Self {
        let mut last_id = 0;
        Self {
            settings,
            sets: sources
                .into_iter()
                .map(|source| KeySet::new(source.into(), &mut last_id))
                .collect(),
            last_id,
        }
    }

    /// Takes over what `former` knows of the same places, so that nobody waits for keys that are
    /// there. Fetches that are under way are begun anew.
    pub fn inherit(&mut self, mut former: Self) {
        for set in &mut self.sets {
            let known = former.sets.iter().position(|known| known.is_of(set));
            if let Some(position) = known {
                set.inherit(former.sets.swap_remove(position), &mut self.last_id);
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub(crate) const fn len(&self) -> usize {
        self.sets.len()
    }

    /// The fetches to make now. Each is handed out once until [`KeySets::fetched`] is told its end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        let settings = &self.settings;
        (0..)
            .map(FetchId)
            .zip(&mut self.sets)
            .filter_map(|(fetch, set)| Some((fetch, set.due(now, settings)?)))
            .collect()
    }

    /// Takes in the answer to a fetch, and returns the keys that are gone with it. Anything but a
    /// proper key set leaves the last good one.
    pub(super) fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) -> Vec<KeyId> {
        match self.sets.get_mut(index(fetch)) {
            Some(set) => set.fetched(reply, now, &self.settings, &mut self.last_id),
            None => Vec::new(),
        }
    }

    /// Why the latest fetch of a set failed; `None` if it did not, or there was none. For the
    /// operator's log.
    #[must_use]
    pub fn fault(&self, fetch: FetchId) -> Option<FetchFault> {
        self.sets.get(index(fetch))?.fault()
    }

    /// The keys of one set, unless they are too old to be trusted.
    pub(super) fn keys(&self, fetch: FetchId, now: UnixTime) -> &[(KeyId, Key)] {
        self.sets
            .get(index(fetch))
            .map_or(&[], |set| set.keys(now, &self.settings))
    }

    /// Whether the set may be used at all.
    pub(super) fn is_usable(&self, fetch: FetchId, now: UnixTime) -> bool {
        self.sets
            .get(index(fetch))
            .is_some_and(|set| set.is_usable(now, &self.settings))
    }

    /// What to tell a token whose key the set does not hold.
    pub(super) fn ask(&mut self, fetch: FetchId, kid: Option<&str>, now: UnixTime) -> Answer {
        match self.sets.get_mut(index(fetch)) {
            Some(set) => set.ask(kid, now, &self.settings),
            None => Answer::Unavailable,
        }
    }
}

fn index(fetch: FetchId) -> usize {
    usize::try_from(fetch.0).unwrap_or(usize::MAX)
}
