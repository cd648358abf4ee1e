//! `/userinfo`

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use time::Duration;

use crate::harness::{Answer, ISSUER, TestApp, form};
use crate::oauth2::support::{TestClient, client, code_of};

async fn with_header(app: &TestApp, authorization: &str) -> Answer {
    let request = Request::get("/userinfo").header(header::AUTHORIZATION, authorization);
    app.public.send(request.body(Body::empty()).unwrap()).await
}

async fn token(app: &TestApp, client: &TestClient) -> String {
    client.tokens(app).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn it_says_who_the_token_is_about() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let token = token(&app, &client).await;
    let now = app.app.clock().now().unix_timestamp();
    let expected = json!({
        "sub": "alice", "iss": ISSUER, "aud": [client.id], "auth_time": now, "rat": now, "iat": now,
        "email": "alice@example.com",
    });
    let answer = with_header(&app, &format!("bearer {token}"))
        .await
        .expect_status(200);
    assert_eq!(answer.json(), expected);
    let answer = app
        .public
        .post_form("/userinfo", &[("access_token", &token)])
        .await
        .expect_status(200);
    assert_eq!(answer.json(), expected);
    let mut request = form("/userinfo", &[]);
    request.headers_mut().insert(
        header::AUTHORIZATION,
        format!("Bearer {token}").parse().unwrap(),
    );
    app.public.send(request).await.expect_status(200);
}

#[tokio::test]
async fn a_bad_token_gets_a_challenge() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    for authorization in [
        "Bearer nonsense",
        "Bearer ",
        "Basic abc",
        &format!("Bearer {}", tokens["refresh_token"].as_str().unwrap()),
    ] {
        let answer = with_header(&app, authorization).await.expect_status(401);
        assert_eq!(code_of(&answer), "invalid_token", "{authorization}");
        assert!(
            answer
                .header("www-authenticate")
                .starts_with("Bearer error=\"invalid_token\"")
        );
    }
    let answer = app.public.get("/userinfo").await.expect_status(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    app.clock.advance(Duration::hours(1));
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    with_header(&app, &bearer).await.expect_status(401);
}

#[tokio::test]
async fn a_token_in_the_query_or_in_two_places_is_refused() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let token = token(&app, &client).await;
    let answer = app
        .public
        .get(&format!("/userinfo?access_token={token}"))
        .await
        .expect_status(400);
    assert_eq!(code_of(&answer), "invalid_request");
    let mut request = form("/userinfo", &[("access_token", &token)]);
    request.headers_mut().insert(
        header::AUTHORIZATION,
        format!("Bearer {token}").parse().unwrap(),
    );
    app.public.send(request).await.expect_status(400);
}

#[tokio::test]
async fn the_scope_openid_is_needed() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[("scope", "read")]).await;
    let without = client.redeem(&app, &code).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let answer = with_header(&app, &format!("Bearer {without}"))
        .await
        .expect_status(403);
    assert_eq!(code_of(&answer), "insufficient_scope");
    assert!(
        answer
            .header("www-authenticate")
            .ends_with("scope=\"openid\"")
    );

    // A client acting for itself is nobody, whatever its scope.
    let fields = [("grant_type", "client_credentials"), ("scope", "openid")];
    let own = client.token(&app, &fields).await.expect_status(200).json();
    with_header(
        &app,
        &format!("Bearer {}", own["access_token"].as_str().unwrap()),
    )
    .await
    .expect_status(401);
}
