//! `POST /admin/oauth2/introspect`

use serde_json::json;
use time::Duration;

use super::support::{broken, client, code_of, introspect, is_active};
use crate::harness::{ISSUER, TestApp};

#[tokio::test]
async fn an_access_token_is_described() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let now = app.app.clock().now().unix_timestamp();
    let tokens = client.tokens(&app).await;
    let shown = introspect(&app, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(
        shown,
        json!({
            "active": true, "scope": "openid offline read", "client_id": client.id, "sub": "alice", "exp": now + 3600,
            "iat": now, "nbf": now, "aud": [], "iss": ISSUER, "token_type": "Bearer", "token_use": "access_token",
            "ext": {"tier": "gold"},
        })
    );
}

#[tokio::test]
async fn a_refresh_token_is_described() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    let shown = introspect(&app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(
        (&shown["active"], &shown["token_use"]),
        (&json!(true), &json!("refresh_token"))
    );
    assert_eq!(
        (&shown["sub"], &shown["client_id"]),
        (&json!("alice"), &json!(client.id))
    );
}

#[tokio::test]
async fn the_unprefixed_path_is_the_same() {
    let app = TestApp::new().await;
    let answer = app
        .admin
        .post_form("/oauth2/introspect", &[("token", "x")])
        .await
        .expect_status(200);
    assert_eq!(answer.json(), json!({"active": false}));
    assert_eq!(answer.header("cache-control"), "no-store");
    app.public
        .post_form("/oauth2/introspect", &[("token", "x")])
        .await
        .expect_status(404);
}

#[tokio::test]
async fn every_scope_asked_for_must_be_there() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    let token = tokens["access_token"].as_str().unwrap();
    for (scope, active) in [
        ("read", true),
        ("read openid", true),
        ("", true),
        ("write", false),
        ("read write", false),
    ] {
        let fields = [("token", token), ("scope", scope)];
        let shown = app
            .admin
            .post_form("/admin/oauth2/introspect", &fields)
            .await
            .expect_status(200)
            .json();
        assert_eq!(shown["active"], active, "{scope}");
    }
}

#[tokio::test]
async fn a_request_without_token_is_malformed() {
    let app = TestApp::new().await;
    for fields in [
        vec![],
        vec![("token", "")],
        vec![("token", "a"), ("token", "b")],
    ] {
        let answer = app
            .admin
            .post_form("/admin/oauth2/introspect", &fields)
            .await
            .expect_status(400);
        assert_eq!(code_of(&answer), "invalid_request");
    }
}

/// T33, for both formats.
#[tokio::test]
async fn a_token_with_any_byte_changed_is_inactive() {
    for strategy in ["jwt", "opaque"] {
        let app = TestApp::new().await;
        let client = client(&app, json!({"access_token_strategy": strategy})).await;
        let tokens = client.tokens(&app).await;
        let token = tokens["access_token"].as_str().unwrap();
        for broken in broken(token) {
            let shown = introspect(&app, &broken).await;
            assert_eq!(shown, json!({"active": false}), "{broken}");
        }
        assert!(is_active(&app, token).await);
    }
}

#[tokio::test]
async fn expired_revoked_and_foreign_strings_all_look_alike() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    app.clock.advance(Duration::hours(1));
    for token in [
        tokens["access_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
        "\u{0}",
        "ory_at_",
    ] {
        assert_eq!(introspect(&app, token).await, json!({"active": false}));
    }
    app.admin
        .delete(&format!("/admin/clients/{}", client.id))
        .await
        .expect_status(204);
    assert_eq!(
        introspect(&app, tokens["refresh_token"].as_str().unwrap()).await,
        json!({"active": false})
    );
}
