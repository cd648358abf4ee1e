//! The keys room.

use gatepost::id::KeyId;
use gatepost::keys::store::StoredKey;
use gatepost::keys::{Algorithm, KeySet};
use gatepost::storage::{Storage, StorageError};
use time::Duration;
use time::macros::datetime;

pub fn key(id: &str) -> StoredKey {
    StoredKey {
        id: KeyId::new(id),
        set: KeySet::IdToken,
        algorithm: Algorithm::EdDsa,
        sealed_private: vec![0, 1, 254, 255],
        public_jwk: "{}".into(),
        created_at: datetime!(2026-01-02 03:04:05.678901 UTC),
        activates_at: datetime!(2026-01-02 04:00 UTC),
        retires_at: None,
        token_lifespan: Duration::hours(24),
    }
}

async fn insert(storage: &dyn Storage, key: &StoredKey) -> Result<(), StorageError> {
    let mut tx = storage.begin().await?;
    tx.insert_key(key).await?;
    tx.commit().await
}

async fn all(storage: &dyn Storage) -> Vec<StoredKey> {
    storage.read().await.unwrap().keys().await.unwrap()
}

pub async fn a_key_is_kept_as_it_was(storage: &dyn Storage) {
    let retired = StoredKey {
        retires_at: Some(datetime!(2027-01-01 00:00 UTC)),
        ..key("b")
    };
    insert(storage, &key("a")).await.unwrap();
    insert(storage, &retired).await.unwrap();
    assert_eq!(all(storage).await, [key("a"), retired]);
}

pub async fn the_same_key_twice_is_a_conflict(storage: &dyn Storage) {
    insert(storage, &key("a")).await.unwrap();
    assert!(matches!(
        insert(storage, &key("a")).await,
        Err(StorageError::Conflict)
    ));
}

pub async fn only_the_times_of_a_key_change(storage: &dyn Storage) {
    insert(storage, &key("a")).await.unwrap();
    let wanted = StoredKey {
        activates_at: datetime!(2026-05-01 00:00 UTC),
        retires_at: Some(datetime!(2026-06-01 00:00 UTC)),
        token_lifespan: Duration::hours(48),
        ..key("a")
    };
    let mut tx = storage.begin().await.unwrap();
    let asked = StoredKey {
        public_jwk: "other".into(),
        sealed_private: Vec::new(),
        ..wanted.clone()
    };
    assert!(tx.update_key_times(&asked).await.unwrap());
    assert!(!tx.update_key_times(&key("unknown")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(all(storage).await, [wanted]);
}

pub async fn resealing_changes_the_box_only(storage: &dyn Storage) {
    insert(storage, &key("a")).await.unwrap();
    let mut tx = storage.begin().await.unwrap();
    let asked = StoredKey {
        sealed_private: vec![9, 9],
        public_jwk: "other".into(),
        ..key("a")
    };
    assert!(tx.reseal_key(&asked).await.unwrap());
    assert!(!tx.reseal_key(&key("unknown")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(
        all(storage).await,
        [StoredKey {
            sealed_private: vec![9, 9],
            ..key("a")
        }]
    );
}

pub async fn a_deleted_key_is_gone(storage: &dyn Storage) {
    insert(storage, &key("a")).await.unwrap();
    let mut tx = storage.begin().await.unwrap();
    assert!(tx.delete_key(&KeyId::new("a")).await.unwrap());
    assert!(!tx.delete_key(&KeyId::new("a")).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(all(storage).await, []);
}
