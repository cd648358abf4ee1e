//! `/admin/identities`: what operators do.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::browser::path;
use crate::harness::{Answer, TestApp};

fn alice() -> Value {
    json!({"schema_id": "default", "traits": {"email": "Alice@example.com", "name": "Alice"},
        "credentials": {"password": {"config": {"password": "correct horse battery"}}}, "metadata_admin": {"tier": 1}})
}

async fn login(app: &TestApp, password: &str) -> Answer {
    let flow = app.public.get("/self-service/login/api").await.json();
    let body =
        json!({"method": "password", "identifier": "alice@example.com", "password": password});
    app.public
        .post_json(path(flow["ui"]["action"].as_str().unwrap()), &body)
        .await
}

#[tokio::test]
async fn an_identity_is_created_with_a_password_and_signs_in() {
    let app = TestApp::new().await;
    let created = app
        .admin
        .post_json("/admin/identities", &alice())
        .await
        .expect_status(201);
    let location = created.header("location").to_owned();
    let created = created.json();
    assert!(location.ends_with(&format!(
        "/admin/identities/{}",
        created["id"].as_str().unwrap()
    )));
    assert_eq!(
        created["credentials"]["password"]["identifiers"],
        json!(["alice@example.com"])
    );
    assert_eq!(created["metadata_admin"], json!({"tier": 1}));
    assert!(
        !created.to_string().contains("argon2"),
        "hashes stay inside"
    );
    let session = login(&app, "correct horse battery")
        .await
        .expect_status(200)
        .json();
    assert_eq!(session["session"]["identity"]["id"], created["id"]);
    let got = app
        .admin
        .get(&format!("/identities/{}", created["id"].as_str().unwrap()))
        .await
        .expect_status(200);
    assert_eq!(got.json(), created, "the prefix is optional");
}

#[tokio::test]
async fn a_hash_is_imported_and_renewed_at_the_first_login() {
    let app = TestApp::new().await;
    let hash = "$argon2id$v=19$m=32,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$";
    let mut body = alice();
    body["credentials"]["password"]["config"] = json!({"hashed_password": hash});
    app.admin
        .post_json("/admin/identities", &body)
        .await
        .expect_status(400);
    body["credentials"]["password"]["config"] = json!({"hashed_password": known_hash().await});
    app.admin
        .post_json("/admin/identities", &body)
        .await
        .expect_status(201);
    for _ in 0..2 {
        login(&app, "correct horse battery")
            .await
            .expect_status(200);
    }
    let mut tx = app.app.storage().read().await.unwrap();
    let kind = gatepost::identity::CredentialKind::Password;
    let (_, credential) = tx
        .credential_by_identifier(kind, "alice@example.com")
        .await
        .unwrap()
        .unwrap();
    let hash = credential.config.hashed_password().unwrap().to_owned();
    assert!(hash.contains("m=64,t=1,p=1"), "the configured cost");
}

/// The hash of `correct horse battery` at a cost that the tests do not configure.
async fn known_hash() -> String {
    use gatepost::identity::password::{Argon2Cost, PasswordHasher};
    let cost = Argon2Cost {
        memory_kib: 128,
        iterations: 2,
        parallelism: 1,
    };
    let password = gatepost::secret::SecretText::new("correct horse battery");
    let entropy = gatepost::entropy::SeededEntropy::new(77);
    PasswordHasher::new(cost, 1)
        .unwrap()
        .hash(&password, &entropy)
        .await
        .unwrap()
}

#[tokio::test]
async fn bad_identities_are_refused() {
    let app = TestApp::new().await;
    for (body, status) in [
        (json!({"traits": {}}), 400),
        (json!({"traits": {"email": "nonsense"}}), 400),
        (
            json!({"traits": {"email": "a@example.com"}, "schema_id": "other"}),
            400,
        ),
        (
            json!({"traits": {"email": "a@example.com"}, "state": "asleep"}),
            400,
        ),
        (
            json!({"traits": {"email": "a@example.com"}, "misspelt": 1}),
            400,
        ),
        (json!([]), 400),
        (alice(), 201),
        (alice(), 409),
        (
            json!({"traits": {"email": "b@example.com"}, "external_id": "x"}),
            201,
        ),
        (
            json!({"traits": {"email": "c@example.com"}, "external_id": "x"}),
            409,
        ),
    ] {
        app.admin
            .post_json("/admin/identities", &body)
            .await
            .expect_status(status);
    }
}

#[tokio::test]
async fn identities_are_listed_in_pages_and_found_by_identifier() {
    let app = TestApp::new().await;
    for name in ["a", "b", "c"] {
        let body = json!({"traits": {"email": format!("{name}@example.com")},
            "credentials": {"password": {"config": {"password": "correct horse"}}}});
        app.admin
            .post_json("/admin/identities", &body)
            .await
            .expect_status(201);
    }
    let first = app
        .admin
        .get("/admin/identities?page_size=2")
        .await
        .expect_status(200);
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    let link = first.header("link").to_owned();
    let next = link
        .split('<')
        .find(|part| part.contains("rel=\"next\""))
        .unwrap()
        .split('>')
        .next()
        .unwrap();
    let second = app.admin.get(next).await.expect_status(200);
    assert_eq!(second.json().as_array().unwrap().len(), 1);
    assert!(!second.header("link").contains("next"));
    let found = app
        .admin
        .get("/admin/identities?credentials_identifier=B%40EXAMPLE.com")
        .await
        .json();
    assert_eq!(found[0]["traits"]["email"], "b@example.com");
    assert_eq!(found.as_array().unwrap().len(), 1);
    app.admin
        .get("/admin/identities?page_token=nonsense")
        .await
        .expect_status(400);
}

#[tokio::test]
async fn deleting_an_identity_ends_its_sessions() {
    let app = TestApp::new().await;
    let id = app
        .admin
        .post_json("/admin/identities", &alice())
        .await
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let token = login(&app, "correct horse battery").await.json()["session_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let listed = app
        .admin
        .get(&format!("/admin/identities/{id}/sessions?active=true"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    app.admin
        .delete(&format!("/admin/identities/{id}"))
        .await
        .expect_status(204);
    app.admin
        .delete(&format!("/admin/identities/{id}"))
        .await
        .expect_status(404);
    let request = Request::get("/sessions/whoami")
        .header("x-session-token", token)
        .body(Body::empty())
        .unwrap();
    app.public.send(request).await.expect_status(401);
    login(&app, "correct horse battery")
        .await
        .expect_status(400);
}

#[tokio::test]
async fn operators_end_sessions() {
    let app = TestApp::new().await;
    let id = app
        .admin
        .post_json("/admin/identities", &alice())
        .await
        .json()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = login(&app, "correct horse battery").await.json();
    let two = login(&app, "correct horse battery").await.json();
    let session = one["session"]["id"].as_str().unwrap();
    app.admin
        .get(&format!("/admin/sessions/{session}"))
        .await
        .expect_status(200);
    app.admin
        .delete(&format!("/admin/sessions/{session}"))
        .await
        .expect_status(204);
    app.admin
        .delete(&format!("/admin/identities/{id}/sessions"))
        .await
        .expect_status(204);
    for session in [one, two] {
        let token = session["session_token"].as_str().unwrap();
        let request = Request::get("/sessions/whoami")
            .header("x-session-token", token)
            .body(Body::empty())
            .unwrap();
        app.public.send(request).await.expect_status(401);
    }
    app.public.get("/admin/identities").await.expect_status(404);
}
