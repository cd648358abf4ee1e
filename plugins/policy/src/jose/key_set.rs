//! One key set and the life of its fetches: the first one, refreshes in the background, retries,
//! and refetches because of a `kid` that nobody knows yet.

use std::{collections::VecDeque, time::Duration};

use super::{
    KeySetSettings, KeySource,
    fetches::{self, Fetches},
    jwk::{Key, KeyId},
    jwks::{self, FetchFault},
};
use crate::{Call, Reply, UnixTime, call::Endpoint};

/// How long an issuer's metadata counts before it is read again. Keys move rarely, and a fetch of
/// theirs that fails has it read at once.
const METADATA_TTL: Duration = Duration::from_secs(60 * 60);

/// One is recorded per refetch window at most, so this is reached only with odd settings.
const UNKNOWN_KIDS_LIMIT: usize = 64;

#[derive(Debug)]
pub(super) struct KeySet {
    source: KeySource,
    /// Where the issuer's metadata says that the keys are, and when it said so.
    found: Option<(Endpoint, UnixTime)>,
    /// What the fetch under way is to bring.
    fetching: Fetching,
    keys: Vec<(KeyId, Key)>,
    loaded_at: Option<UnixTime>,
    fetches: Fetches,
    unknown_kids: VecDeque<UnknownKid>,
    /// The latest time that was told.
    seen: UnixTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetching {
    Metadata,
    Keys,
}

/// A `kid` that some token named and no key has.
#[derive(Debug)]
struct UnknownKid {
    kid: Box<str>,
    /// The fetch that tells whether the `kid` exists.
    asked_in_fetch: u64,
    forget_at: UnixTime,
}

/// What a set says to a token whose key it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// A fetch that may bring the key is under way or due now.
    Wait,
    /// The key does not exist as far as this set can know.
    Unknown,
    /// The set has no keys that may be used, and is not to be fetched yet.
    Unavailable,
}

impl KeySet {
    pub(super) fn new(source: KeySource, next_id: &mut u64) -> Self {
        let inline = match &source {
            KeySource::Inline(keys) => keys.0.clone(),
            KeySource::Url(_) | KeySource::Discovery(_) => Vec::new(),
        };
        let mut set = Self {
            source,
            found: None,
            fetching: Fetching::Keys,
            keys: Vec::new(),
            loaded_at: None,
            fetches: Fetches::default(),
            unknown_kids: VecDeque::new(),
            seen: UnixTime::default(),
        };
        set.replace_keys(inline, next_id);
        set
    }

