//! What holds for every room: all or nothing, one writer at a time, readers that only read.

use gatepost::storage::{Storage, StorageError};

use crate::keys::key;

async fn count(storage: &dyn Storage) -> usize {
    storage.read().await.unwrap().keys().await.unwrap().len()
}

pub async fn a_committed_write_is_seen_by_the_next_reader(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    tx.insert_key(&key("a")).await.unwrap();
    assert_eq!(
        tx.keys().await.unwrap().len(),
        1,
        "a transaction sees its own writes"
    );
    tx.commit().await.unwrap();
    assert_eq!(count(storage).await, 1);
}

pub async fn a_dropped_transaction_leaves_no_trace(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    tx.insert_key(&key("a")).await.unwrap();
    drop(tx);
    assert_eq!(count(storage).await, 0);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_key(&key("a")).await.unwrap();
    assert!(matches!(
        tx.insert_key(&key("a")).await,
        Err(StorageError::Conflict)
    ));
    drop(tx);
    assert_eq!(count(storage).await, 0, "nor does one that failed half-way");
}

pub async fn a_reading_transaction_cannot_write(storage: &dyn Storage) {
    let mut tx = storage.read().await.unwrap();
    assert!(matches!(
        tx.insert_key(&key("a")).await,
        Err(StorageError::Unavailable(_))
    ));
    drop(tx);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_key(&key("a"))
        .await
        .expect("and a later writer can");
    tx.commit().await.unwrap();
}

pub async fn writers_take_turns_and_lose_nothing(storage: &dyn Storage) {
    let write = async |number: usize| {
        let mut tx = storage.begin().await.unwrap();
        let before = tx.keys().await.unwrap().len();
        tx.insert_key(&key(&format!("key {number}"))).await.unwrap();
        tokio::task::yield_now().await;
        assert_eq!(
            tx.keys().await.unwrap().len(),
            before + 1,
            "nobody else wrote meanwhile"
        );
        tx.commit().await.unwrap();
    };
    tokio::join!(write(1), write(2), write(3), write(4), write(5), write(6));
    assert_eq!(count(storage).await, 6);
}

pub async fn migrating_again_changes_nothing(storage: &dyn Storage) {
    a_committed_write_is_seen_by_the_next_reader(storage).await;
    storage.migrate().await.unwrap();
    assert_eq!(count(storage).await, 1);
}

pub async fn a_closed_storage_is_unavailable(storage: &dyn Storage) {
    storage.ping().await.unwrap();
    storage.close().await;
    assert!(matches!(
        storage.ping().await,
        Err(StorageError::Unavailable(_))
    ));
    assert!(matches!(
        storage.begin().await.err(),
        Some(StorageError::Unavailable(_))
    ));
}
