//! The OAuth2 room: clients, flows, grants, codes, tokens, remembered sign-ins.

use gatepost::id::ClientId;
use gatepost::oauth2::authorize::request::{
    AuthorizationRequest, Destination, Hints, Prompt, ResponseMode,
};
use gatepost::oauth2::client::{Client, Profile, StoredSecret};
use gatepost::oauth2::flow::{Decision, Flow, Rejection, SessionClaims, Stage};
use gatepost::oauth2::store::ClientFilter;
use gatepost::oauth2::tokens::{
    AccessToken, Code, Grant, GrantDetails, LoginSession, RefreshToken, Rotation,
};
use gatepost::storage::{Storage, StorageError, Transaction};
use serde_json::{Map, json};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-22 12:00:00.123456 UTC);

fn client(id: &str) -> Client {
    Client {
        id: ClientId::new(id),
        profile: Profile {
            client_name: format!("name of {id}"),
            redirect_uris: vec!["https://app.example/cb".into()],
            metadata: json!({"nested": [1, null, "ü"]}),
            ..Profile::default()
        },
        secret: Some(StoredSecret::from_stored("sha256$x".into())),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn flow(challenge: &str) -> Flow {
    Flow {
        challenge: challenge.into(),
        consent_challenge: None,
        verifier: None,
        request: AuthorizationRequest {
            client_id: ClientId::new("app"),
            destination: Destination {
                redirect_uri: "https://app.example/cb".into(),
                redirect_uri_was_sent: true,
                mode: ResponseMode::FormPost,
                state: Some("ünicode\u{0}".into()),
            },
            scope: vec!["openid".into()],
            audience: Vec::new(),
            nonce: None,
            code_challenge: None,
            prompt: Prompt::default(),
            max_age: Some(5),
            unverified_id_token_hint: None,
            hints: Hints::default(),
        },
        request_url: "https://id.example/oauth2/auth?x".into(),
        browser: "digest".into(),
        session_id: "sid".into(),
        remembered: None,
        requested_at: NOW,
        expires_at: NOW + Duration::minutes(30),
        stage: Stage::Login,
        revision: 0,
    }
}

fn grant(id: &str) -> Grant {
    Grant {
        id: id.into(),
        client_id: ClientId::new("app"),
        subject: "alice".into(),
        session_id: "sid".into(),
        details: GrantDetails {
            scope: vec!["openid".into(), "offline".into()],
            audience: vec!["https://api.example".into()],
            claims: SessionClaims {
                access_token: Map::new(),
                id_token: Map::from_iter([("a".into(), json!(1.5))]),
            },
            nonce: Some("nonce".into()),
            authenticated_at: NOW,
            requested_at: NOW,
            acr: None,
            amr: vec!["pwd".into()],
            remember_for: 60,
            context: json!(null),
        },
        created_at: NOW,
        ends_at: NOW + Duration::minutes(1),
        remember: false,
        remember_until: None,
        revoked_at: None,
    }
}

fn code(digest: &str) -> Code {
    let expires_at = NOW + Duration::minutes(1);
    let (grant_id, redirect_uri) = ("grant".into(), Some("https://app.example/cb".into()));
    Code {
        digest: digest.into(),
        grant_id,
        redirect_uri,
        challenge: None,
        expires_at,
        used_at: None,
    }
}

fn access(digest: &str, grant_id: Option<&str>) -> AccessToken {
    AccessToken {
        digest: digest.into(),
        grant_id: grant_id.map(str::to_owned),
        client_id: ClientId::new("app"),
        subject: "alice".into(),
        scope: vec!["read".into()],
        audience: Vec::new(),
        extra: Map::from_iter([("tier".into(), json!("gold"))]),
        issued_at: NOW,
        expires_at: NOW + Duration::hours(1),
    }
}

fn refresh(digest: &str) -> RefreshToken {
    let expires_at = Some(NOW + Duration::hours(24));
    RefreshToken {
        digest: digest.into(),
        grant_id: "grant".into(),
        issued_at: NOW,
        expires_at,
        rotation: None,
    }
}

fn rotation(successor: &str) -> Rotation {
    Rotation {
        at: NOW,
        successor: successor.into(),
        sealed_successor: "sealed".into(),
    }
}

fn session(id: &str, cookie: &str) -> LoginSession {
    LoginSession {
        id: id.into(),
        cookie: cookie.into(),
        subject: "alice".into(),
        authenticated_at: NOW,
        identity_session_id: Some("behind".into()),
        expires_at: NOW + Duration::hours(1),
    }
}

/// A transaction in which there is the client `app` with the grant `grant`.
async fn begin(storage: &dyn Storage) -> Box<dyn Transaction + '_> {
    let mut tx = storage.begin().await.unwrap();
    if tx.client(&ClientId::new("app")).await.unwrap().is_none() {
        tx.insert_client(&client("app")).await.unwrap();
        tx.insert_grant(&grant("grant")).await.unwrap();
    }
    tx
}

pub async fn a_client_is_kept_as_it_was(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    tx.insert_client(&client("a")).await.unwrap();
    let kept = tx.client(&ClientId::new("a")).await.unwrap().unwrap();
    let wanted = client("a");
    assert_eq!((kept.profile, kept.secret), (wanted.profile, wanted.secret));
    assert_eq!((kept.created_at, kept.updated_at), (NOW, NOW));
    assert!(
        tx.client(&ClientId::new("A")).await.unwrap().is_none(),
        "ids are compared byte by byte"
    );
    assert!(matches!(
        tx.insert_client(&client("a")).await,
        Err(StorageError::Conflict)
    ));
    assert!(!tx.update_client(&client("b")).await.unwrap());
}

pub async fn clients_are_listed_in_pages(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    for id in ["b", "a", "c", "' OR 1=1 --"] {
        tx.insert_client(&client(id)).await.unwrap();
    }
    let ids = |clients: Vec<Client>| {
        clients
            .into_iter()
            .map(|client| client.id.to_string())
            .collect::<Vec<_>>()
    };
    let all = ClientFilter::default();
    assert_eq!(
        ids(tx.clients(&all, None, 2).await.unwrap()),
        ["' OR 1=1 --", "a"]
    );
    assert_eq!(
        ids(tx
            .clients(&all, Some(&ClientId::new("a")), 9)
            .await
            .unwrap()),
        ["b", "c"]
    );
    let named = ClientFilter {
        name: Some("name of c".into()),
        owner: None,
    };
    assert_eq!(ids(tx.clients(&named, None, 9).await.unwrap()), ["c"]);
    let none = ClientFilter {
        name: Some("name of c".into()),
        owner: Some("x".into()),
    };
    assert!(tx.clients(&none, None, 9).await.unwrap().is_empty());
}

pub async fn a_deleted_client_takes_everything_along(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_flow(&flow("c")).await.unwrap();
    tx.insert_code(&code("code")).await.unwrap();
    tx.insert_access_token(&access("at", Some("grant")))
        .await
        .unwrap();
    tx.insert_access_token(&access("own", None)).await.unwrap();
    tx.insert_refresh_token(&refresh("rt")).await.unwrap();
    assert!(tx.delete_client(&ClientId::new("app")).await.unwrap());
    assert!(!tx.delete_client(&ClientId::new("app")).await.unwrap());
    assert!(tx.flow("c").await.unwrap().is_none());
    assert!(tx.grant("grant").await.unwrap().is_none());
    assert!(tx.code("code").await.unwrap().is_none());
    assert!(
        tx.access_token("at").await.unwrap().is_none()
            && tx.access_token("own").await.unwrap().is_none()
    );
    assert!(tx.refresh_token("rt").await.unwrap().is_none());
}

pub async fn nothing_is_issued_to_nobody(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    assert!(matches!(
        tx.insert_flow(&flow("c")).await,
        Err(StorageError::Conflict)
    ));
    assert!(matches!(
        tx.insert_access_token(&access("at", None)).await,
        Err(StorageError::Conflict)
    ));
    assert!(matches!(
        tx.insert_code(&code("code")).await,
        Err(StorageError::Conflict)
    ));
}

pub async fn a_flow_changes_only_from_what_it_was(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_flow(&flow("c")).await.unwrap();
    let before = tx.flow("c").await.unwrap().unwrap();
    assert_eq!(before, flow("c"));
    let rejected = Decision::Rejected(Rejection {
        error: "x".into(),
        description: "y".into(),
    });
    let decided = before
        .clone()
        .decide_login(rejected, "verifier".into())
        .unwrap();
    assert!(tx.update_flow(&before, &decided).await.unwrap());
    assert!(
        !tx.update_flow(&before, &decided).await.unwrap(),
        "somebody was faster"
    );
    let found = tx.flow_of_verifier("verifier").await.unwrap().unwrap();
    assert_eq!(found.stage, decided.stage);
    let asked = Flow {
        consent_challenge: Some("cc".into()),
        verifier: None,
        ..found.clone()
    };
    assert!(tx.update_flow(&found, &asked).await.unwrap());
    assert!(tx.flow_of_verifier("verifier").await.unwrap().is_none());
    assert_eq!(
        tx.flow_of_consent("cc").await.unwrap().unwrap().challenge,
        "c"
    );
}

pub async fn a_code_is_used_once(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_code(&code("code")).await.unwrap();
    assert_eq!(tx.code("code").await.unwrap().unwrap(), code("code"));
    assert!(tx.use_code("code", NOW).await.unwrap());
    assert!(!tx.use_code("code", NOW).await.unwrap());
    assert!(!tx.use_code("unknown", NOW).await.unwrap());
    assert_eq!(tx.code("code").await.unwrap().unwrap().used_at, Some(NOW));
}

pub async fn a_refresh_token_is_rotated_once(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_refresh_token(&refresh("one")).await.unwrap();
    assert_eq!(
        tx.refresh_token("one").await.unwrap().unwrap(),
        refresh("one")
    );
    assert!(
        tx.rotate_refresh_token("one", &rotation("two"))
            .await
            .unwrap()
    );
    assert!(
        !tx.rotate_refresh_token("one", &rotation("three"))
            .await
            .unwrap()
    );
    assert!(
        !tx.rotate_refresh_token("unknown", &rotation("two"))
            .await
            .unwrap()
    );
    assert_eq!(
        tx.refresh_token("one").await.unwrap().unwrap().rotation,
        Some(rotation("two"))
    );
}

pub async fn grants_and_tokens_are_kept_as_they_were(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    assert_eq!(tx.grant("grant").await.unwrap().unwrap(), grant("grant"));
    tx.insert_access_token(&access("at", Some("grant")))
        .await
        .unwrap();
    assert_eq!(
        tx.access_token("at").await.unwrap().unwrap(),
        access("at", Some("grant"))
    );
    let endless = RefreshToken {
        expires_at: None,
        ..refresh("endless")
    };
    tx.insert_refresh_token(&endless).await.unwrap();
    assert_eq!(tx.refresh_token("endless").await.unwrap().unwrap(), endless);
}

pub async fn a_revoked_grant_has_no_tokens_but_its_consent_is_remembered(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_grant(&Grant {
        remember: true,
        ..grant("other")
    })
    .await
    .unwrap();
    tx.insert_code(&Code {
        grant_id: "other".into(),
        ..code("code")
    })
    .await
    .unwrap();
    tx.insert_access_token(&access("at", Some("other")))
        .await
        .unwrap();
    tx.insert_access_token(&access("kept", Some("grant")))
        .await
        .unwrap();
    tx.insert_refresh_token(&RefreshToken {
        grant_id: "other".into(),
        ..refresh("rt")
    })
    .await
    .unwrap();
    tx.revoke_grant("other", NOW).await.unwrap();
    assert_eq!(
        tx.grant("other").await.unwrap().unwrap().revoked_at,
        Some(NOW)
    );
    assert!(
        tx.access_token("at").await.unwrap().is_none()
            && tx.refresh_token("rt").await.unwrap().is_none()
    );
    assert!(tx.access_token("kept").await.unwrap().is_some());
    assert!(
        tx.code("code").await.unwrap().is_some(),
        "a second attempt must still be noticed"
    );
    assert_eq!(tx.grants_of("alice", None).await.unwrap().len(), 2);
    let remembered = tx
        .remembered_consents(&ClientId::new("app"), "alice", NOW)
        .await
        .unwrap();
    assert_eq!(remembered.len(), 1);
    tx.forget_consent("other").await.unwrap();
    assert_eq!(tx.grants_of("alice", None).await.unwrap().len(), 1);
    assert!(
        tx.grants_of("alice", Some("another"))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        tx.remembered_consents(&ClientId::new("app"), "alice", NOW)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn consents_are_remembered_for_as_long_as_was_said(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    let until = NOW + Duration::hours(1);
    let for_an_hour = Grant {
        remember: true,
        remember_until: Some(until),
        ..grant("hour")
    };
    tx.insert_grant(&for_an_hour).await.unwrap();
    let app = ClientId::new("app");
    let before = until - Duration::microseconds(1);
    assert_eq!(
        tx.remembered_consents(&app, "alice", before).await.unwrap(),
        [for_an_hour]
    );
    assert!(
        tx.remembered_consents(&app, "alice", until)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        tx.remembered_consents(&app, "bob", NOW)
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn login_sessions_are_found_by_cookie_and_end_together(storage: &dyn Storage) {
    let mut tx = storage.begin().await.unwrap();
    tx.save_login_session(&session("one", "a")).await.unwrap();
    tx.save_login_session(&session("one", "b")).await.unwrap();
    assert!(
        tx.login_session("a").await.unwrap().is_none(),
        "the cookie was replaced"
    );
    assert_eq!(
        tx.login_session("b").await.unwrap().unwrap(),
        session("one", "b")
    );
    tx.delete_login_session("one").await.unwrap();
    assert!(tx.login_session("b").await.unwrap().is_none());
    tx.save_login_session(&session("two", "c")).await.unwrap();
    tx.delete_login_sessions_behind("behind").await.unwrap();
    assert!(tx.login_session("c").await.unwrap().is_none());
    tx.save_login_session(&session("three", "d")).await.unwrap();
    tx.delete_login_sessions_of("alice").await.unwrap();
    assert!(tx.login_session("d").await.unwrap().is_none());
}

pub async fn what_has_ended_is_removed_and_nothing_else(storage: &dyn Storage) {
    let mut tx = begin(storage).await;
    tx.insert_flow(&flow("c")).await.unwrap();
    tx.insert_code(&code("code")).await.unwrap();
    tx.insert_access_token(&access("at", Some("grant")))
        .await
        .unwrap();
    tx.insert_refresh_token(&refresh("rt")).await.unwrap();
    tx.save_login_session(&session("one", "a")).await.unwrap();
    tx.insert_grant(&Grant {
        remember: true,
        ..grant("remembered")
    })
    .await
    .unwrap();
    tx.extend_grant("grant", NOW + Duration::hours(24))
        .await
        .unwrap();
    tx.extend_grant("grant", NOW).await.unwrap();
    assert_eq!(tx.delete_expired_oauth2(NOW, 100).await.unwrap(), 0);
    let later = NOW + Duration::hours(2);
    assert_eq!(
        tx.delete_expired_oauth2(later, 100).await.unwrap(),
        3,
        "flow, session, access token"
    );
    assert!(tx.grant("grant").await.unwrap().is_some() && tx.code("code").await.unwrap().is_some());
    let much_later = NOW + Duration::hours(25);
    assert_eq!(
        tx.delete_expired_oauth2(much_later, 100).await.unwrap(),
        2,
        "refresh token, grant"
    );
    assert!(tx.code("code").await.unwrap().is_none());
    assert!(
        tx.grant("remembered").await.unwrap().is_some(),
        "remembered for ever"
    );
}
