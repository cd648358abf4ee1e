//! Tokens whose signature was found to hold, so that it need not be computed again.
//!
//! Only that outcome is remembered. Time, issuer, audience and scope are checked on every request,
//! and an entry counts only under the very list of key sets it was verified under: a token that is
//! good for one handler's keys says nothing to another's (CVE-2026-49998).

use std::{
    collections::HashMap,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::{Claims, TokenRules, jwk::KeyId};
use crate::FetchId;

/// How much the cache of verified tokens may hold. Either limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Tokens. Fewer than two switch the cache off.
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

impl CacheLimits {
    /// No cache at all.
    pub const OFF: Self = Self {
        entries: 0,
        bytes: 0,
    };
}

/// Who signed a token, and the circumstances that a handler's rules may object to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer {
    pub(super) key_set: FetchId,
    pub(super) key: KeyId,
    pub(super) algorithm: Algorithm,
    pub(super) named_by_token: bool,
    pub(super) states_use: bool,
}

impl Signer {
    /// Whether a token so signed could have been verified under `rules`.
    fn is_admitted_by(&self, rules: &TokenRules) -> bool {
        rules.algorithms.contains(self.algorithm)
            && (self.named_by_token || rules.allow_missing_kid)
            && (self.states_use || rules.allow_missing_use)
    }
}

/// Two generations, each of half the size. New and used entries live in the young one; when that is
/// full it becomes the old one, and what was not used since the last change is dropped.
#[derive(Debug)]
pub(super) struct VerifiedTokens {
    limits: CacheLimits,
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    /// By [`Place`]. Two tokens in one place cost a miss, never a mix-up: entries compare in full.
    entries: HashMap<Place, Entry, AsItIs>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    token: Box<str>,
    key_sets: Arc<[FetchId]>,
    signer: Signer,
    claims: Arc<Claims>,
    bytes: usize,
}

/// Where an entry is kept: a hash of its key. The fixed hasher keeps the engine free of randomness, and
/// cannot be played with: only tokens that somebody's key has signed get in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(u64);

/// Takes a [`Place`] for the hash that it is.
#[derive(Clone, Copy, Debug, Default)]
struct AsItIs(u64);

impl BuildHasher for AsItIs {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Place {
    /// The end of a token is its signature, which is as good as random: enough to spread entries.
    const TAIL: usize = 64;

    pub(super) fn of(token: &str, rules: &TokenRules) -> Self {
        let token = token.as_bytes();
        let tail = token.len().saturating_sub(Self::TAIL);
        let mut hasher = DefaultHasher::new();
        token.get(tail..).hash(&mut hasher);
        rules.key_sets.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl VerifiedTokens {
    pub(super) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            young: Generation::default(),
            old: Generation::default(),
        }
    }

    /// What is known of `token` under `rules`.
    pub(super) fn get(
        &mut self,
        place: Place,
        token: &str,
        rules: &TokenRules,
    ) -> Option<(Signer, Arc<Claims>)> {
        if let Some(entry) = self.young.entries.get(&place) {
            // Who is in the young one is not in the old one.
            return entry.answer(token, rules);
        }
        if !self.old.entries.get(&place)?.is_of(token, rules) {
            return None;
        }
        let entry = self.old.remove(place)?;
        let answer = entry.answer(token, rules);
        self.keep(place, entry);
        answer
    }

    /// Remembers that `signer` signed `token`.
    pub(super) fn insert(
        &mut self,
        place: Place,
        token: &str,
        rules: &TokenRules,
        signer: Signer,
        claims: &Arc<Claims>,
    ) {
        let bytes = weight(token, claims);
        if self.limits.entries < 2 || bytes > self.limits.bytes / 2 {
            return;
        }
        self.old.remove(place);
        let entry = Entry {
            token: token.into(),
            key_sets: Arc::clone(&rules.key_sets),
            signer,
            claims: Arc::clone(claims),
            bytes,
        };
        self.keep(place, entry);
    }

    /// Forgets the token in `place`.
    pub(super) fn remove(&mut self, place: Place) {
        self.young.remove(place);
        self.old.remove(place);
    }

    /// Forgets every token that one of `keys` signed.
    pub(super) fn remove_signed_by(&mut self, keys: &[KeyId]) {
        if keys.is_empty() {
            return;
        }
        for generation in [&mut self.young, &mut self.old] {
            generation
                .entries
                .retain(|_, entry| !keys.contains(&entry.signer.key));
            generation.bytes = generation.entries.values().map(|entry| entry.bytes).sum();
        }
    }

    fn keep(&mut self, place: Place, entry: Entry) {
        self.young.remove(place);
        let full = self.young.entries.len() >= self.limits.entries / 2
            || self.young.bytes.saturating_add(entry.bytes) > self.limits.bytes / 2;
        if full {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        self.young.bytes = self.young.bytes.saturating_add(entry.bytes);
        self.young.entries.insert(place, entry);
    }

    /// Entries and bytes held, for tests.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        [&self.young, &self.old]
            .iter()
            .fold((0, 0), |(entries, bytes), generation| {
                (
                    generation.entries.len().saturating_add(entries),
                    generation.bytes.saturating_add(bytes),
                )
            })
    }
}

impl Generation {
    fn remove(&mut self, place: Place) -> Option<Entry> {
        let entry = self.entries.remove(&place)?;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        Some(entry)
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }
}

impl Entry {
    fn is_of(&self, token: &str, rules: &TokenRules) -> bool {
        are_equal(self.token.as_bytes(), token.as_bytes()) && self.key_sets == rules.key_sets
    }

    fn answer(&self, token: &str, rules: &TokenRules) -> Option<(Signer, Arc<Claims>)> {
        (self.is_of(token, rules) && self.signer.is_admitted_by(rules))
            .then(|| (self.signer, Arc::clone(&self.claims)))
    }
}

/// The same as `==`, eight bytes at a time: in wasm that compares byte by byte, and tokens are long.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let (words, rest) = one.as_chunks::<8>();
    let (other_words, other_rest) = other.as_chunks::<8>();
    one.len() == other.len()
        && rest == other_rest
        && words
            .iter()
            .zip(other_words)
            .all(|(word, other)| u64::from_ne_bytes(*word) == u64::from_ne_bytes(*other))
}

/// Roughly what an entry occupies. Claims are weighed as they lie in memory, since compact JSON
/// such as `[[],[],[]]` grows many times over when it is parsed.
fn weight(token: &str, claims: &Claims) -> usize {
    const ENTRY: usize = 512;
    ENTRY
        .saturating_add(token.len())
        .saturating_add(object_weight(&claims.extra).saturating_mul(2))
}

fn object_weight(object: &Map<String, Value>) -> usize {
    object
        .iter()
        .map(|(name, value)| {
            value_weight(value)
                .saturating_add(name.len())
                .saturating_add(NODE)
        })
        .fold(0, usize::saturating_add)
}

/// A value with its allocation's overhead.
const NODE: usize = 48;

fn value_weight(value: &Value) -> usize {
    let inside = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(values) => values
            .iter()
            .map(value_weight)
            .fold(0, usize::saturating_add),
        Value::Object(object) => object_weight(object),
    };
    inside.saturating_add(NODE)
}
