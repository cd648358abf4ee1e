//! The two well-known documents, and that they tell the truth.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::harness::{ISSUER, TestApp};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn both_documents_are_the_same_and_cacheable() {
    let app = TestApp::new().await;
    let one = app.public.get(OPENID).await.expect_status(200);
    assert_eq!(
        one.json(),
        app.public.get(OAUTH).await.expect_status(200).json()
    );
    assert_eq!(one.header("cache-control"), "public, max-age=300");
    assert_eq!(one.json()["issuer"], ISSUER);
}

#[tokio::test]
async fn hydras_sdks_find_what_they_insist_on() {
    let app = TestApp::with(&[("KEYS_ALGORITHM", "RS256")]).await;
    let document = app.public.get(OPENID).await.json();
    for name in [
        "issuer",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "subject_types_supported",
        "response_types_supported",
        "id_token_signing_alg_values_supported",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
    ] {
        assert!(
            document.get(name).is_some_and(|value| !value.is_null()),
            "{name}"
        );
    }
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        json!(["RS256"])
    );
}

#[tokio::test]
async fn every_advertised_endpoint_exists() {
    let app = TestApp::new().await;
    let document = app.public.get(OPENID).await.json();
    let mut seen = 0;
    for (name, value) in document.as_object().unwrap() {
        if !name.ends_with("_endpoint") && name != "jwks_uri" {
            continue;
        }
        seen += 1;
        let path = value.as_str().unwrap().strip_prefix(ISSUER).unwrap();
        let mut statuses = Vec::new();
        for method in [Method::GET, Method::POST] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::empty())
                .unwrap();
            statuses.push(app.public.send(request).await.status.as_u16());
        }
        assert!(
            statuses.iter().all(|status| *status != 404),
            "{name}: {statuses:?}"
        );
        assert!(
            statuses.iter().any(|status| *status != 405),
            "{name}: {statuses:?}"
        );
    }
    assert_eq!(seen, 6);
}

#[tokio::test]
async fn an_issuer_with_a_path_is_found_where_rfc_8414_puts_it() {
    let app = TestApp::new().await;
    app.public
        .get(&format!("{OAUTH}/tenant"))
        .await
        .expect_status(404);
    let app = TestApp::with(&[("URLS_SELF_ISSUER", "http://127.0.0.1:4444/tenant")]).await;
    app.public
        .get(&format!("{OAUTH}/tenant"))
        .await
        .expect_status(200);
    app.public
        .get(&format!("{OAUTH}/other"))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn the_device_grant_says_that_it_is_missing() {
    let app = TestApp::new().await;
    let answer = app
        .public
        .post_form("/oauth2/device/auth", &[("client_id", "x")])
        .await
        .expect_status(400);
    assert_eq!(answer.json()["error"], "unsupported_grant_type");
    let document = app.public.get(OPENID).await.json();
    assert_eq!(
        document["grant_types_supported"],
        json!(["authorization_code", "client_credentials", "refresh_token"])
    );
}
