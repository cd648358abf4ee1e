//! The `authorization_code` grant: what a code is bound to, and that it works once.

use serde_json::json;
use time::Duration;

use super::support::{
    Browser, CALLBACK, VERIFIER, broken, claims, client, code_of, is_active, join_all, query,
};
use crate::harness::{ISSUER, TestApp};

const GRANT: (&str, &str) = ("grant_type", "authorization_code");

#[tokio::test]
async fn a_code_becomes_tokens() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let requested_at = app.app.clock().now().unix_timestamp();
    let code = client.code(&app, &[("max_age", "600")]).await;
    assert!(code.starts_with("ory_ac_"));
    app.advance(Duration::seconds(30)).await;
    let answer = client.redeem(&app, &code).await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["scope"], "openid offline read");
    assert!(
        body["refresh_token"]
            .as_str()
            .unwrap()
            .starts_with("ory_rt_")
    );

    let access = claims(body["access_token"].as_str().unwrap());
    assert_eq!(
        (&access["sub"], &access["ext"]),
        (&json!("alice"), &json!({"tier": "gold"}))
    );

    let id = claims(body["id_token"].as_str().unwrap());
    assert_eq!(id["iss"], ISSUER);
    assert_eq!(
        (&id["sub"], &id["aud"]),
        (&json!("alice"), &json!([client.id]))
    );
    assert_eq!(id["nonce"], "nonce-123456");
    assert_eq!(id["email"], "alice@example.com");
    assert_eq!(
        (&id["auth_time"], &id["rat"]),
        (&json!(requested_at), &json!(requested_at))
    );
    assert_eq!(id["iat"], requested_at + 30);
    assert!(id["sid"].is_string() && id["jti"].is_string());
    let hash = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        body["access_token"].as_str().unwrap().as_bytes(),
    );
    use base64::Engine as _;
    let half = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
    assert_eq!(id["at_hash"], half.as_str());
}

#[tokio::test]
async fn what_was_not_granted_is_not_issued() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[("scope", "read")]).await;
    let body = client.redeem(&app, &code).await.expect_status(200).json();
    assert!(
        body.get("id_token").is_none() && body.get("refresh_token").is_none(),
        "{body}"
    );

    // The person grants less than was asked for.
    let mut browser = Browser::default();
    let consent = json!({"grant_scope": ["read"]});
    let answer = browser
        .sign_in_as(
            &app,
            &client.request(&[]),
            json!({"subject": "alice"}),
            consent,
        )
        .await;
    assert_eq!(query(answer.header("location"), "scope").unwrap(), "read");
    let code = query(answer.header("location"), "code").unwrap();
    let body = client.redeem(&app, &code).await.expect_status(200).json();
    assert_eq!(body["scope"], "read");
    assert!(body.get("id_token").is_none());

    let no_refresh =
        super::support::client(&app, json!({"grant_types": ["authorization_code"]})).await;
    let code = no_refresh.code(&app, &[]).await;
    assert!(
        no_refresh
            .redeem(&app, &code)
            .await
            .json()
            .get("refresh_token")
            .is_none()
    );
}

#[tokio::test]
async fn the_consent_page_cannot_override_what_the_protocol_says() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let forged = json!({"session": {"id_token": {"sub": "bob", "iss": "https://evil.example", "exp": 1, "acr": "9", "name": "Alice"}}});
    let mut browser = Browser::default();
    let answer = browser
        .sign_in_as(
            &app,
            &client.request(&[]),
            json!({"subject": "alice", "amr": ["pwd"]}),
            forged,
        )
        .await;
    let code = query(answer.header("location"), "code").unwrap();
    let id = claims(
        client.redeem(&app, &code).await.json()["id_token"]
            .as_str()
            .unwrap(),
    );
    assert_eq!(
        (&id["sub"], &id["iss"], &id["name"]),
        (&json!("alice"), &json!(ISSUER), &json!("Alice"))
    );
    assert_eq!(id["amr"], json!(["pwd"]));
    assert!(id.get("acr").is_none());
    assert!(id["exp"].as_i64().unwrap() > 1);
}

