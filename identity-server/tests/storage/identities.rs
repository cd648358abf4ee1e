//! Identities, credentials and identifiers.

use gatepost::entropy::SeededEntropy;
use gatepost::id::IdentityId;
use gatepost::identity::{Credential, CredentialConfig, CredentialKind, Identity, IdentityState};
use gatepost::storage::{Storage, StorageError};
use serde_json::json;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00.123456 UTC);

pub fn identity(seed: u64) -> Identity {
    Identity {
        id: IdentityId::random(&SeededEntropy::new(seed)).unwrap(),
        schema_id: "default".into(),
        state: IdentityState::Active,
        state_changed_at: NOW,
        traits: json!({"email": format!("{seed}@example.com"), "name": "Zoë"}),
        metadata_public: None,
        metadata_admin: Some(json!({"tier": 1})),
        external_id: Some(format!("crm-{seed}")),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub fn credential(identity: &Identity, identifiers: &[&str]) -> Credential {
    Credential {
        identity: identity.id,
        kind: CredentialKind::Password,
        identifiers: identifiers
            .iter()
            .map(|identifier| (*identifier).to_owned())
            .collect(),
        config: CredentialConfig::password("$argon2id$…"),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub async fn an_identity_is_kept_as_it_was(storage: &dyn Storage) {
    let identity = identity(1);
    let credential = credential(&identity, &["1@example.com", "one"]);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&identity).await.unwrap();
    tx.insert_credential(&credential).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = storage.read().await.unwrap();
    assert_eq!(
        tx.identity(&identity.id).await.unwrap().as_ref(),
        Some(&identity)
    );
    for identifier in ["1@example.com", "one"] {
        let found = tx
            .credential_by_identifier(CredentialKind::Password, identifier)
            .await
            .unwrap();
        assert_eq!(found, Some((identity.clone(), credential.clone())));
        assert_eq!(
            tx.identity_by_identifier(identifier)
                .await
                .unwrap()
                .as_ref(),
            Some(&identity)
        );
    }
    assert_eq!(
        tx.credential_by_identifier(CredentialKind::Password, "One")
            .await
            .unwrap(),
        None
    );
    assert_eq!(
        tx.identity(&IdentityId::random(&SeededEntropy::new(99)).unwrap())
            .await
            .unwrap(),
        None
    );
}

pub async fn identifiers_and_external_ids_are_unique(storage: &dyn Storage) {
    let (one, two) = (identity(1), identity(2));
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&one).await.unwrap();
    tx.insert_credential(&credential(&one, &["same"]))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&two).await.unwrap();
    assert!(matches!(
        tx.insert_credential(&credential(&two, &["same"])).await,
        Err(StorageError::Conflict)
    ));
    drop(tx);
    let mut tx = storage.begin().await.unwrap();
    let clash = Identity {
        external_id: one.external_id.clone(),
        ..two.clone()
    };
    assert!(matches!(
        tx.insert_identity(&clash).await,
        Err(StorageError::Conflict)
    ));
    drop(tx);
    let mut tx = storage.begin().await.unwrap();
    assert_eq!(
        tx.identity(&two.id).await.unwrap(),
        None,
        "neither attempt left anything"
    );
    tx.insert_identity(&Identity {
        external_id: None,
        ..two
    })
    .await
    .unwrap();
    tx.insert_identity(&Identity {
        external_id: None,
        ..identity(3)
    })
    .await
    .unwrap();
}

pub async fn a_credential_and_a_state_are_changed(storage: &dyn Storage) {
    let identity = identity(1);
    let later = NOW + Duration::hours(1);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&identity).await.unwrap();
    tx.insert_credential(&credential(&identity, &["a"]))
        .await
        .unwrap();
    let config = CredentialConfig::password("new");
    assert!(
        tx.update_credential_config(&identity.id, CredentialKind::Password, &config, later)
            .await
            .unwrap()
    );
    assert!(
        tx.update_identity_state(&identity.id, IdentityState::Inactive, later)
            .await
            .unwrap()
    );
    let (found, credential) = tx
        .credential_by_identifier(CredentialKind::Password, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.state, found.state_changed_at),
        (IdentityState::Inactive, later)
    );
    assert_eq!(
        (credential.config, credential.updated_at),
        (config.clone(), later)
    );
    let nobody = IdentityId::random(&SeededEntropy::new(99)).unwrap();
    assert!(
        !tx.update_credential_config(&nobody, CredentialKind::Password, &config, later)
            .await
            .unwrap()
    );
    assert!(
        !tx.update_identity_state(&nobody, IdentityState::Active, later)
            .await
            .unwrap()
    );
}

pub async fn a_deleted_identity_takes_everything_along(storage: &dyn Storage) {
    let identity = identity(1);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_identity(&identity).await.unwrap();
    tx.insert_credential(&credential(&identity, &["a"]))
        .await
        .unwrap();
    tx.insert_session(&crate::sessions::session(&identity, 1), "digest")
        .await
        .unwrap();
    assert!(tx.delete_identity(&identity.id).await.unwrap());
    assert!(!tx.delete_identity(&identity.id).await.unwrap());
    assert_eq!(tx.identity_by_identifier("a").await.unwrap(), None);
    assert!(tx.session_by_token("digest").await.unwrap().is_none());
    tx.insert_identity(&identity).await.unwrap();
    tx.insert_credential(&credential(&identity, &["a"]))
        .await
        .expect("the identifier is free again");
}

pub async fn identities_are_listed_by_pages(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    for seed in 1..=5 {
        tx.insert_identity(&identity(seed)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = tx.identities(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.into_iter().map(|identity| identity.id));
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.is_sorted_by_key(|id| id.to_string()));
}
