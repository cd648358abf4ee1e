//! `/admin/clients`

use axum::http::Method;
use serde_json::{Value, json};

use super::support::join_all;
use crate::harness::TestApp;

#[tokio::test]
async fn a_client_is_made_shown_changed_and_deleted() {
    let app = TestApp::new().await;
    let answer = app
        .admin
        .post_json("/admin/clients", &json!({"client_name": "one"}))
        .await
        .expect_status(201);
    let created = answer.json();
    let id = created["client_id"].as_str().unwrap();
    assert_eq!(
        answer.header("location"),
        format!("/admin/clients/{}", id.replace('-', "%2D"))
    );
    assert!(created["client_secret"].as_str().unwrap().len() >= 26);

    let path = format!("/admin/clients/{id}");
    let shown = app.admin.get(&path).await.expect_status(200).json();
    assert!(shown.get("client_secret").is_none(), "{shown}");
    assert_eq!(shown["client_name"], "one");

    let replaced = app
        .admin
        .send_json(Method::PUT, &path, &json!({"owner": "me"}))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&replaced["client_name"], &replaced["owner"]),
        (&json!(""), &json!("me"))
    );
    assert!(
        replaced.get("client_secret").is_none(),
        "an unchanged secret is not shown"
    );

    app.admin.delete(&path).await.expect_status(204);
    app.admin.get(&path).await.expect_status(404);
    app.admin.delete(&path).await.expect_status(404);
    app.admin
        .send_json(Method::PUT, &path, &json!({}))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn hydras_keys_are_always_there() {
    let app = TestApp::new().await;
    let created = app
        .admin
        .post_json("/clients", &json!({"jwks": null, "contacts": null}))
        .await
        .expect_status(201)
        .json();
    for (name, value) in [
        ("client_name", json!("")),
        ("redirect_uris", json!([])),
        ("grant_types", json!([])),
        ("response_types", json!([])),
        ("scope", json!("offline_access offline openid")),
        ("audience", json!([])),
        ("owner", json!("")),
        ("policy_uri", json!("")),
        ("tos_uri", json!("")),
        ("client_uri", json!("")),
        ("logo_uri", json!("")),
        ("allowed_cors_origins", json!([])),
        ("contacts", json!([])),
        ("client_secret_expires_at", json!(0)),
        ("subject_type", json!("public")),
        ("jwks", json!({})),
        ("metadata", json!({})),
        ("skip_consent", json!(false)),
        ("skip_logout_consent", json!(null)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("created_at", json!("2026-11-22T12:00:00Z")),
        ("updated_at", json!("2026-11-22T12:00:00Z")),
    ] {
        assert_eq!(created.get(name), Some(&value), "{name}");
    }
    let lifespans = created
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_lifespan"));
    assert_eq!(
        lifespans.map(|(_, value)| assert!(value.is_null())).count(),
        13
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_its_code() {
    let app = TestApp::new().await;
    for (body, code) in [
        (
            json!({"redirect_uris": ["https://a.example/#x"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"redirect_uris": ["javascript:alert(1)"]}),
            "invalid_redirect_uri",
        ),
        (
            json!({"client_uri": "ftp://a.example"}),
            "invalid_client_metadata",
        ),
        (
            json!({"allowed_cors_origins": ["https://a.example/path"]}),
            "invalid_client_metadata",
        ),
        (
            json!({"subject_type": "pairwise"}),
            "invalid_client_metadata",
        ),
        (
            json!({"token_endpoint_auth_method": "private_key_jwt"}),
            "invalid_client_metadata",
        ),
        (
            json!({"token_endpoint_auth_method": "none", "client_secret": "abcdefgh"}),
            "invalid_client_metadata",
        ),
        (json!({"client_secret": "short"}), "invalid_client_metadata"),
        (json!({"client_id": "a b"}), "invalid_client_metadata"),
        (json!({"client_id": "a/b"}), "invalid_client_metadata"),
        (
            json!({"userinfo_signed_response_alg": "RS256"}),
            "invalid_client_metadata",
        ),
        (
            json!({"jwks": {"keys": []}, "jwks_uri": "https://a.example/jwks"}),
            "invalid_client_metadata",
        ),
        (
            json!({"authorization_code_grant_access_token_lifespan": "100h"}),
            "invalid_client_metadata",
        ),
        (
            json!({"redirect_uris": ["https://a.example/cb"], "post_logout_redirect_uris": ["https://b.example/"]}),
            "invalid_client_metadata",
        ),
    ] {
        let answer = app
            .admin
            .post_json("/admin/clients", &body)
            .await
            .expect_status(400);
        assert_eq!(answer.json()["error"], code, "{body}");
    }
    for body in [
        json!({"scope": 1}),
        json!([]),
        json!({"token_endpoint_auth_method": "dance"}),
    ] {
        let answer = app
            .admin
            .post_json("/admin/clients", &body)
            .await
            .expect_status(400);
        assert_eq!(
            answer.json()["error"],
            "The request was malformed or contained invalid parameters",
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_id_can_be_chosen_once() {
    let app = TestApp::new().await;
    let body = json!({"client_id": "my-app", "client_secret": "a-chosen-secret"});
    let created = app
        .admin
        .post_json("/admin/clients", &body)
        .await
        .expect_status(201)
        .json();
    assert_eq!(created["client_id"], "my-app");
    assert_eq!(
        created["client_secret"], "a-chosen-secret",
        "shown in the answer that set it"
    );
    app.admin
        .post_json("/admin/clients", &body)
        .await
        .expect_status(409);
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let app = TestApp::new().await;
    let body = json!({"client_id": "spa", "token_endpoint_auth_method": "none"});
    let created = app
        .admin
        .post_json("/admin/clients", &body)
        .await
        .expect_status(201)
        .json();
    assert!(created.get("client_secret").is_none());
    // One that becomes confidential needs a secret, and shows it.
    let replaced = app
        .admin
        .send_json(Method::PUT, "/admin/clients/spa", &json!({}))
        .await
        .expect_status(200)
        .json();
    assert!(replaced["client_secret"].is_string());
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let app = TestApp::new().await;
    let body = json!({"client_id": "c", "client_name": "one", "metadata": {"a": 1}});
    app.admin
        .post_json("/admin/clients", &body)
        .await
        .expect_status(201);
    let patch = json!([
        {"op": "replace", "path": "/client_name", "value": "two"},
        {"op": "add", "path": "/metadata/b", "value": 2},
        {"op": "add", "path": "/redirect_uris/-", "value": "https://a.example/cb"},
    ]);
    let patched = app
        .admin
        .send_json(Method::PATCH, "/admin/clients/c", &patch)
        .await
        .expect_status(200)
        .json();
    assert_eq!(patched["client_name"], "two");
    assert_eq!(patched["metadata"], json!({"a": 1, "b": 2}));
    assert_eq!(patched["redirect_uris"], json!(["https://a.example/cb"]));
    for bad in [
        json!([{"op": "replace", "path": "/client_id", "value": "d"}]),
        json!([{"op": "remove", "path": "/nowhere"}]),
        json!([{"op": "replace", "path": "/redirect_uris", "value": ["nonsense"]}]),
        json!({"client_name": "three"}),
    ] {
        app.admin
            .send_json(Method::PATCH, "/admin/clients/c", &bad)
            .await
            .expect_status(400);
    }
    assert_eq!(
        app.admin.get("/admin/clients/c").await.json()["client_name"],
        "two"
    );
}

#[tokio::test]
async fn lifespans_are_replaced_as_a_whole() {
    let app = TestApp::new().await;
    app.admin
        .post_json("/admin/clients", &json!({"client_id": "c"}))
        .await
        .expect_status(201);
    let path = "/admin/clients/c/lifespans";
    let body = json!({"client_credentials_grant_access_token_lifespan": "30m"});
    let set = app
        .admin
        .send_json(Method::PUT, path, &body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        set["client_credentials_grant_access_token_lifespan"],
        "30m0s"
    );
    let body = json!({"refresh_token_grant_refresh_token_lifespan": "24h"});
    let set = app
        .admin
        .send_json(Method::PUT, path, &body)
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        set["client_credentials_grant_access_token_lifespan"],
        Value::Null
    );
    assert_eq!(set["refresh_token_grant_refresh_token_lifespan"], "24h0m0s");
    app.admin
        .send_json(Method::PUT, "/admin/clients/x/lifespans", &body)
        .await
        .expect_status(404);
    let body = json!({"client_credentials_grant_access_token_lifespan": "soon"});
    app.admin
        .send_json(Method::PUT, path, &body)
        .await
        .expect_status(400);
}

#[tokio::test]
async fn the_list_is_paged_by_links() {
    let app = TestApp::new().await;
    for n in 0..5 {
        let body =
            json!({"client_id": format!("c{n}"), "owner": if n == 3 { "me" } else { "you" }});
        app.admin
            .post_json("/admin/clients", &body)
            .await
            .expect_status(201);
    }
    let mut path = "/admin/clients?page_size=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = app.admin.get(&path).await.expect_status(200);
        let page = answer.json();
        seen.extend(
            page.as_array()
                .unwrap()
                .iter()
                .map(|client| client["client_id"].as_str().unwrap().to_owned()),
        );
        let link = answer.header("link").to_owned();
        assert!(link.contains("rel=\"first\""), "{link}");
        let Some(next) = link.split(',').find(|link| link.contains("rel=\"next\"")) else {
            break;
        };
        path = next
            .trim_start_matches('<')
            .split('>')
            .next()
            .unwrap()
            .to_owned();
    }
    assert_eq!(seen, ["c0", "c1", "c2", "c3", "c4"]);

    let mine = app
        .admin
        .get("/admin/clients?owner=me")
        .await
        .expect_status(200)
        .json();
    assert_eq!(mine.as_array().unwrap().len(), 1);
    for bad in ["page_token=%27%20OR%201=1", "page_token=_w", "page_size=x"] {
        app.admin
            .get(&format!("/admin/clients?{bad}"))
            .await
            .expect_status(400);
    }
}

/// A new secret takes time to hash; what another administrator changes meanwhile must survive.
#[tokio::test]
async fn two_changes_at_once_lose_nothing() {
    let app = TestApp::new().await;
    app.admin
        .post_json("/admin/clients", &json!({"client_id": "c"}))
        .await
        .expect_status(201);
    let patch = json!([{"op": "add", "path": "/client_secret", "value": "a-chosen-secret"}]);
    let lifespans = json!({"client_credentials_grant_access_token_lifespan": "30m"});
    let named = json!([{"op": "replace", "path": "/client_name", "value": "two"}]);
    let changes = vec![
        (Method::PATCH, "/admin/clients/c", &patch),
        (Method::PUT, "/admin/clients/c/lifespans", &lifespans),
        (Method::PATCH, "/admin/clients/c", &named),
    ];
    let requests = changes
        .into_iter()
        .map(|(method, path, body)| app.admin.send_json(method, path, body));
    for answer in join_all(requests.collect()).await {
        answer.expect_status(200);
    }
    let shown = app.admin.get("/admin/clients/c").await.json();
    assert_eq!(shown["client_name"], "two");
    assert_eq!(
        shown["client_credentials_grant_access_token_lifespan"],
        "30m0s"
    );
}
