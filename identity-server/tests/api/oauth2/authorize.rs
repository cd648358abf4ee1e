//! `/oauth2/auth`: where refusals go, how answers come, and who may continue.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::json;
use time::Duration;

use super::support::{Browser, CALLBACK, CHALLENGE, client, decide, encoded, login_path, query};
use crate::harness::{Answer, ISSUER, TestApp, form};

#[track_caller]
fn expect_page(answer: &Answer, code: &str) {
    let location = answer.header("location");
    assert!(
        location.starts_with(&format!("{ISSUER}/error?")),
        "{location}"
    );
    assert_eq!(query(location, "error").unwrap(), code);
    assert!(query(location, "error_description").is_some());
}

#[track_caller]
fn expect_client(answer: &Answer, code: &str) {
    let location = answer.header("location");
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    assert_eq!(query(location, "error").unwrap(), code);
    assert_eq!(query(location, "iss").unwrap(), ISSUER, "RFC 9207");
}

#[tokio::test]
async fn a_code_comes_with_scope_state_and_issuer() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let answer = browser
        .sign_in(&app, &client.request(&[]))
        .await
        .expect_status(303);
    let location = answer.header("location");
    assert!(location.starts_with(&format!("{CALLBACK}?code=ory_ac_")));
    assert_eq!(query(location, "state").unwrap(), "state-123456");
    assert_eq!(query(location, "scope").unwrap(), "openid offline read");
    assert_eq!(query(location, "iss").unwrap(), ISSUER);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_post_is_the_same() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let params = client.request(&[]);
    let fields: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = app
        .public
        .send(form("/oauth2/auth", &fields))
        .await
        .expect_status(303);
    let challenge = query(answer.header("location"), "login_challenge").unwrap();
    let shown = app
        .admin
        .get(&login_path("", &challenge))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        shown["request_url"],
        format!("{ISSUER}/oauth2/auth?{}", encoded(&params))
    );
}

/// T34: nothing is ever sent to an address that is not registered.
#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_gets_nothing() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    for trick in [
        "",
        "https://evil.example/cb",
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/cb/../cb",
        "https://app.example/cb%2f..",
        "https://APP.example/cb",
        "https://app.example:443/cb",
        "https://app.example@evil.example/cb",
        "https://app.example.evil.example/cb",
        "http://app.example/cb",
        "//app.example/cb",
        "https://app.example/cb#",
        "https://app.example\\@evil.example/cb",
        "javascript:alert(1)",
    ] {
        let answer = Browser::default()
            .start(&app, &client.request(&[("redirect_uri", trick)]))
            .await;
        expect_page(&answer.expect_status(303), "invalid_request");
    }
    let twice = format!(
        "/oauth2/auth?{}&redirect_uri=https://evil.example",
        encoded(&client.request(&[]))
    );
    expect_page(
        &Browser::default().get(&app, &twice).await,
        "invalid_request",
    );
}

#[tokio::test]
async fn what_fails_before_there_is_a_destination_stays_here() {
    let app = TestApp::new().await;
    let client = client(&app, json!({"redirect_uris": [CALLBACK]})).await;
    for (name, value, code) in [
        ("client_id", "nobody", "invalid_client"),
        ("client_id", "", "invalid_request"),
        ("response_mode", "web_message", "unsupported_response_mode"),
        ("login_verifier", "unknown", "request_forbidden"),
        ("consent_verifier", "unknown", "request_forbidden"),
    ] {
        let answer = Browser::default()
            .start(&app, &client.request(&[(name, value)]))
            .await;
        expect_page(&answer, code);
    }
    let request = Request::post("/oauth2/auth")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"));
    expect_page(&app.public.send(request.unwrap()).await, "invalid_request");
}

