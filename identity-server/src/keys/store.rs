//! What the keys room needs kept.

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};

use super::{Algorithm, KeySet};
use crate::id::KeyId;
use crate::storage::StorageError;

/// A signing key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The `kid`.
    pub id: KeyId,
    /// Which tokens it signs.
    pub set: KeySet,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The private key (PKCS#8), sealed; the context of the box is the `kid`.
    pub sealed_private: Vec<u8>,
    /// The public JSON Web Key.
    pub public_jwk: String,
    /// When it was made, and published.
    pub created_at: OffsetDateTime,
    /// When it starts to sign.
    pub activates_at: OffsetDateTime,
    /// When it stops to sign; `None` while it has no successor.
    pub retires_at: Option<OffsetDateTime>,
    /// The longest lifespan of any token it may sign: for so long it stays published after it retired.
    pub token_lifespan: Duration,
}

/// The signing keys.
#[async_trait]
pub trait KeyStore {
    /// All keys, oldest first.
    async fn keys(&mut self) -> Result<Vec<StoredKey>, StorageError>;

    /// Adds a key.
    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StorageError>;

    /// Replaces the box around the private key of `key.id`, not the key in it. `false` if there is none.
    async fn reseal_key(&mut self, key: &StoredKey) -> Result<bool, StorageError>;

    /// Changes the times of the key `key.id`. `false` if there is none.
    async fn update_key_times(&mut self, key: &StoredKey) -> Result<bool, StorageError>;

    /// Removes a key. `false` if there is none.
    async fn delete_key(&mut self, id: &KeyId) -> Result<bool, StorageError>;
}
