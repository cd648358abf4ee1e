//! The keys in memory: what signs, and what is published.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;
use time::OffsetDateTime;

use super::pair::{CryptoError, Pair};
use super::rotate::Phase;
use super::store::StoredKey;
use super::{KeyError, KeySet};
use crate::secret::SealingKeys;

/// A key that was opened and parsed.
pub(super) struct LoadedKey {
    pub(super) stored: StoredKey,
    pub(super) pair: Arc<Pair>,
    jwk: Value,
    verifying: DecodingKey,
}

/// All keys as of one reading of the storage.
#[derive(Default)]
pub(super) struct Ring {
    keys: Vec<LoadedKey>,
}

impl Ring {
    /// Opens `stored`. Keys that `previous` holds already are not parsed again.
    pub(super) fn load(
        stored: Vec<StoredKey>,
        sealing: &SealingKeys,
        previous: &Self,
    ) -> Result<Self, KeyError> {
        let known: HashMap<_, _> = previous
            .keys
            .iter()
            .map(|key| (&key.stored.id, &key.pair))
            .collect();
        let keys = stored
            .into_iter()
            .map(|stored| match known.get(&stored.id) {
                Some(pair) => LoadedKey::new(stored, Arc::clone(pair)),
                None => LoadedKey::open(stored, sealing),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// The key that signs for `set`: of several, the one that started last.
    pub(super) fn active(&self, set: KeySet, now: OffsetDateTime) -> Option<&LoadedKey> {
        self.keys
            .iter()
            .filter(|key| key.stored.set == set && key.stored.phase(now) == Phase::Active)
            .max_by_key(|key| key.stored.activates_at)
    }

    /// Every public key that a verifier may need now or soon, newest first.
    pub(super) fn published(&self, now: OffsetDateTime) -> Vec<&Value> {
        self.keys
            .iter()
            .rev()
            .filter(|key| key.stored.phase(now) < Phase::Expired)
            .map(|key| &key.jwk)
            .collect()
    }

    /// The claims of `token`, if a published key of `set` signed it.
    pub(super) fn open_token(
        &self,
        set: KeySet,
        token: &str,
        now: OffsetDateTime,
    ) -> Option<Value> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self
            .keys
            .iter()
            .find(|key| key.stored.id.as_str() == kid && key.stored.set == set)?;
        if key.stored.phase(now) >= Phase::Expired {
            return None;
        }
        let mut only_signature = Validation::new(key.stored.algorithm.jose());
        only_signature.required_spec_claims.clear();
        only_signature.validate_exp = false;
        only_signature.validate_aud = false;
        jsonwebtoken::decode(token, &key.verifying, &only_signature)
            .ok()
            .map(|token| token.claims)
    }
}

impl LoadedKey {
    fn open(stored: StoredKey, sealing: &SealingKeys) -> Result<Self, KeyError> {
        let private = sealing
            .open(stored.id.as_str().as_bytes(), &stored.sealed_private)
            .map_err(|reason| KeyError::Sealed {
                id: stored.id.clone(),
                reason,
            })?;
        let pair = Pair::parse(stored.algorithm, &private)?;
        Self::new(stored, Arc::new(pair))
    }

    fn new(stored: StoredKey, pair: Arc<Pair>) -> Result<Self, KeyError> {
        let jwk: Value = serde_json::from_str(&stored.public_jwk).map_err(|_| CryptoError)?;
        let public = serde_json::from_value(jwk.clone()).map_err(|_| CryptoError)?;
        let verifying = DecodingKey::from_jwk(&public).map_err(|_| CryptoError)?;
        Ok(Self {
            stored,
            pair,
            jwk,
            verifying,
        })
    }
}
