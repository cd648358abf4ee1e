//! `/admin/oauth2/auth/requests/*`: login and consent pages, remembered sign-ins and consents, `prompt` and `max_age`.

use axum::http::Method;
use serde_json::{Value, json};
use time::Duration;

use super::support::{Browser, CALLBACK, client, consent_path, decide, encoded, login_path, query};
use crate::harness::{Answer, ISSUER, TestApp};

/// A server whose login page is somebody else's, so that it remembers sign-ins itself.
async fn with_pages() -> TestApp {
    let variables = [
        ("URLS_LOGIN", "https://pages.example/login"),
        ("URLS_CONSENT", "https://pages.example/consent"),
    ];
    TestApp::with(&variables).await
}

fn remembering() -> Value {
    json!({"subject": "alice", "remember": true, "remember_for": 3600})
}

async fn login_request(app: &TestApp, started: &Answer) -> Value {
    let challenge =
        query(started.header("location"), "login_challenge").expect("a login challenge");
    app.admin
        .get(&login_path("", &challenge))
        .await
        .expect_status(200)
        .json()
}

fn error_of(answer: &Answer) -> Option<String> {
    let location = answer.header("location");
    location
        .starts_with(CALLBACK)
        .then(|| query(location, "error"))
        .flatten()
}

#[tokio::test]
async fn the_pages_learn_what_is_asked() {
    let app = with_pages().await;
    let client = client(
        &app,
        json!({"client_name": "The App", "logo_uri": "https://app.example/logo.png"}),
    )
    .await;
    let request = client.request(&[
        ("audience", "https://api.example"),
        ("login_hint", "alice@example.com"),
        ("ui_locales", "de en"),
        ("acr_values", "aal2"),
        ("display", "page"),
    ]);
    let mut browser = Browser::default();
    let started = browser.start(&app, &request).await.expect_status(303);
    assert!(
        started
            .header("location")
            .starts_with("https://pages.example/login?login_challenge=")
    );
    let shown = login_request(&app, &started).await;
    assert_eq!(
        shown["requested_scope"],
        json!(["openid", "offline", "read"])
    );
    assert_eq!(
        shown["requested_access_token_audience"],
        json!(["https://api.example"])
    );
    assert_eq!(
        (&shown["skip"], &shown["subject"]),
        (&json!(false), &json!(""))
    );
    assert_eq!(shown["client"]["client_name"], "The App");
    assert!(shown["client"].get("client_secret").is_none());
    assert_eq!(
        shown["request_url"],
        format!("{ISSUER}/oauth2/auth?{}", encoded(&request))
    );
    let context = json!({
        "acr_values": ["aal2"], "ui_locales": ["de", "en"], "display": "page", "login_hint": "alice@example.com",
    });
    assert_eq!(shown["oidc_context"], context);

    let login =
        json!({"subject": "alice", "acr": "aal1", "amr": ["pwd"], "context": {"tenant": "t1"}});
    let asked = browser.log_in(&app, &started, login).await;
    let location = asked.header("location");
    assert!(location.starts_with("https://pages.example/consent?consent_challenge="));
    let challenge = query(location, "consent_challenge").unwrap();
    let consent = app
        .admin
        .get(&consent_path("", &challenge))
        .await
        .expect_status(200)
        .json();
    assert_eq!(
        (&consent["challenge"], &consent["subject"]),
        (&json!(challenge), &json!("alice"))
    );
    assert_eq!(
        (&consent["acr"], &consent["amr"]),
        (&json!("aal1"), &json!(["pwd"]))
    );
    assert_eq!(consent["context"], json!({"tenant": "t1"}));
    assert_eq!(consent["login_challenge"], shown["challenge"]);
    assert_eq!(consent["login_session_id"], shown["session_id"]);
    assert_eq!(
        (&consent["skip"], &consent["client"]["client_name"]),
        (&json!(false), &json!("The App"))
    );
    assert!(consent["consent_request_id"].is_string());
}

