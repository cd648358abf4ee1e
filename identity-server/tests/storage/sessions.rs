//! Sessions, found by the digest of their token.

use gatepost::entropy::SeededEntropy;
use gatepost::id::SessionId;
use gatepost::identity::Identity;
use gatepost::sessions::{Origin, Session};
use gatepost::storage::{Storage, StorageError};
use time::Duration;

use crate::identities::{NOW, identity};

pub fn session(owner: &Identity, seed: u64) -> Session {
    let origin = Origin {
        ip: "192.0.2.1".into(),
        user_agent: "test \"agent\"".into(),
    };
    let issued = NOW + Duration::seconds(i64::try_from(seed).unwrap());
    Session::issue(
        owner.id,
        Duration::hours(1),
        &origin,
        issued,
        &SeededEntropy::new(seed + 1000),
    )
    .unwrap()
}

pub async fn a_session_is_found_with_its_owner(storage: &dyn Storage) {
    let owner = identity(1);
    let session = session(&owner, 1);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&owner).await.unwrap();
    tx.insert_session(&session, "digest").await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = storage.read().await.unwrap();
    assert_eq!(
        tx.session_by_token("digest").await.unwrap(),
        Some((session.clone(), owner))
    );
    assert_eq!(tx.session(&session.id).await.unwrap(), Some(session));
    assert_eq!(tx.session_by_token("other").await.unwrap(), None);
}

pub async fn a_session_needs_an_owner_and_a_token_of_its_own(storage: &dyn Storage) {
    let owner = identity(1);
    let mut tx = storage.begin().await.unwrap();
    assert!(matches!(
        tx.insert_session(&session(&owner, 1), "a").await,
        Err(StorageError::Conflict)
    ));
    drop(tx);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&owner).await.unwrap();
    tx.insert_session(&session(&owner, 1), "a").await.unwrap();
    assert!(matches!(
        tx.insert_session(&session(&owner, 2), "a").await,
        Err(StorageError::Conflict)
    ));
}

pub async fn a_session_moves_to_a_new_token(storage: &dyn Storage) {
    let owner = identity(1);
    let first = session(&owner, 1);
    let later = NOW + Duration::minutes(30);
    let second = first.clone().refreshed(Duration::hours(1), later);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&owner).await.unwrap();
    tx.insert_session(&first, "old").await.unwrap();
    assert!(tx.update_session(&second, "new").await.unwrap());
    assert!(tx.session_by_token("old").await.unwrap().is_none());
    assert_eq!(tx.session_by_token("new").await.unwrap().unwrap().0, second);
    assert!(!tx.update_session(&session(&owner, 2), "x").await.unwrap());
}

pub async fn revoked_and_expired_sessions_are_told_apart_from_live_ones(storage: &dyn Storage) {
    let (owner, other) = (identity(1), identity(2));
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&owner).await.unwrap();
    tx.insert_identity(&other).await.unwrap();
    let sessions: Vec<Session> = (1..=4).map(|seed| session(&owner, seed)).collect();
    for (number, session) in sessions.iter().enumerate() {
        tx.insert_session(session, &format!("t{number}"))
            .await
            .unwrap();
    }
    tx.insert_session(&session(&other, 9), "theirs")
        .await
        .unwrap();
    assert!(tx.revoke_session(&sessions[0].id).await.unwrap());
    assert!(!tx.revoke_session(&sessions[0].id).await.unwrap());
    let ids = |list: Vec<Session>| {
        list.into_iter()
            .map(|session| session.id)
            .collect::<Vec<SessionId>>()
    };
    let live = tx
        .sessions_of(&owner.id, Some(NOW), None, 10, 0)
        .await
        .unwrap();
    assert_eq!(
        ids(live),
        [sessions[3].id, sessions[2].id, sessions[1].id],
        "the newest first"
    );
    let but = Some(&sessions[3].id);
    assert_eq!(
        ids(tx
            .sessions_of(&owner.id, Some(NOW), but, 1, 1)
            .await
            .unwrap()),
        [sessions[1].id]
    );
    assert_eq!(
        tx.count_sessions_of(&owner.id, Some(NOW), but)
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        tx.count_sessions_of(&owner.id, None, None).await.unwrap(),
        4
    );
    let end = NOW + Duration::hours(1) + Duration::seconds(2);
    assert_eq!(
        tx.count_sessions_of(&owner.id, Some(end), None)
            .await
            .unwrap(),
        2
    );
    assert_eq!(tx.revoke_sessions_of(&owner.id, but).await.unwrap(), 2);
    assert_eq!(tx.revoke_sessions_of(&owner.id, None).await.unwrap(), 1);
    assert_eq!(
        tx.count_sessions_of(&other.id, Some(NOW), None)
            .await
            .unwrap(),
        1
    );
}

pub async fn expired_sessions_are_removed_in_portions(storage: &dyn Storage) {
    let owner = identity(1);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&owner).await.unwrap();
    for seed in 1..=5 {
        tx.insert_session(&session(&owner, seed), &format!("t{seed}"))
            .await
            .unwrap();
    }
    let before = NOW + Duration::hours(1) + Duration::seconds(4);
    assert_eq!(tx.delete_expired_sessions(before, 2).await.unwrap(), 2);
    assert_eq!(tx.delete_expired_sessions(before, 2).await.unwrap(), 1);
    assert_eq!(tx.delete_expired_sessions(before, 2).await.unwrap(), 0);
    assert_eq!(
        tx.count_sessions_of(&owner.id, None, None).await.unwrap(),
        2
    );
}