    /// Whether both have their keys from one place.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.source == other.source
    }

    /// Takes over what `former` has fetched from the same place.
    pub(super) fn inherit(&mut self, former: Self, next_id: &mut u64) {
        if self.is_inline() {
            return;
        }
        self.replace_keys(
            former.keys.into_iter().map(|(_, key)| key).collect(),
            next_id,
        );
        self.loaded_at = former.loaded_at;
        self.found = former.found;
        self.seen = former.seen;
        self.fetches = former.fetches.inherited();
    }

    /// The keys, unless they are too old to be trusted.
    pub(super) fn keys(&self, now: UnixTime, settings: &KeySetSettings) -> &[(KeyId, Key)] {
        if self.is_usable(now, settings) {
            &self.keys
        } else {
            &[]
        }
    }

    pub(super) fn is_usable(&self, now: UnixTime, settings: &KeySetSettings) -> bool {
        self.is_inline()
            || self
                .loaded_at
                .is_some_and(|loaded_at| now.since(loaded_at) <= settings.max_stale)
    }

    /// Keys from the configuration are there from the beginning, and nothing can bring others.
    const fn is_inline(&self) -> bool {
        matches!(self.source, KeySource::Inline(_))
    }

    pub(super) const fn fault(&self) -> Option<FetchFault> {
        self.fetches.fault
    }

    /// The fetch to make now, if any; handed out once.
    pub(super) fn due(&mut self, now: UnixTime, settings: &KeySetSettings) -> Option<Call> {
        if self.is_inline() {
            return None;
        }
        self.follow_the_clock(now);
        self.fetches.give_up_if_lost(now, settings);
        if !self.fetches.begin(now) {
            return None;
        }
        let endpoint = self.next_endpoint(now)?;
        Some(fetches::call(endpoint, settings))
    }

    /// Where the fetch that begins now goes: to the keys, or first to the metadata that says where
    /// they are.
    fn next_endpoint(&mut self, now: UnixTime) -> Option<Endpoint> {
        self.fetching = Fetching::Keys;
        match (&self.source, &self.found) {
            (KeySource::Inline(_), _) => None,
            (KeySource::Url(endpoint), _) => Some(endpoint.clone()),
            (KeySource::Discovery(_), Some((endpoint, at))) if now.since(*at) < METADATA_TTL => {
                Some(endpoint.clone())
            }
            (KeySource::Discovery(discovery), _) => {
                self.fetching = Fetching::Metadata;
                Some(discovery.document.clone())
            }
        }
    }

    /// Takes in the answer to a fetch, and returns the keys that are gone with it.
    pub(super) fn fetched(
        &mut self,
        reply: Reply,
        now: UnixTime,
        settings: &KeySetSettings,
        next_id: &mut u64,
    ) -> Vec<KeyId> {
        if self.fetches.under_way_since.is_none() {
            return Vec::new();
        }
        if let (Fetching::Metadata, KeySource::Discovery(discovery)) = (self.fetching, &self.source)
        {
            match discovery.read(reply) {
                Ok(endpoint) => {
                    self.found = Some((endpoint, now));
                    self.fetches.go_on(now);
                }
                Err(fault) => self.fetches.end_badly(fault, now, settings),
            }
            return Vec::new();
        }
        match jwks::read(reply) {
            Ok(keys) => {
                self.fetches.end_well(now, settings);
                self.loaded_at = Some(now);
                self.replace_keys(keys, next_id)
            }
            // The issuer speaks, and has no keys: an emergency revocation looks like this.
            Err(fault @ FetchFault::NoUsableKey) => {
                self.fetches.end_badly(fault, now, settings);
                self.loaded_at = Some(now);
                self.replace_keys(Vec::new(), next_id)
            }
            Err(fault) => {
                // The keys may have moved.
                self.found = None;
                self.fetches.end_badly(fault, now, settings);
                Vec::new()
            }
        }
    }

    /// What to tell a token whose key this set does not hold: `kid` names it where the token does.
    pub(super) fn ask(
        &mut self,
        kid: Option<&str>,
        now: UnixTime,
        settings: &KeySetSettings,
    ) -> Answer {
        if self.is_inline() {
            return Answer::Unknown;
        }
        self.follow_the_clock(now);
        self.fetches.give_up_if_lost(now, settings);
        self.unknown_kids.retain(|unknown| unknown.forget_at > now);
        let usable = self.is_usable(now, settings);
        match kid {
            Some(kid) if usable => self.ask_for_refetch(kid, now, settings),
            // Keys without a name cannot be missed: the refresh in the background will bring them.
            None if usable => Answer::Unknown,
            _ if self.fetches.under_way_since.is_some() || self.fetches.next <= now => Answer::Wait,
            _ => Answer::Unavailable,
        }
    }

    fn ask_for_refetch(&mut self, kid: &str, now: UnixTime, settings: &KeySetSettings) -> Answer {
        let known_unknown = self
            .unknown_kids
            .iter()
            .find(|unknown| &*unknown.kid == kid);
        if let Some(unknown) = known_unknown {
            return if unknown.asked_in_fetch <= self.fetches.ended {
                Answer::Unknown
            } else {
                Answer::Wait
            };
        }
        if self.fetches.wanted || self.fetches.under_way_since.is_some() {
            return Answer::Wait;
        }
        if !self.fetches.want(now, settings) {
            return Answer::Unknown;
        }
        if self.unknown_kids.len() >= UNKNOWN_KIDS_LIMIT {
            self.unknown_kids.pop_front();
        }
        self.unknown_kids.push_back(UnknownKid {
            kid: kid.into(),
            asked_in_fetch: self.fetches.started.saturating_add(1),
            forget_at: now.after(settings.unknown_kid_ttl),
        });
        Answer::Wait
    }

    /// A clock that is set back must not freeze the keys until it has caught up: what was planned
    /// for later is planned anew, and nothing has happened in the future.
    fn follow_the_clock(&mut self, now: UnixTime) {
        if now < self.seen {
            self.fetches.set_back(now);
            self.loaded_at = self.loaded_at.map(|at| at.min(now));
            self.found = None;
            self.unknown_kids.clear();
        }
        self.seen = now;
    }

    /// A key that is still there unchanged keeps its id, and with it the tokens verified by it.
    fn replace_keys(&mut self, keys: Vec<Key>, next_id: &mut u64) -> Vec<KeyId> {
        let mut former = std::mem::take(&mut self.keys);
        self.keys = keys
            .into_iter()
            .map(|key| {
                let kept = former.iter().position(|(_, old)| *old == key);
                let id = kept.map_or_else(
                    || {
                        *next_id = next_id.saturating_add(1);
                        KeyId(*next_id)
                    },
                    |position| former.swap_remove(position).0,
                );
                (id, key)
            })
            .collect();
        former.into_iter().map(|(id, _)| id).collect()
    }
}
