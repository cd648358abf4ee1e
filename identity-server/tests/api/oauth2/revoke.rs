//! `POST /oauth2/revoke`, `DELETE /admin/oauth2/tokens`

use serde_json::json;

use super::support::{client, code_of, is_active};
use crate::harness::TestApp;

#[tokio::test]
async fn revoking_either_token_revokes_the_family() {
    for kind in ["access_token", "refresh_token"] {
        let app = TestApp::new().await;
        let client = client(&app, json!({})).await;
        let tokens = client.tokens(&app).await;
        let fields = [
            ("token", tokens[kind].as_str().unwrap()),
            ("token_type_hint", "nonsense"),
        ];
        let answer = client
            .post(&app, "/oauth2/revoke", &fields)
            .await
            .expect_status(200);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("cache-control"), "no-store");
        for token in ["access_token", "refresh_token"] {
            assert!(
                !is_active(&app, tokens[token].as_str().unwrap()).await,
                "{token} after revoking {kind}"
            );
        }
        let answer = client
            .refresh(&app, tokens["refresh_token"].as_str().unwrap())
            .await
            .expect_status(400);
        assert_eq!(code_of(&answer), "invalid_grant");
    }
}

#[tokio::test]
async fn a_token_without_a_grant_is_revoked_alone() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let issue = async || {
        let body = client
            .token(&app, &[("grant_type", "client_credentials")])
            .await
            .expect_status(200)
            .json();
        body["access_token"].as_str().unwrap().to_owned()
    };
    let (one, two) = (issue().await, issue().await);
    client
        .post(&app, "/oauth2/revoke", &[("token", &one)])
        .await
        .expect_status(200);
    assert!(!is_active(&app, &one).await);
    assert!(is_active(&app, &two).await);
}

#[tokio::test]
async fn unknown_tokens_and_those_of_others_are_answered_alike() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let other = super::support::client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    for token in [
        "unknown",
        tokens["access_token"].as_str().unwrap(),
        tokens["refresh_token"].as_str().unwrap(),
    ] {
        other
            .post(&app, "/oauth2/revoke", &[("token", token)])
            .await
            .expect_status(200);
    }
    assert!(is_active(&app, tokens["access_token"].as_str().unwrap()).await);
    assert!(is_active(&app, tokens["refresh_token"].as_str().unwrap()).await);
}

#[tokio::test]
async fn only_authenticated_clients_revoke() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let answer = client
        .post(&app, "/oauth2/revoke", &[])
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_request");
    let fields = [("token", "x"), ("client_id", &client.id)];
    let answer = app
        .public
        .post_form("/oauth2/revoke", &fields)
        .await
        .expect_status(401);
    assert_eq!(code_of(&answer), "invalid_client");
    let public = super::support::client(&app, json!({"token_endpoint_auth_method": "none"})).await;
    app.public
        .post_form(
            "/oauth2/revoke",
            &[("token", "x"), ("client_id", &public.id)],
        )
        .await
        .expect_status(200);
}

#[tokio::test]
async fn operators_revoke_all_access_tokens_of_a_client() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let other = super::support::client(&app, json!({})).await;
    let (mine, theirs) = (client.tokens(&app).await, other.tokens(&app).await);
    app.admin
        .delete("/admin/oauth2/tokens")
        .await
        .expect_status(400);
    app.admin
        .delete(&format!("/admin/oauth2/tokens?client_id={}", client.id))
        .await
        .expect_status(204);
    assert!(!is_active(&app, mine["access_token"].as_str().unwrap()).await);
    assert!(is_active(&app, mine["refresh_token"].as_str().unwrap()).await);
    assert!(is_active(&app, theirs["access_token"].as_str().unwrap()).await);
}
