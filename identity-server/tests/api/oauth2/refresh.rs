//! The `refresh_token` grant: rotation, reuse, races, narrowing, ends.

use std::collections::BTreeSet;

use axum::http::Method;
use gatepost::identity::IdentityState;
use serde_json::{Value, json};
use time::Duration;

use super::support::{
    Browser, TestClient, broken, claims, client, code_of, is_active, join_all, query,
};
use crate::harness::TestApp;

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name]
        .as_str()
        .unwrap_or_else(|| panic!("no `{name}` in {body}"))
}

#[tokio::test]
async fn each_use_rotates() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    app.advance(Duration::minutes(10)).await;
    let second = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(second["scope"], "openid offline read");
    assert!(is_active(&app, text(&second, "refresh_token")).await);
    assert!(!is_active(&app, text(&first, "refresh_token")).await);

    let (old, new) = (
        claims(text(&first, "id_token")),
        claims(text(&second, "id_token")),
    );
    for same in [
        "sub",
        "iss",
        "aud",
        "auth_time",
        "sid",
        "nonce",
        "rat",
        "email",
    ] {
        assert_eq!(old[same], new[same], "{same}");
    }
    for changed in ["iat", "exp", "jti", "at_hash"] {
        assert_ne!(old[changed], new[changed], "{changed}");
    }
    let third = client
        .refresh(&app, text(&second, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    assert_ne!(third["refresh_token"], second["refresh_token"]);
}

#[tokio::test]
async fn reuse_revokes_the_family() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let second = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    app.clock.advance(Duration::seconds(6));
    let answer = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    for token in [
        text(&first, "access_token"),
        text(&second, "access_token"),
        text(&second, "refresh_token"),
    ] {
        assert!(!is_active(&app, token).await);
    }
    let answer = client
        .refresh(&app, text(&second, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_a_few_seconds() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let second = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    app.clock.advance(Duration::seconds(4));
    let again = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        again["refresh_token"], second["refresh_token"],
        "the same successor, not another one"
    );
    assert!(is_active(&app, text(&again, "access_token")).await);
    client
        .refresh(&app, text(&second, "refresh_token"))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn the_grace_ends_when_the_successor_is_used() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let second = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    let third = client
        .refresh(&app, text(&second, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert!(
        !is_active(&app, text(&third, "refresh_token")).await,
        "somebody else holds the first token"
    );
}

#[tokio::test]
async fn the_grace_can_be_switched_off() {
    let app = TestApp::with(&[("OAUTH2_GRANT_REFRESH_TOKEN_ROTATION_GRACE_PERIOD", "-1s")]).await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200);
    client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
}

/// T32: 50 parallel refreshes of one token leave one family with exactly one successor.
#[tokio::test]
async fn parallel_refreshes_have_one_successor() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let token = text(&first, "refresh_token");
    let answers = join_all((0..50).map(|_| client.refresh(&app, token)).collect()).await;
    let mut successors = BTreeSet::new();
    for answer in answers {
        successors.insert(text(&answer.expect_status(200).json(), "refresh_token").to_owned());
    }
    assert_eq!(successors.len(), 1);
    let successor = successors.first().unwrap();
    assert!(is_active(&app, successor).await);
    client.refresh(&app, successor).await.expect_status(200);
}

#[tokio::test]
async fn scopes_can_be_narrowed_but_not_widened() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let with_scope = async |token: &str, scope: &str| {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        client.token(&app, &fields).await
    };
    for wider in ["write", "read write", "openid offline read photos.mine"] {
        let answer = with_scope(text(&first, "refresh_token"), wider)
            .await
            .expect_status(400);
        assert_eq!(code_of(&answer), "invalid_scope", "{wider}");
    }
    let narrow = with_scope(text(&first, "refresh_token"), "read")
        .await
        .expect_status(200)
        .json();
    assert_eq!(narrow["scope"], "read");
    assert!(narrow.get("id_token").is_none());
    assert_eq!(
        claims(text(&narrow, "access_token"))["scp"],
        json!(["read"])
    );
    // RFC 6749 §6: the new refresh token has the scope of the old one.
    let wide = client
        .refresh(&app, text(&narrow, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(wide["scope"], "openid offline read");
}

#[tokio::test]
async fn what_the_client_may_no_longer_have_is_refused() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let path = format!("/admin/clients/{}", client.id);
    let patch = json!([{"op": "replace", "path": "/scope", "value": "openid offline"}]);
    app.admin
        .send_json(Method::PATCH, &path, &patch)
        .await
        .expect_status(200);
    let answer = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_scope");
    let patch = json!([{"op": "replace", "path": "/grant_types", "value": ["authorization_code"]}]);
    app.admin
        .send_json(Method::PATCH, &path, &patch)
        .await
        .expect_status(200);
    let answer = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "unauthorized_client");
}