#[tokio::test]
async fn bad_challenges_and_bodies_have_their_statuses() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let started = Browser::default().start(&app, &client.request(&[])).await;
    let challenge = query(started.header("location"), "login_challenge").unwrap();
    for kind in ["login", "consent"] {
        app.admin
            .get(&format!("/admin/oauth2/auth/requests/{kind}"))
            .await
            .expect_status(400);
        app.admin
            .get(&format!(
                "/admin/oauth2/auth/requests/{kind}?{kind}_challenge=unknown"
            ))
            .await
            .expect_status(404);
        let path = format!("/admin/oauth2/auth/requests/{kind}/accept?{kind}_challenge=unknown");
        app.admin
            .send_json(Method::PUT, &path, &json!({"subject": "a"}))
            .await
            .expect_status(404);
    }
    app.admin
        .get(&format!(
            "/oauth2/auth/requests/login?challenge={challenge}"
        ))
        .await
        .expect_status(200);
    for body in [
        json!({}),
        json!({"subject": ""}),
        json!({"subject": 1}),
        json!({"subject": "a", "remember_for": -1}),
    ] {
        app.admin
            .send_json(Method::PUT, &login_path("/accept", &challenge), &body)
            .await
            .expect_status(400);
    }
}

#[tokio::test]
async fn a_handled_challenge_is_gone_and_says_where_to_start_again() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let started = browser.start(&app, &client.request(&[])).await;
    let login = query(started.header("location"), "login_challenge").unwrap();
    // Pressing the button twice is no error.
    decide(
        &app,
        &login_path("/accept", &login),
        &json!({"subject": "alice"}),
    )
    .await;
    let asked = browser
        .log_in(&app, &started, json!({"subject": "alice"}))
        .await;
    let consent = query(asked.header("location"), "consent_challenge").unwrap();
    let again =
        json!({"redirect_to": format!("{ISSUER}/oauth2/auth?{}", encoded(&client.request(&[])))});
    assert_eq!(
        app.admin
            .get(&login_path("", &login))
            .await
            .expect_status(410)
            .json(),
        again
    );
    let path = login_path("/accept", &login);
    app.admin
        .send_json(Method::PUT, &path, &json!({"subject": "bob"}))
        .await
        .expect_status(410);
    let to = decide(
        &app,
        &consent_path("/accept", &consent),
        &json!({"grant_scope": ["read"]}),
    )
    .await;
    browser.get(&app, &to).await.expect_status(303);
    assert_eq!(
        app.admin
            .get(&consent_path("", &consent))
            .await
            .expect_status(410)
            .json(),
        again
    );
}

#[tokio::test]
async fn a_rejection_reaches_the_client() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    for (body, code) in [
        (
            json!({"error": "access_denied", "error_description": "no", "status_code": 403}),
            "access_denied",
        ),
        (json!({}), "access_denied"),
        (json!({"error": "custom_code"}), "custom_code"),
    ] {
        let mut browser = Browser::default();
        let started = browser.start(&app, &client.request(&[])).await;
        let challenge = query(started.header("location"), "login_challenge").unwrap();
        let to = decide(&app, &login_path("/reject", &challenge), &body).await;
        let answer = browser.get(&app, &to).await;
        assert_eq!(error_of(&answer).as_deref(), Some(code));
        assert_eq!(
            query(answer.header("location"), "state").unwrap(),
            "state-123456"
        );

        let mut browser = Browser::default();
        let started = browser.start(&app, &client.request(&[])).await;
        let asked = browser
            .log_in(&app, &started, json!({"subject": "alice"}))
            .await;
        let challenge = query(asked.header("location"), "consent_challenge").unwrap();
        let to = decide(&app, &consent_path("/reject", &challenge), &body).await;
        assert_eq!(
            error_of(&browser.get(&app, &to).await).as_deref(),
            Some(code)
        );
    }
}

#[tokio::test]
async fn no_more_can_be_granted_than_was_asked() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let started = browser
        .start(&app, &client.request(&[("scope", "read")]))
        .await;
    let asked = browser
        .log_in(&app, &started, json!({"subject": "alice"}))
        .await;
    let path = consent_path(
        "/accept",
        &query(asked.header("location"), "consent_challenge").unwrap(),
    );
    for body in [
        json!({"grant_scope": ["read", "write"]}),
        json!({"grant_scope": ["read"], "grant_access_token_audience": ["https://api.example"]}),
    ] {
        app.admin
            .send_json(Method::PUT, &path, &body)
            .await
            .expect_status(400);
    }
}

