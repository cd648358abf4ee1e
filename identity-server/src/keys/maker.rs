//! Makes keys and rotates them, in the storage.

use time::OffsetDateTime;

use super::pair::{CryptoError, Pair};
use super::rotate::{self, Phase, Plan};
use super::store::StoredKey;
use super::{KeyError, KeySet, PRIVATE_KEYS};
use crate::config::Settings;
use crate::entropy::Entropy;
use crate::id::KeyId;
use crate::secret::SealingKeys;
use crate::storage::{Storage, StorageError};

/// Makes keys and rotates them, in the storage. Needs no running server.
pub struct KeyMaker<'a> {
    settings: &'a Settings,
    sealing: SealingKeys,
}

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// This key is new, or signs earlier than planned.
    Started(StoredKey),
    /// This key was published already and takes over by itself.
    Pending(StoredKey),
}

impl<'a> KeyMaker<'a> {
    /// Takes algorithms, times and secrets from the settings.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            sealing: settings.secrets.sealing(PRIVATE_KEYS),
        }
    }

    /// Publishes the next key of `set`; it signs after `keys.publish_ahead`, or `at_once`: then verifiers that cache
    /// the key set refuse good tokens until they fetch it again.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn rotate(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
        at_once: bool,
    ) -> Result<Rotation, KeyError> {
        // Made before the write lock is taken; thrown away if it turns out not to be needed.
        let candidate = self.candidate(set, now, entropy).await?;
        let mut tx = storage.begin().await?;
        let keys = tx.keys().await?;
        let ahead = self.settings.keys.publish_ahead.0;
        let rotation = match rotate::plan(&keys, set, now, ahead, at_once) {
            Plan::Wait { successor } => return Ok(Rotation::Pending(successor)),
            Plan::Advance {
                successor,
                activates_at,
            } => {
                let successor = StoredKey {
                    activates_at,
                    ..successor
                };
                tx.update_key_times(&successor).await?;
                Rotation::Started(successor)
            }
            Plan::Create { activates_at } => {
                let successor = StoredKey {
                    activates_at,
                    ..candidate
                };
                tx.insert_key(&successor).await?;
                Rotation::Started(successor)
            }
        };
        let (Rotation::Started(successor) | Rotation::Pending(successor)) = &rotation;
        for key in rotate::retire(&keys, successor) {
            tx.update_key_times(&key).await?;
        }
        tx.commit().await?;
        Ok(rotation)
    }

    /// Makes the set usable, and lets every key know the longest token that it may have to outlive.
    pub(super) async fn ensure(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        let keys = storage.read().await?.keys().await?;
        let newest = keys
            .iter()
            .filter(|key| key.set == set && key.phase(now) <= Phase::Active)
            .max_by_key(|key| key.activates_at);
        if newest.is_none_or(|key| key.algorithm != self.settings.keys.algorithm_of(set)) {
            self.rotate(storage, set, now, entropy, false).await?;
        }
        self.update(storage, set, entropy).await
    }

    /// Brings the keys of `set` in line with settings that changed since they were made: the longest token, and the
    /// secret that seals them.
    async fn update(
        &self,
        storage: &dyn Storage,
        set: KeySet,
        entropy: &dyn Entropy,
    ) -> Result<(), KeyError> {
        let longest = self.settings.longest_token();
        let short = |key: &StoredKey| key.set == set && key.token_lifespan < longest;
        let outdated = |key: &StoredKey| {
            key.set == set
                && self
                    .sealing
                    .is_outdated(key.id.as_str().as_bytes(), &key.sealed_private)
        };
        if !storage
            .read()
            .await?
            .keys()
            .await?
            .iter()
            .any(|key| short(key) || outdated(key))
        {
            return Ok(());
        }
        let mut tx = storage.begin().await?;
        for key in tx.keys().await? {
            if short(&key) {
                tx.update_key_times(&StoredKey {
                    token_lifespan: longest,
                    ..key.clone()
                })
                .await?;
            }
            if outdated(&key) {
                let fail = |reason| KeyError::Sealed {
                    id: key.id.clone(),
                    reason,
                };
                let context = key.id.as_str().as_bytes();
                let private = self
                    .sealing
                    .open(context, &key.sealed_private)
                    .map_err(fail)?;
                let sealed_private = self
                    .sealing
                    .seal(entropy, context, &private)
                    .map_err(fail)?;
                tx.reseal_key(&StoredKey {
                    sealed_private,
                    ..key.clone()
                })
                .await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn candidate(
        &self,
        set: KeySet,
        now: OffsetDateTime,
        entropy: &dyn Entropy,
    ) -> Result<StoredKey, KeyError> {
        let algorithm = self.settings.keys.algorithm_of(set);
        let pair = tokio::task::spawn_blocking(move || Pair::generate(algorithm))
            .await
            .map_err(|_| CryptoError)??;
        let id = KeyId::random(entropy)?;
        let sealed_private = self
            .sealing
            .seal(entropy, id.as_str().as_bytes(), &pair.pkcs8()?)
            .map_err(|reason| KeyError::Sealed {
                id: id.clone(),
                reason,
            })?;
        Ok(StoredKey {
            set,
            algorithm,
            sealed_private,
            public_jwk: pair.public_jwk(&id)?.to_string(),
            id,
            created_at: now,
            activates_at: now,
            retires_at: None,
            token_lifespan: self.settings.longest_token(),
        })
    }
}

/// Removes expired keys. Answers how many there were.
///
/// # Errors
/// [`StorageError`].
pub async fn remove_expired(
    storage: &dyn Storage,
    now: OffsetDateTime,
) -> Result<usize, StorageError> {
    let expired = |key: &StoredKey| key.phase(now) == Phase::Expired;
    if !storage.read().await?.keys().await?.iter().any(expired) {
        return Ok(0);
    }
    let mut tx = storage.begin().await?;
    let mut removed = 0;
    for key in tx.keys().await?.iter().filter(|key| expired(key)) {
        removed += usize::from(tx.delete_key(&key.id).await?);
    }
    tx.commit().await?;
    Ok(removed)
}