#[tokio::test]
async fn a_token_belongs_to_its_client() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let other = super::support::client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let answer = other
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200);
    // Not even a used one of somebody else's does harm.
    app.clock.advance(Duration::minutes(1));
    other
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
}

#[tokio::test]
async fn an_access_token_is_no_refresh_token() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    let answer = client
        .refresh(&app, text(&first, "access_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
}

async fn refresh_until_it_ends(
    app: &TestApp,
    client: &TestClient,
    every: Duration,
    at_most: usize,
) -> usize {
    let mut token = text(&client.tokens(app).await, "refresh_token").to_owned();
    for times in 0..at_most {
        app.advance(every).await;
        let answer = client.refresh(app, &token).await;
        if answer.status.as_u16() != 200 {
            assert_eq!(code_of(&answer), "invalid_grant");
            return times;
        }
        token = text(&answer.json(), "refresh_token").to_owned();
    }
    at_most
}

#[tokio::test]
async fn an_unused_token_ends_and_a_used_one_ends_too() {
    let variables = [
        ("TTL_REFRESH_TOKEN", "24h"),
        ("OAUTH2_GRANT_REFRESH_TOKEN_ABSOLUTE_LIFETIME", "72h"),
    ];
    let app = TestApp::with(&variables).await;
    let client = client(&app, json!({})).await;
    assert_eq!(
        refresh_until_it_ends(&app, &client, Duration::hours(24), 9).await,
        0,
        "idle"
    );
    assert_eq!(
        refresh_until_it_ends(&app, &client, Duration::hours(20), 9).await,
        3,
        "absolute"
    );
}

#[tokio::test]
async fn a_token_can_be_without_end() {
    let variables = [
        ("TTL_REFRESH_TOKEN", "-1s"),
        ("OAUTH2_GRANT_REFRESH_TOKEN_ABSOLUTE_LIFETIME", "0s"),
    ];
    let app = TestApp::with(&variables).await;
    let client = client(&app, json!({})).await;
    assert_eq!(
        refresh_until_it_ends(&app, &client, Duration::weeks(100), 3).await,
        3
    );
}

/// T33.
#[tokio::test]
async fn a_token_with_any_byte_changed_is_unknown() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let first = client.tokens(&app).await;
    for broken in broken(text(&first, "refresh_token")) {
        let answer = client.refresh(&app, &broken).await.expect_status(400);
        assert_eq!(code_of(&answer), "invalid_grant");
    }
    client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200);
}

/// T32: whoever was disabled or deleted gets no more tokens.
#[tokio::test]
async fn a_disabled_or_deleted_person_gets_no_more_tokens() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let body = json!({"schema_id": "default", "traits": {"email": "carol@example.com"}});
    let created = app
        .admin
        .post_json("/admin/identities", &body)
        .await
        .expect_status(201)
        .json();
    let id = created["id"].as_str().unwrap().to_owned();
    let sign_in = async || {
        let mut browser = Browser::default();
        let answer = browser
            .sign_in_as(
                &app,
                &client.request(&[]),
                json!({"subject": id}),
                json!({}),
            )
            .await;
        query(answer.header("location"), "code").unwrap()
    };
    let set = async |state: IdentityState| {
        let mut tx = app.app.storage().begin().await.unwrap();
        let now = app.app.clock().now();
        assert!(
            tx.update_identity_state(&id.parse().unwrap(), state, now)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
    };
    let code = sign_in().await;
    set(IdentityState::Inactive).await;
    assert_eq!(
        code_of(&client.redeem(&app, &code).await.expect_status(400)),
        "invalid_grant"
    );
    set(IdentityState::Active).await;
    let first = client.redeem(&app, &code).await.expect_status(200).json();
    let served = async |tokens: &Value| {
        let mut served = vec![
            is_active(&app, text(tokens, "access_token")).await,
            is_active(&app, text(tokens, "refresh_token")).await,
        ];
        let fields = [("access_token", text(tokens, "access_token"))];
        let answer = app.public.post_form("/userinfo", &fields).await;
        served.push(answer.status == 200);
        served
    };
    assert_eq!(served(&first).await, [true, true, true]);
    set(IdentityState::Inactive).await;
    assert_eq!(served(&first).await, [false, false, false]);
    let answer = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    set(IdentityState::Active).await;
    let second = client
        .refresh(&app, text(&first, "refresh_token"))
        .await
        .expect_status(200)
        .json();
    app.admin
        .delete(&format!("/admin/identities/{id}"))
        .await
        .expect_status(204);
    client
        .refresh(&app, text(&second, "refresh_token"))
        .await
        .expect_status(400);
    assert_eq!(served(&second).await, [false, false, false]);
    // Not merely refused: gone, so that it also holds where subjects are somebody else's.
    let mut tx = app.app.storage().read().await.unwrap();
    assert_eq!(tx.grants_of(&id, None).await.unwrap(), []);
}