#[tokio::test]
async fn a_remembered_browser_skips_the_login() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    browser
        .sign_in_as(&app, &client.request(&[]), remembering(), json!({}))
        .await;
    let signed_in_at = app.app.clock().now().unix_timestamp();
    app.clock.advance(Duration::minutes(10));

    let shown = login_request(&app, &browser.start(&app, &client.request(&[])).await).await;
    assert_eq!(
        (&shown["skip"], &shown["subject"]),
        (&json!(true), &json!("alice"))
    );
    let answer = browser
        .sign_in_as(
            &app,
            &client.request(&[]),
            json!({"subject": "alice"}),
            json!({}),
        )
        .await;
    let code = query(answer.header("location"), "code").unwrap();
    let id = super::support::claims(
        client.redeem(&app, &code).await.json()["id_token"]
            .as_str()
            .unwrap(),
    );
    assert_eq!(id["auth_time"], signed_in_at, "no new sign-in, no new time");
    assert_eq!(id["sid"], shown["session_id"]);

    // Somebody else at the keyboard starts again, without skipping.
    let started = browser.start(&app, &client.request(&[])).await;
    let challenge = query(started.header("location"), "login_challenge").unwrap();
    let to = decide(
        &app,
        &login_path("/accept", &challenge),
        &json!({"subject": "bob"}),
    )
    .await;
    assert_eq!(query(&to, "prompt").unwrap(), "login");
    let shown = login_request(&app, &browser.get(&app, &to).await).await;
    assert_eq!(shown["skip"], false);

    // Another browser knows nothing.
    let shown = login_request(
        &app,
        &Browser::default().start(&app, &client.request(&[])).await,
    )
    .await;
    assert_eq!(shown["skip"], false);
    app.advance(Duration::hours(1)).await;
    let shown = login_request(&app, &browser.start(&app, &client.request(&[])).await).await;
    assert_eq!(shown["skip"], false, "remember_for is over");
}

#[tokio::test]
async fn a_sign_in_gives_the_browser_a_new_session_value() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let planted = "A".repeat(43);
    browser
        .cookies
        .push(("ory_hydra_session_dev".into(), planted.clone()));
    browser
        .sign_in_as(&app, &client.request(&[]), remembering(), json!({}))
        .await;
    let session = |browser: &Browser| {
        browser
            .cookies
            .iter()
            .find(|(name, _)| name == "ory_hydra_session_dev")
            .cloned()
    };
    let first = session(&browser).unwrap();
    assert_ne!(first.1, planted);
    // A sign-in that is not to be remembered also ends the memory of the one before.
    let again = client.request(&[("prompt", "login")]);
    browser
        .sign_in_as(&app, &again, json!({"subject": "bob"}), json!({}))
        .await;
    assert_eq!(session(&browser), None);
    browser.cookies.push(first);
    let shown = login_request(&app, &browser.start(&app, &client.request(&[])).await).await;
    assert_eq!(shown["skip"], false);
}

