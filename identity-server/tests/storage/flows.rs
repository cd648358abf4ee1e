//! Self-service flows, and the errors of browsers.

use gatepost::entropy::{Entropy, SeededEntropy};
use gatepost::flows::form::FormState;
use gatepost::flows::store::FlowError;
use gatepost::flows::{Flow, FlowKind, FlowState, Transport, message};
use gatepost::id::FlowId;
use gatepost::storage::{Storage, StorageError};
use serde_json::json;
use time::Duration;

use crate::identities::NOW;

fn flow(seed: u64) -> Flow {
    let mut form = FormState::default();
    form.fill("traits.email", "a@example.com");
    form.complain("traits.email", message::required("email"));
    form.messages.push(message::login_expired(NOW));
    Flow {
        id: FlowId::random(&SeededEntropy::new(seed)).unwrap(),
        kind: FlowKind::Login,
        transport: Transport::Browser,
        issued_at: NOW,
        expires_at: NOW + Duration::hours(1) + Duration::seconds(i64::try_from(seed).unwrap()),
        updated_at: NOW,
        request_url: "http://id.test/self-service/login/browser".into(),
        return_to: Some("http://app.test/".into()),
        state: FlowState::ChooseMethod,
        active: Some("password".into()),
        refresh: None,
        login_challenge: Some("challenge".into()),
        login_request: Some(json!({"client": {"client_id": "x"}})),
        csrf_digest: Some("digest".into()),
        schema_id: "default".into(),
        form,
        transient_payload: Some(json!({"a": 1})),
    }
}

pub async fn a_flow_is_kept_as_it_was_and_changed(storage: &dyn Storage) {
    let first = flow(1);
    let mut tx = storage.begin().await.unwrap();
    tx.insert_self_service_flow(&first).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = storage.begin().await.unwrap();
    assert_eq!(
        tx.self_service_flow(&first.id).await.unwrap(),
        Some(first.clone())
    );
    let second = first.completed("password", NOW + Duration::minutes(1));
    assert!(tx.update_self_service_flow(&second).await.unwrap());
    assert_eq!(
        tx.self_service_flow(&second.id).await.unwrap(),
        Some(second.clone())
    );
    assert!(!tx.update_self_service_flow(&flow(2)).await.unwrap());
    assert_eq!(tx.self_service_flow(&flow(2).id).await.unwrap(), None);
    assert!(matches!(
        tx.insert_self_service_flow(&second).await,
        Err(StorageError::Conflict)
    ));
}

pub async fn expired_flows_are_removed_in_portions(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    for seed in 1..=5 {
        tx.insert_self_service_flow(&flow(seed)).await.unwrap();
    }
    let before = flow(4).expires_at;
    assert_eq!(
        tx.delete_expired_self_service_flows(before, 2)
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        tx.delete_expired_self_service_flows(before, 2)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        tx.delete_expired_self_service_flows(before, 2)
            .await
            .unwrap(),
        0
    );
    assert!(tx.self_service_flow(&flow(4).id).await.unwrap().is_some());
}

pub async fn errors_are_kept_for_a_while(storage: &dyn Storage) {
    let entropy: &dyn Entropy = &SeededEntropy::new(1);
    let error = FlowError {
        id: entropy.uuid().unwrap(),
        error: json!({"code": 403}),
        created_at: NOW,
    };
    let mut tx = storage.begin().await.unwrap();
    tx.insert_flow_error(&error).await.unwrap();
    assert_eq!(tx.flow_error(&error.id).await.unwrap(), Some(error.clone()));
    assert_eq!(tx.delete_flow_errors(NOW, 10).await.unwrap(), 0);
    assert_eq!(
        tx.delete_flow_errors(NOW + Duration::seconds(1), 10)
            .await
            .unwrap(),
        1
    );
    assert_eq!(tx.flow_error(&error.id).await.unwrap(), None);
}