/// T31: bound to client and redirect URI and PKCE, each by itself.
#[tokio::test]
async fn a_code_is_bound_to_client_redirect_uri_and_verifier() {
    let app = TestApp::new().await;
    let client = client(
        &app,
        json!({"redirect_uris": [CALLBACK, "https://app.example/other"]}),
    )
    .await;
    let other = super::support::client(&app, json!({})).await;
    let code = client.code(&app, &[]).await;
    let answer = other.redeem(&app, &code).await.expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    for fields in [
        vec![GRANT, ("code", &code), ("redirect_uri", CALLBACK)],
        vec![GRANT, ("code", &code), ("code_verifier", VERIFIER)],
        vec![
            GRANT,
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", "https://app.example/other"),
        ],
        vec![
            GRANT,
            ("code", &code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", "https://app.example/cb/"),
        ],
        vec![
            GRANT,
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &VERIFIER.replace('d', "e")),
        ],
        vec![
            GRANT,
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", "short"),
        ],
    ] {
        let answer = client.token(&app, &fields).await.expect_status(400);
        assert_eq!(code_of(&answer), "invalid_grant", "{fields:?}");
    }
    client.redeem(&app, &code).await.expect_status(200);
}

#[tokio::test]
async fn without_pkce_a_verifier_is_refused() {
    let app = TestApp::with(&[("OAUTH2_PKCE_ENFORCED", "false")]).await;
    let client = client(&app, json!({})).await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = client.code(&app, &without).await;
    let answer = client.redeem(&app, &code).await.expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    client
        .token(&app, &[GRANT, ("code", &code), ("redirect_uri", CALLBACK)])
        .await
        .expect_status(200);
}

/// T31: the second use of a code revokes what the first one got.
#[tokio::test]
async fn a_second_use_revokes_the_family() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[]).await;
    let first = client.redeem(&app, &code).await.expect_status(200).json();
    let (access, refresh) = (
        first["access_token"].as_str().unwrap(),
        first["refresh_token"].as_str().unwrap(),
    );
    // Somebody else's attempt changes nothing.
    super::support::client(&app, json!({}))
        .await
        .redeem(&app, &code)
        .await
        .expect_status(400);
    assert!(is_active(&app, access).await);
    let successor = client
        .refresh(&app, refresh)
        .await
        .expect_status(200)
        .json();

    let answer = client.redeem(&app, &code).await.expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    for token in [
        access,
        refresh,
        successor["access_token"].as_str().unwrap(),
        successor["refresh_token"].as_str().unwrap(),
    ] {
        assert!(!is_active(&app, token).await);
    }
    let answer = client
        .refresh(&app, successor["refresh_token"].as_str().unwrap())
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
}

#[tokio::test]
async fn parallel_redemptions_give_tokens_at_most_once() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[]).await;
    let attempts: Vec<_> = (0..10).map(|_| client.redeem(&app, &code)).collect();
    let mut good = 0;
    for attempt in join_all(attempts).await {
        good += usize::from(attempt.status.as_u16() == 200);
    }
    assert_eq!(good, 1);
}

#[tokio::test]
async fn a_code_ends_after_its_ttl() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[]).await;
    app.clock.advance(Duration::seconds(60));
    let answer = client.redeem(&app, &code).await.expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
    // Also when the row is gone.
    app.advance(Duration::hours(2)).await;
    client.redeem(&app, &code).await.expect_status(400);
}

/// T33.
#[tokio::test]
async fn a_code_with_any_byte_changed_is_unknown() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[]).await;
    for broken in broken(&code) {
        client.redeem(&app, &broken).await.expect_status(400);
    }
    client.redeem(&app, &code).await.expect_status(200);
}
