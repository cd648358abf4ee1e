//! Answers to side calls, remembered so that the same question need not be asked again.
//!
//! An answer is found by the whole call that it answered: method, URL, every header field and the
//! body. So whatever a decision depends on is part of the key, and two handlers that ask different
//! things never share an answer (CVE-2021-32701, CVE-2026-33496). What is remembered is the reply
//! and not the verdict: every check is made again on each request.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::{Call, UnixTime, call::Response};

/// How many answers are remembered, and how many bytes of them. Either limit counts.
const MAX_ANSWERS: usize = 4096;
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// A larger answer is not remembered.
const MAX_ANSWER: usize = 64 * 1024;

/// What an entry costs besides its bytes, estimated.
const OVERHEAD: usize = 128;

/// What a call is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question([u8; 32]);

impl Question {
    /// Every part goes in behind its length, so that no two calls are written alike.
    pub(crate) fn of(call: &Call) -> Self {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        };
        part(call.origin.as_bytes());
        part(call.method.as_bytes());
        part(call.path.as_bytes());
        part(&call.body);
        for (name, value) in &call.headers {
            part(name.to_ascii_lowercase().as_bytes());
            part(value);
        }
        Self(hash.finalize().into())
    }
}

/// Two generations, each of half the size: when the young one is full it becomes the old one, and
/// what was not used since the last change is dropped.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<Question, Entry, FirstBytes>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    response: Response,
    answered_at: UnixTime,
    expires_at: UnixTime,
}

impl Answers {
    /// What is known, if it is no older than `max_age`.
    pub(crate) fn get(
        &mut self,
        question: &Question,
        max_age: Duration,
        now: UnixTime,
    ) -> Option<Response> {
        let is_good = |entry: &Entry| {
            // A clock that was set back makes an answer one from the future: not to be believed.
            entry.answered_at <= now
                && now < entry.expires_at
                && now.since(entry.answered_at) < max_age
        };
        if let Some(entry) = self.young.entries.get(question) {
            return is_good(entry).then(|| entry.response.clone());
        }
        let entry = self.old.entries.get(question).filter(|e| is_good(e))?;
        let (response, answered_at) = (entry.response.clone(), entry.answered_at);
        let expires_at = entry.expires_at;
        self.insert(
            *question,
            Entry {
                response: response.clone(),
                answered_at,
                expires_at,
            },
        );
        Some(response)
    }

    /// Remembers `response` until `good_for` is over.
    pub(crate) fn keep(
        &mut self,
        question: Question,
        response: Response,
        good_for: Duration,
        now: UnixTime,
    ) {
        if good_for.is_zero() || size(&response) > MAX_ANSWER {
            return;
        }
        self.insert(
            question,
            Entry {
                response,
                answered_at: now,
                expires_at: now.after(good_for),
            },
        );
    }

    fn insert(&mut self, question: Question, entry: Entry) {
        let bytes = size(&entry.response);
        let is_full = self.young.entries.len() >= MAX_ANSWERS / 2
            || self.young.bytes.saturating_add(bytes) > MAX_BYTES / 2;
        if is_full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.bytes = self.young.bytes.saturating_add(bytes);
        if let Some(former) = self.young.entries.insert(question, entry) {
            self.young.bytes = self.young.bytes.saturating_sub(size(&former.response));
        }
    }
}

fn size(response: &Response) -> usize {
    let fields = response.headers.iter().fold(0_usize, |sum, (name, value)| {
        sum.saturating_add(name.len()).saturating_add(value.len())
    });
    OVERHEAD
        .saturating_add(fields)
        .saturating_add(response.body.len())
}

/// A digest is as good as random: its first bytes are hash enough.
#[derive(Clone, Copy, Debug, Default)]
struct FirstBytes(u64);

impl BuildHasher for FirstBytes {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().take(8) {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length of the digest, always the same.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
