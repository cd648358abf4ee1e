//! `/health`, `/version`, and the layers that every address has.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;

use crate::harness::TestApp;

#[tokio::test]
async fn both_listeners_say_that_they_are_alive_and_ready() {
    let app = TestApp::new().await;
    for door in [&app.public, &app.admin] {
        for path in ["/health/alive", "/health/ready"] {
            let answer = door.get(path).await.expect_status(200);
            assert_eq!(answer.json(), json!({"status": "ok"}));
            assert_eq!(
                answer.header("cache-control"),
                "private, no-cache, no-store, must-revalidate"
            );
        }
        assert!(door.get("/version").await.expect_status(200).json()["version"].is_string());
    }
}

#[tokio::test]
async fn a_server_without_its_database_is_alive_but_not_ready() {
    let app = TestApp::new().await;
    app.app.storage().close().await;
    app.public.get("/health/alive").await.expect_status(200);
    let answer = app.public.get("/health/ready").await.expect_status(503);
    assert!(answer.json()["errors"]["database"].is_string());
}

#[tokio::test]
async fn a_trailing_slash_makes_no_difference() {
    let app = TestApp::new().await;
    app.public.get("/health/alive/").await.expect_status(200);
    app.admin.get("/health/alive/?x=1").await.expect_status(200);
}

#[tokio::test]
async fn an_unknown_address_gets_the_two_key_error() {
    let app = TestApp::new().await;
    for door in [&app.public, &app.admin] {
        let body = door.get("/nothing/here").await.expect_status(404).json();
        let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["error", "error_description"]);
    }
    let request = Request::post("/health/alive").body(Body::empty()).unwrap();
    app.public.send(request).await.expect_status(405);
}

#[tokio::test]
async fn a_request_keeps_its_name_unless_the_name_is_dangerous() {
    let app = TestApp::new().await;
    let named = |name: &[u8]| {
        Request::get("/health/alive")
            .header("x-request-id", name)
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(
        app.public
            .send(named(b"abc-123"))
            .await
            .header("x-request-id"),
        "abc-123"
    );
    for bad in [
        &b"two words"[..],
        b"\xff\xfe",
        b"a\"b",
        [b'a'; 65].as_slice(),
    ] {
        let answer = app.public.send(named(bad)).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "a fresh one");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let app = TestApp::new().await;
    let request = Request::post("/health/alive")
        .header(header::CONTENT_LENGTH, 2 * 1024 * 1024)
        .body(Body::from(vec![b'.'; 2 * 1024 * 1024]))
        .unwrap();
    app.public.send(request).await.expect_status(413);
}

#[tokio::test]
async fn no_web_page_reaches_the_admin_side() {
    let app = TestApp::new().await;
    let ask = |path: &str, name: &str, value: &str| {
        Request::get(path)
            .header(name, value)
            .body(Body::empty())
            .unwrap()
    };
    for path in ["/admin/clients", "/clients", "/health/alive", "/nothing"] {
        for (name, value) in [
            ("origin", "https://evil.test"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("host", "evil.test"),
            ("host", "evil.test:4445"),
        ] {
            app.admin
                .send(ask(path, name, value))
                .await
                .expect_status(403);
        }
    }
    for (name, value) in [
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", "same-origin"),
        ("host", "localhost:4445"),
        ("host", "[::1]:4445"),
    ] {
        app.admin
            .send(ask("/clients", name, value))
            .await
            .expect_status(200);
    }
}

#[tokio::test]
async fn an_admin_side_on_a_private_network_may_have_any_name() {
    let app = TestApp::reachable("10.0.0.1").await;
    let named = |origin: Option<&str>| {
        let mut request = Request::get("/clients").header(header::HOST, "gatepost.internal");
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        request.body(Body::empty()).unwrap()
    };
    app.admin.send(named(None)).await.expect_status(200);
    let page = named(Some("http://gatepost.internal"));
    app.admin.send(page).await.expect_status(403);
}