#[tokio::test]
async fn everything_later_is_told_to_the_client() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    for (changes, code) in [
        (vec![("response_type", "")], "unsupported_response_type"),
        (
            vec![("response_type", "token")],
            "unsupported_response_type",
        ),
        (
            vec![("response_type", "code id_token")],
            "unsupported_response_type",
        ),
        (vec![("scope", "openid root")], "invalid_scope"),
        (
            vec![("audience", "https://evil.example")],
            "invalid_request",
        ),
        (vec![("state", "short")], "invalid_state"),
        (vec![("state", "")], "invalid_state"),
        (vec![("nonce", "short")], "insufficient_entropy"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("prompt", "dance")], "invalid_request"),
        (vec![("max_age", "soon")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
        (
            vec![("code_challenge", ""), ("code_challenge_method", "")],
            "invalid_request",
        ),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("request", "x")], "request_not_supported"),
        (vec![("request_uri", "x")], "request_uri_not_supported"),
        (vec![("registration", "x")], "registration_not_supported"),
        (vec![("id_token_hint", "x.y.z")], "invalid_request"),
    ] {
        let answer = Browser::default()
            .start(&app, &client.request(&changes))
            .await
            .expect_status(303);
        expect_client(&answer, code);
    }
    let other = super::support::client(&app, json!({"response_types": ["id_token"]})).await;
    expect_client(
        &Browser::default().start(&app, &other.request(&[])).await,
        "unsupported_response_type",
    );
}

#[tokio::test]
async fn the_error_page_can_be_somebody_elses() {
    let app = TestApp::with(&[("URLS_ERROR", "https://pages.example/error?lang=en")]).await;
    let answer = app
        .public
        .get("/oauth2/auth?client_id=nobody")
        .await
        .expect_status(303);
    assert!(
        answer
            .header("location")
            .starts_with("https://pages.example/error?lang=en&error=invalid_client&")
    );
}

#[tokio::test]
async fn answers_come_in_the_mode_asked_for() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let fragment = client.request(&[("response_mode", "fragment")]);
    let answer = Browser::default()
        .sign_in(&app, &fragment)
        .await
        .expect_status(303);
    assert!(
        answer
            .header("location")
            .starts_with(&format!("{CALLBACK}#code=ory_ac_"))
    );
    let post = client.request(&[("response_mode", "form_post")]);
    let answer = Browser::default()
        .sign_in(&app, &post)
        .await
        .expect_status(200);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(
        answer.text().contains(&format!("action=\"{CALLBACK}\"")),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("name=\"code\" value=\"ory_ac_"));
    assert!(
        answer
            .text()
            .contains("name=\"state\" value=\"state-123456\"")
    );
}

#[tokio::test]
async fn a_loopback_client_may_choose_its_port() {
    let app = TestApp::new().await;
    let client = client(&app, json!({"redirect_uris": ["http://127.0.0.1/cb"]})).await;
    let request = client.request(&[("redirect_uri", "http://127.0.0.1:49152/cb")]);
    let answer = Browser::default()
        .sign_in(&app, &request)
        .await
        .expect_status(303);
    assert!(
        answer
            .header("location")
            .starts_with("http://127.0.0.1:49152/cb?code=")
    );
}

#[tokio::test]
async fn another_browser_cannot_go_on() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let (mut attacker, mut victim) = (Browser::default(), Browser::default());
    let started = attacker.start(&app, &client.request(&[])).await;
    let challenge = query(started.header("location"), "login_challenge").unwrap();
    let to = decide(
        &app,
        &login_path("/accept", &challenge),
        &json!({"subject": "mallory"}),
    )
    .await;
    expect_page(&victim.get(&app, &to).await, "request_forbidden");
    // Nor with a cookie of its own.
    victim.start(&app, &client.request(&[])).await;
    expect_page(&victim.get(&app, &to).await, "request_forbidden");
    let on = attacker.get(&app, &to).await;
    assert!(
        on.header("location")
            .starts_with(&format!("{ISSUER}/consent?consent_challenge="))
    );
    expect_page(&attacker.get(&app, &to).await, "request_forbidden");
}

