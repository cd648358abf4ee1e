//! `POST /oauth2/token`: what all grants share, and `client_credentials`.

use axum::body::Body;
use axum::http::{Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use time::Duration;

use super::support::{TestClient, claims, client, code_of, introspect, join_all};
use crate::harness::{ISSUER, TestApp, form};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test]
async fn a_client_gets_a_jwt_for_itself() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let fields = [
        GRANT,
        ("scope", "read photos.mine"),
        ("audience", "https://api.example/v1"),
    ];
    let answer = client.token(&app, &fields).await.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&json!("bearer"), &json!(3600))
    );
    assert_eq!(body["scope"], "read photos.mine");
    assert!(body.get("refresh_token").is_none() && body.get("id_token").is_none());
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        jsonwebtoken::decode_header(token).unwrap().typ.as_deref(),
        Some("JWT")
    );
    let claims = claims(token);
    assert_eq!(claims["iss"], ISSUER);
    assert_eq!(claims["sub"], client.id.as_str());
    assert_eq!(claims["client_id"], client.id.as_str());
    assert_eq!(claims["aud"], json!(["https://api.example/v1"]));
    assert_eq!(claims["scp"], json!(["read", "photos.mine"]));
    assert_eq!(claims["ext"], json!({}));
    assert_eq!(claims["iat"], claims["nbf"]);
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        3600
    );
    assert!(claims["jti"].is_string());
}

#[tokio::test]
async fn the_claim_for_scopes_is_configurable() {
    for (form, list, text) in [
        ("list", true, false),
        ("string", false, true),
        ("both", true, true),
    ] {
        let app = TestApp::with(&[("STRATEGIES_JWT_SCOPE_CLAIM", form)]).await;
        let client = client(&app, json!({})).await;
        let body = client
            .token(&app, &[GRANT, ("scope", "read write")])
            .await
            .expect_status(200)
            .json();
        let claims = claims(body["access_token"].as_str().unwrap());
        assert_eq!(
            (claims.get("scp").is_some(), claims.get("scope").is_some()),
            (list, text),
            "{form}"
        );
    }
}

#[tokio::test]
async fn opaque_tokens_are_a_matter_of_server_or_client() {
    let app = TestApp::with(&[("STRATEGIES_ACCESS_TOKEN", "opaque")]).await;
    let opaque = client(&app, json!({})).await;
    let body = opaque.token(&app, &[GRANT]).await.expect_status(200).json();
    assert!(
        body["access_token"]
            .as_str()
            .unwrap()
            .starts_with("ory_at_")
    );
    let jwt = client(&app, json!({"access_token_strategy": "jwt"})).await;
    let body = jwt.token(&app, &[GRANT]).await.expect_status(200).json();
    assert_eq!(body["access_token"].as_str().unwrap().split('.').count(), 3);
}

#[tokio::test]
async fn a_lifespan_of_the_client_wins() {
    let app = TestApp::new().await;
    let client = client(
        &app,
        json!({"client_credentials_grant_access_token_lifespan": "5m"}),
    )
    .await;
    let body = client.token(&app, &[GRANT]).await.expect_status(200).json();
    assert_eq!(body["expires_in"], 300);
    assert_eq!(
        introspect(&app, body["access_token"].as_str().unwrap()).await["active"],
        true
    );
    app.advance(Duration::minutes(5)).await;
    assert_eq!(
        introspect(&app, body["access_token"].as_str().unwrap()).await,
        json!({"active": false})
    );
}

#[tokio::test]
async fn each_refusal_has_its_status_and_code() {
    let app = TestApp::new().await;
    let good = client(&app, json!({})).await;
    for (fields, status, code) in [
        (vec![], 400, "invalid_request"),
        (
            vec![("grant_type", "password")],
            400,
            "unsupported_grant_type",
        ),
        (vec![GRANT, ("scope", "root")], 400, "invalid_scope"),
        (
            vec![GRANT, ("audience", "https://evil.example")],
            400,
            "invalid_request",
        ),
        (vec![GRANT, GRANT], 400, "invalid_request"),
        (vec![GRANT, ("client_secret", "x")], 400, "invalid_request"),
        (vec![GRANT, ("client_id", "other")], 400, "invalid_request"),
        (
            vec![GRANT, ("client_assertion", "x")],
            401,
            "invalid_client",
        ),
        (
            vec![("grant_type", "authorization_code")],
            400,
            "invalid_request",
        ),
        (
            vec![("grant_type", "refresh_token")],
            400,
            "invalid_request",
        ),
    ] {
        let answer = good.token(&app, &fields).await.expect_status(status);
        assert_eq!(code_of(&answer), code, "{fields:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            answer.json().as_object().unwrap().len(),
            2,
            "error and error_description, nothing else"
        );
    }
    let only_codes = client(&app, json!({"grant_types": ["authorization_code"]})).await;
    let answer = only_codes.token(&app, &[GRANT]).await.expect_status(400);
    assert_eq!(code_of(&answer), "unauthorized_client");
    let public = client(&app, json!({"token_endpoint_auth_method": "none"})).await;
    let answer = app
        .public
        .post_form("/oauth2/token", &[GRANT, ("client_id", &public.id)])
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_grant");
}

