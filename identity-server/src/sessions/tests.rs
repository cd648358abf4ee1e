use time::Duration;

use super::*;
use crate::entropy::SeededEntropy;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn identity() -> Identity {
    Identity {
        id: IdentityId::random(&SeededEntropy::new(1)).unwrap(),
        schema_id: "default".into(),
        state: IdentityState::Active,
        state_changed_at: NOW,
        traits: json!({"email": "a@example.com"}),
        metadata_public: None,
        metadata_admin: Some(json!({"tier": 1})),
        external_id: None,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn session(owner: &Identity) -> Session {
    let origin = Origin {
        ip: "192.0.2.1".into(),
        user_agent: "test".into(),
    };
    Session::issue(
        owner.id,
        Duration::hours(1),
        &origin,
        NOW,
        &SeededEntropy::new(2),
    )
    .unwrap()
}

#[test]
fn a_session_ends_by_time_by_hand_and_with_its_owner() {
    let mut owner = identity();
    let mut session = session(&owner);
    assert!(session.is_valid(&owner, NOW + Duration::minutes(59)));
    assert!(!session.is_valid(&owner, NOW + Duration::hours(1)));
    owner.state = IdentityState::Inactive;
    assert!(!session.is_valid(&owner, NOW));
    owner.state = IdentityState::Active;
    session.active = false;
    assert!(!session.is_valid(&owner, NOW));
}

#[test]
fn the_view_has_what_clients_need_and_nothing_for_operators() {
    let owner = identity();
    let view = session(&owner).to_json(Some(&owner), NOW, "http://id.test");
    assert_eq!(view["active"], true);
    assert_eq!(view["authenticator_assurance_level"], "aal1");
    assert_eq!(view["authentication_methods"][0]["method"], "password");
    assert_eq!(view["devices"][0]["ip_address"], "192.0.2.1");
    assert_eq!(
        view["identity"]["schema_url"],
        "http://id.test/schemas/ZGVmYXVsdA"
    );
    assert!(view["identity"].get("metadata_admin").is_none());
    assert!(view["identity"].get("credentials").is_none());
}

#[test]
fn confirming_keeps_the_session_and_does_not_pile_up() {
    let owner = identity();
    let first = session(&owner);
    let later = NOW + Duration::minutes(30);
    let second = first
        .clone()
        .refreshed(Duration::hours(1), later)
        .refreshed(Duration::hours(1), later);
    assert_eq!(second.id, first.id);
    assert_eq!(second.methods.len(), 1);
    assert_eq!(second.authenticated_at, later);
    assert_eq!(second.expires_at, later + Duration::hours(1));
}