#[tokio::test]
async fn two_tabs_do_not_get_in_each_others_way() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let one = browser.start(&app, &client.request(&[])).await;
    let two = browser.start(&app, &client.request(&[])).await;
    for started in [&one, &two] {
        let on = browser
            .log_in(&app, started, json!({"subject": "alice"}))
            .await;
        assert!(query(on.header("location"), "consent_challenge").is_some());
    }
    assert_eq!(browser.cookies.len(), 1);
}

#[tokio::test]
async fn cookies_are_guarded() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let started = Browser::default().start(&app, &client.request(&[])).await;
    let cookie = started.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "the test server is plain http");
    let app = TestApp::with(&[("URLS_SELF_ISSUER", "https://id.example/")]).await;
    let client = super::support::client(&app, json!({})).await;
    let started = Browser::default().start(&app, &client.request(&[])).await;
    assert!(started.header("set-cookie").contains("Secure"));
}

#[tokio::test]
async fn who_takes_too_long_starts_again() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let started = browser.start(&app, &client.request(&[])).await;
    let challenge = query(started.header("location"), "login_challenge").unwrap();
    let to = decide(
        &app,
        &login_path("/accept", &challenge),
        &json!({"subject": "alice"}),
    )
    .await;
    app.clock.advance(Duration::minutes(30));
    app.admin
        .get(&login_path("", &challenge))
        .await
        .expect_status(401);
    expect_page(&browser.get(&app, &to).await, "request_unauthorized");
    app.advance(Duration::minutes(1)).await;
    app.admin
        .get(&login_path("", &challenge))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn challenges_are_short() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let long = "x".repeat(4000);
    let started = Browser::default()
        .start(&app, &client.request(&[("state", &long)]))
        .await;
    assert!(
        query(started.header("location"), "login_challenge")
            .unwrap()
            .len()
            < 100
    );
    assert!(started.header("set-cookie").len() < 200);
    let too_long = "x".repeat(5000);
    let answer = Browser::default()
        .start(&app, &client.request(&[("state", &too_long)]))
        .await;
    expect_client(&answer, "invalid_request");
}

#[tokio::test]
async fn pkce_can_be_left_to_public_clients() {
    let app = TestApp::with(&[("OAUTH2_PKCE_ENFORCED", "false")]).await;
    let confidential = client(&app, json!({})).await;
    let without = [("code_challenge", ""), ("code_challenge_method", "")];
    let answer = Browser::default()
        .start(&app, &confidential.request(&without))
        .await;
    assert!(query(answer.header("location"), "login_challenge").is_some());
    let public = client(&app, json!({"token_endpoint_auth_method": "none"})).await;
    expect_client(
        &Browser::default()
            .start(&app, &public.request(&without))
            .await,
        "invalid_request",
    );
    let with = public.request(&[("code_challenge", CHALLENGE)]);
    let answer = Browser::default().start(&app, &with).await;
    assert!(query(answer.header("location"), "login_challenge").is_some());
}

/// What is stored until somebody signs in must not have the sender's size.
#[tokio::test]
async fn a_request_that_is_too_big_gets_the_error_page_and_is_not_stored() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let fits = |size: usize| {
        let mut params = client.request(&[("padding", "x")]);
        let missing = size - encoded(&params).len();
        params.last_mut().unwrap().1 = "x".repeat(missing + 1);
        assert_eq!(encoded(&params).len(), size);
        params
    };
    let answer = Browser::default().start(&app, &fits(8192)).await;
    assert!(query(answer.header("location"), "login_challenge").is_some());
    let too_big = fits(8193);
    let answer = Browser::default().start(&app, &too_big).await;
    expect_page(&answer.expect_status(303), "invalid_request");
    let fields: Vec<(&str, &str)> = too_big
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = app.public.send(form("/oauth2/auth", &fields)).await;
    expect_page(&answer.expect_status(303), "invalid_request");
}