#[tokio::test]
async fn prompt_and_max_age_are_obeyed() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let none = client.request(&[("prompt", "none")]);
    assert_eq!(
        error_of(&Browser::default().start(&app, &none).await).as_deref(),
        Some("login_required")
    );

    let mut browser = Browser::default();
    browser
        .sign_in_as(&app, &client.request(&[]), remembering(), json!({}))
        .await;
    app.clock.advance(Duration::seconds(30));
    for (changes, skip) in [
        (vec![], true),
        (vec![("prompt", "login")], false),
        (vec![("prompt", "select_account")], false),
        (vec![("max_age", "60")], true),
        (vec![("max_age", "29")], false),
        (vec![("max_age", "0")], false),
    ] {
        let shown =
            login_request(&app, &browser.start(&app, &client.request(&changes)).await).await;
        assert_eq!(shown["skip"], skip, "{changes:?}");
    }
    let too_old = client.request(&[("prompt", "none"), ("max_age", "29")]);
    assert_eq!(
        error_of(&browser.start(&app, &too_old).await).as_deref(),
        Some("login_required")
    );
    // Signed in, but never asked for consent to be remembered.
    let started = browser.start(&app, &none).await;
    let answer = browser
        .log_in(&app, &started, json!({"subject": "alice"}))
        .await;
    assert_eq!(error_of(&answer).as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn a_remembered_consent_is_not_asked_for_again() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    let consent = json!({"remember": true, "remember_for": 7200});
    browser
        .sign_in_as(&app, &client.request(&[]), remembering(), consent)
        .await;

    let skips = async |browser: &mut Browser, subject: &str, changes: &[(&str, &str)]| {
        let started = browser.start(&app, &client.request(changes)).await;
        let asked = browser
            .log_in(&app, &started, json!({"subject": subject}))
            .await;
        let challenge = query(asked.header("location"), "consent_challenge").unwrap();
        app.admin.get(&consent_path("", &challenge)).await.json()["skip"] == true
    };
    assert!(skips(&mut browser, "alice", &[]).await);
    assert!(skips(&mut browser, "alice", &[("scope", "read")]).await);
    assert!(
        !skips(&mut browser, "alice", &[("scope", "read write")]).await,
        "more than before"
    );
    assert!(
        !skips(
            &mut browser,
            "alice",
            &[("audience", "https://api.example")]
        )
        .await,
        "more than before"
    );
    assert!(!skips(&mut browser, "alice", &[("prompt", "consent")]).await);
    assert!(
        !skips(&mut Browser::default(), "bob", &[]).await,
        "another person"
    );

    // Now nothing has to be shown at all.
    let none = client.request(&[("prompt", "none")]);
    let answer = browser
        .sign_in_as(&app, &none, json!({"subject": "alice"}), json!({}))
        .await;
    assert!(query(answer.header("location"), "code").is_some());
    app.advance(Duration::hours(2)).await;
    assert!(
        !skips(&mut Browser::default(), "alice", &[]).await,
        "remember_for is over"
    );
}

#[tokio::test]
async fn a_trusted_client_skips_consent() {
    let app = TestApp::new().await;
    let skips = async |changes: Value, request: &[(&str, &str)]| {
        let client = client(&app, changes).await;
        let mut browser = Browser::default();
        let started = browser.start(&app, &client.request(request)).await;
        let asked = browser
            .log_in(&app, &started, json!({"subject": "alice"}))
            .await;
        let challenge = query(asked.header("location"), "consent_challenge").unwrap();
        app.admin.get(&consent_path("", &challenge)).await.json()["skip"] == true
    };
    assert!(skips(json!({"skip_consent": true}), &[]).await);
    assert!(
        skips(json!({"skip_consent": true}), &[("prompt", "none")]).await,
        "against ory/network#317"
    );
    assert!(!skips(json!({"skip_consent": true}), &[("prompt", "consent")]).await);
    // Any application can claim a custom scheme.
    let native = json!({"skip_consent": true, "token_endpoint_auth_method": "none", "redirect_uris": ["com.app:/cb"]});
    assert!(!skips(native, &[("redirect_uri", "com.app:/cb")]).await);
}

/// While `urls.login` is unset our own page signs people in, and the identity's session is the only memory.
#[tokio::test]
async fn the_built_in_page_decides_about_prompt_none_itself() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let mut browser = Browser::default();
    browser
        .sign_in_as(&app, &client.request(&[]), remembering(), json!({}))
        .await;
    assert!(
        browser
            .cookies
            .iter()
            .all(|(name, _)| !name.contains("session"))
    );
    let started = browser
        .start(&app, &client.request(&[("prompt", "none")]))
        .await;
    assert!(
        started
            .header("location")
            .starts_with(&format!("{ISSUER}/login?login_challenge="))
    );
    let challenge = query(started.header("location"), "login_challenge").unwrap();
    let request = gatepost::oauth2::interaction::login_request(&app.app, &challenge)
        .await
        .unwrap();
    assert!(request.must_not_ask() && !request.skip());
    let to = decide(
        &app,
        &login_path("/reject", &challenge),
        &json!({"error": "login_required"}),
    )
    .await;
    assert_eq!(
        error_of(&browser.get(&app, &to).await).as_deref(),
        Some("login_required")
    );
}