#[tokio::test]
async fn only_forms_are_read() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    for kind in [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=x",
        "",
    ] {
        let request = Request::post("/oauth2/token")
            .header(header::CONTENT_TYPE, kind)
            .header(header::AUTHORIZATION, client.basic())
            .body(Body::from("grant_type=client_credentials"));
        let answer = app.public.send(request.unwrap()).await.expect_status(400);
        assert_eq!(code_of(&answer), "invalid_request", "{kind}");
    }
    let mut request = form("/oauth2/token", &[GRANT]);
    let kind = "Application/X-WWW-Form-Urlencoded; charset=UTF-8"
        .parse()
        .unwrap();
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, client.basic().parse().unwrap());
    app.public.send(request).await.expect_status(200);
    // Credentials in the address are not read: they would be in every log on the way.
    let path = format!(
        "/oauth2/token?client_id={}&client_secret={}",
        client.id, client.secret
    );
    let answer = app
        .public
        .post_form(&path, &[GRANT])
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_request");
}

#[tokio::test]
async fn a_client_must_use_the_method_it_is_registered_for() {
    let app = TestApp::new().await;
    let basic = client(&app, json!({})).await;
    let post = client(
        &app,
        json!({"token_endpoint_auth_method": "client_secret_post"}),
    )
    .await;
    let in_form = |id: &str, secret: &str| {
        let fields = [GRANT, ("client_id", id), ("client_secret", secret)];
        app.public.send(form("/oauth2/token", &fields))
    };
    in_form(&post.id, &post.secret).await.expect_status(200);
    let answer = in_form(&basic.id, &basic.secret).await.expect_status(401);
    assert_eq!(code_of(&answer), "invalid_client");
    assert!(answer.headers.get("www-authenticate").is_none());
    let answer = post.token(&app, &[GRANT]).await.expect_status(401);
    assert!(answer.header("www-authenticate").starts_with("Basic "));
    // A secret is not optional, nor may it be empty.
    app.public
        .post_form("/oauth2/token", &[GRANT, ("client_id", &basic.id)])
        .await
        .expect_status(401);
    in_form(&post.id, "").await.expect_status(401);
    // RFC 6749 §5.2 and Hydra's end-to-end tests: nobody at all is a malformed request.
    let answer = app
        .public
        .post_form("/oauth2/token", &[GRANT])
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_request");
}

#[tokio::test]
async fn every_wrong_secret_is_refused() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    for secret in super::support::broken(&client.secret) {
        let header = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{secret}", client.id))
        );
        let mut request = form("/oauth2/token", &[GRANT]);
        request
            .headers_mut()
            .insert(header::AUTHORIZATION, header.parse().unwrap());
        let answer = app.public.send(request).await.expect_status(401);
        assert_eq!(code_of(&answer), "invalid_client");
    }
    let header = format!("Basic {}", STANDARD.encode("nobody:secret"));
    let mut request = form("/oauth2/token", &[GRANT]);
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, header.parse().unwrap());
    app.public.send(request).await.expect_status(401);
}

#[tokio::test]
async fn a_chosen_secret_works_and_a_replaced_one_no_longer_does() {
    let app = TestApp::new().await;
    let old = client(
        &app,
        json!({"client_id": "chosen", "client_secret": "first secret: ü"}),
    )
    .await;
    let encoded = |secret: &str| {
        let secret: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        TestClient {
            id: "chosen".into(),
            secret,
        }
    };
    encoded(&old.secret)
        .token(&app, &[GRANT])
        .await
        .expect_status(200);
    let body = json!({"client_secret": "second secret", "grant_types": ["client_credentials"]});
    app.admin
        .send_json(axum::http::Method::PUT, "/admin/clients/chosen", &body)
        .await
        .expect_status(200);
    encoded(&old.secret)
        .token(&app, &[GRANT])
        .await
        .expect_status(401);
    encoded("second secret")
        .token(&app, &[GRANT])
        .await
        .expect_status(200);
}

/// A chosen secret can be guessed and costs argon2 to check, so wrong ones are counted, whoever sends them.
#[tokio::test]
async fn guessing_at_a_chosen_secret_is_stopped_and_ends_by_itself() {
    let app = TestApp::new().await;
    let chosen = client(&app, json!({"client_secret": "a-chosen-secret"})).await;
    let made = client(&app, json!({})).await;
    let guess = |client: &TestClient| TestClient {
        id: client.id.clone(),
        secret: "a-wrong-secret".into(),
    };
    for _ in 0..100 {
        for client in [&chosen, &made] {
            let answer = guess(client).token(&app, &[GRANT]).await;
            assert_eq!(code_of(&answer.expect_status(401)), "invalid_client");
        }
    }
    for client in [&guess(&chosen), &chosen] {
        let answer = client.token(&app, &[GRANT]).await.expect_status(503);
        assert_eq!(code_of(&answer), "temporarily_unavailable");
    }
    made.token(&app, &[GRANT]).await.expect_status(200);
    app.advance(Duration::minutes(10)).await;
    chosen.token(&app, &[GRANT]).await.expect_status(200);
}

#[tokio::test]
async fn many_right_secrets_at_once_are_not_taken_for_guesses() {
    let app = TestApp::new().await;
    let client = client(&app, json!({"client_secret": "a-chosen-secret"})).await;
    let fields = [GRANT];
    for _ in 0..4 {
        let requests = (0..30).map(|_| client.token(&app, &fields)).collect();
        for answer in join_all(requests).await {
            answer.expect_status(200);
        }
    }
}