#[tokio::test]
async fn an_old_sign_in_does_not_pass_for_a_new_one() {
    use gatepost::oauth2::interaction::{
        AcceptLogin, InteractionError, accept_login, login_request,
    };
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let now = app.app.clock().now();
    let (before, later) = (now - Duration::minutes(5), now + Duration::seconds(20));
    for (changes, old_is_enough) in [
        (vec![("prompt", "login")], false),
        (vec![("max_age", "60")], false),
        (vec![("max_age", "600")], true),
        (vec![], true),
    ] {
        let started = Browser::default()
            .start(&app, &client.request(&changes))
            .await;
        let challenge = query(started.header("location"), "login_challenge").unwrap();
        let request = login_request(&app.app, &challenge).await.unwrap();
        assert_eq!(
            request.is_satisfied_by(before, now),
            old_is_enough,
            "{changes:?}"
        );
        assert!(request.is_satisfied_by(later, later));
        let accept = AcceptLogin {
            subject: "alice".into(),
            authenticated_at: Some(before),
            ..AcceptLogin::default()
        };
        let accepted = accept_login(&app.app, &challenge, accept).await;
        assert_eq!(accepted.is_ok(), old_is_enough);
        assert!(old_is_enough || matches!(accepted, Err(InteractionError::Invalid(_))));
    }
}

#[tokio::test]
async fn an_id_token_hint_names_who_must_sign_in() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let other = super::support::client(&app, json!({})).await;
    let tokens = client.tokens(&app).await;
    let hint = tokens["id_token"].as_str().unwrap();
    app.clock.advance(Duration::hours(3));
    let request = client.request(&[("id_token_hint", hint)]);

    let answer = Browser::default().sign_in(&app, &request).await;
    assert!(
        query(answer.header("location"), "code").is_some(),
        "an expired hint is still a hint"
    );
    let mut browser = Browser::default();
    let started = browser.start(&app, &request).await;
    let answer = browser
        .log_in(&app, &started, json!({"subject": "bob"}))
        .await;
    assert_eq!(error_of(&answer).as_deref(), Some("login_required"));
    // Another client's token, an access token, a forged one.
    let forged = format!(
        "{}.e30.{}",
        hint.split('.').next().unwrap(),
        hint.split('.').nth(2).unwrap()
    );
    let access = tokens["access_token"].as_str().unwrap();
    for (client, hint) in [
        (&other, hint),
        (&client, access),
        (&client, forged.as_str()),
    ] {
        let answer = Browser::default()
            .start(&app, &client.request(&[("id_token_hint", hint)]))
            .await;
        assert_eq!(error_of(&answer).as_deref(), Some("invalid_request"));
    }
    // A remembered browser of somebody else is not skipped.
    let mut bobs = Browser::default();
    bobs.sign_in_as(
        &app,
        &client.request(&[]),
        json!({"subject": "bob", "remember": true}),
        json!({}),
    )
    .await;
    assert_eq!(
        login_request(&app, &bobs.start(&app, &request).await).await["skip"],
        false
    );
    let none = client.request(&[("id_token_hint", hint), ("prompt", "none")]);
    assert_eq!(
        error_of(&bobs.start(&app, &none).await).as_deref(),
        Some("login_required")
    );
}

#[tokio::test]
async fn an_acr_that_was_asked_for_and_not_reached_is_answered_0() {
    let app = with_pages().await;
    let client = client(&app, json!({})).await;
    let code = client.code(&app, &[("acr_values", "aal3")]).await;
    let tokens = client.redeem(&app, &code).await.json();
    assert_eq!(
        super::support::claims(tokens["id_token"].as_str().unwrap())["acr"],
        "0"
    );
}
