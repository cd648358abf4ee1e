//! `/self-service/…`, `/sessions/…` and `/schemas`: Kratos' API.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use time::Duration;

use crate::browser::{Browser, csrf_token, message_ids, node, path};
use crate::harness::{Answer, ISSUER, TestApp};

const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery";

/// An API flow of this kind, opened.
async fn open_api(app: &TestApp, kind: &str) -> Value {
    app.public
        .get(&format!("/self-service/{kind}/api"))
        .await
        .expect_status(200)
        .json()
}

async fn submit(app: &TestApp, flow: &Value, body: Value) -> Answer {
    app.public
        .post_json(path(flow["ui"]["action"].as_str().unwrap()), &body)
        .await
}

async fn register(app: &TestApp, email: &str) -> Value {
    let flow = open_api(app, "registration").await;
    let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": email, "name": "Alice"}});
    submit(app, &flow, body).await.expect_status(200).json()
}

async fn login(app: &TestApp, identifier: &str, password: &str) -> Answer {
    let flow = open_api(app, "login").await;
    submit(
        app,
        &flow,
        json!({"method": "password", "identifier": identifier, "password": password}),
    )
    .await
}

async fn whoami(app: &TestApp, token: &str) -> Answer {
    let request = Request::get("/sessions/whoami")
        .header("x-session-token", token)
        .body(Body::empty())
        .unwrap();
    app.public.send(request).await
}

#[tokio::test]
async fn an_api_client_registers_and_is_signed_in() {
    let app = TestApp::new().await;
    let flow = open_api(&app, "registration").await;
    assert_eq!(flow["type"], "api");
    assert_eq!(flow["state"], "choose_method");
    assert_eq!(csrf_token(&flow), "");
    assert_eq!(node(&flow, "traits.email")["attributes"]["type"], "email");
    assert_eq!(
        node(&flow, "password")["attributes"]["autocomplete"],
        "new-password"
    );
    let done = register(&app, EMAIL).await;
    let token = done["session_token"].as_str().unwrap();
    assert!(token.starts_with("ory_st_"));
    assert_eq!(done["identity"]["traits"]["email"], EMAIL);
    assert!(done["identity"].get("credentials").is_none());
    let last = done["continue_with"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last,
        &json!({"action": "set_ory_session_token", "ory_session_token": token})
    );
    let me = whoami(&app, token).await.expect_status(200);
    assert_eq!(
        me.header("x-kratos-authenticated-identity-id"),
        done["identity"]["id"]
    );
    let me = me.json();
    assert_eq!(me["active"], true);
    assert_eq!(me["identity"]["id"], done["identity"]["id"]);
    assert_eq!(me["authentication_methods"][0]["method"], "password");
}

#[tokio::test]
async fn an_api_client_signs_in_however_it_spells_the_address() {
    let app = TestApp::new().await;
    let identity = register(&app, EMAIL).await["identity"]["id"].clone();
    for spelling in [EMAIL, "ALICE@Example.com", "  alice@example.com "] {
        let done = login(&app, spelling, PASSWORD)
            .await
            .expect_status(200)
            .json();
        assert_eq!(done["session"]["identity"]["id"], identity, "{spelling}");
        assert!(
            done["session_token"]
                .as_str()
                .unwrap()
                .starts_with("ory_st_")
        );
    }
}

#[tokio::test]
async fn wrong_password_and_unknown_account_get_the_same_answer() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    let strip = |mut flow: Value| {
        for member in ["id", "expires_at", "issued_at", "created_at", "updated_at"] {
            flow.as_object_mut().unwrap().remove(member);
        }
        flow["ui"].as_object_mut().unwrap().remove("action");
        flow.to_string().replace("nobody@example.com", EMAIL)
    };
    let wrong = login(&app, EMAIL, "wrong horse battery")
        .await
        .expect_status(400)
        .json();
    let unknown = login(&app, "nobody@example.com", PASSWORD)
        .await
        .expect_status(400)
        .json();
    assert_eq!(message_ids(&wrong), [4_000_006]);
    assert_eq!(wrong["active"], "password");
    assert_eq!(node(&wrong, "identifier")["attributes"]["value"], EMAIL);
    assert!(
        node(&wrong, "password")["attributes"]
            .get("value")
            .is_none()
    );
    assert_eq!(strip(wrong), strip(unknown));
}

#[expect(clippy::disallowed_methods, reason = "the test measures real time")]
async fn time_of_refusal(app: &TestApp, identifier: &str) -> std::time::Duration {
    let flow = open_api(app, "login").await;
    let body =
        json!({"method": "password", "identifier": identifier, "password": "wrong horse battery"});
    let started = std::time::Instant::now();
    submit(app, &flow, body).await.expect_status(400);
    started.elapsed()
}

#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_known_one() {
    let app = TestApp::with(&[("HASHERS_ARGON2_MEMORY_KIB", "32768")]).await;
    register(&app, EMAIL).await;
    // Other work on the machine only adds to a time, so the fastest of each kind are compared, taken in turns.
    let mut fastest = [std::time::Duration::MAX; 3];
    for turn in 0..6 {
        let identifiers = [
            EMAIL.to_owned(),
            format!("nobody{turn}@example.com"),
            format!("{turn}{}", "x".repeat(400)),
        ];
        for (fastest, identifier) in fastest.iter_mut().zip(identifiers) {
            *fastest = (*fastest).min(time_of_refusal(&app, &identifier).await);
        }
    }
    let [known, unknown, malformed] = fastest;
    // Without hashing the answer would come twenty times as fast.
    assert!(unknown > known / 4, "known {known:?}, unknown {unknown:?}");
    assert!(
        malformed > known / 4,
        "known {known:?}, malformed {malformed:?}"
    );
}

#[tokio::test]
async fn what_is_missing_is_said_beside_the_field() {
    let app = TestApp::new().await;
    let flow = open_api(&app, "login").await;
    let again = submit(&app, &flow, json!({"method": "password"}))
        .await
        .expect_status(400)
        .json();
    assert_eq!(node(&again, "identifier")["messages"][0]["id"], 4_000_002);
    assert_eq!(node(&again, "password")["messages"][0]["id"], 4_000_002);
    let again = submit(&app, &flow, json!({"method": "totp", "totp_code": "1"}))
        .await
        .expect_status(400)
        .json();
    assert_eq!(message_ids(&again), [4_010_002]);
    let flow = open_api(&app, "registration").await;
    let body = json!({"method": "password", "password": "alice@example", "traits": {"email": "nonsense", "x": 1}});
    let again = submit(&app, &flow, body).await.expect_status(400).json();
    assert_eq!(node(&again, "traits.email")["messages"][0]["id"], 4_000_001);
    assert_eq!(
        node(&again, "traits.email")["attributes"]["value"],
        "nonsense"
    );
    for (password, id) in [("short", 4_000_032), ("alice@example.com", 4_000_031)] {
        let body = json!({"method": "password", "password": password, "traits": {"email": EMAIL}});
        let again = submit(&app, &flow, body).await.expect_status(400).json();
        assert_eq!(node(&again, "password")["messages"][0]["id"], id);
    }
}

#[tokio::test]
async fn an_address_is_registered_once_however_it_is_spelt() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    let flow = open_api(&app, "registration").await;
    let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": "Alice@EXAMPLE.com"}});
    let again = submit(&app, &flow, body).await.expect_status(400).json();
    assert_eq!(message_ids(&again), [4_000_007]);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_time_forgives() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    for _ in 0..10 {
        assert_eq!(
            message_ids(&login(&app, EMAIL, "wrong horse").await.json()),
            [4_000_006]
        );
    }
    let throttled = login(&app, EMAIL, PASSWORD).await.expect_status(400).json();
    assert_eq!(message_ids(&throttled), [4_000_001]);
    for _ in 0..10 {
        login(&app, "nobody@example.com", "x").await;
    }
    let unknown = login(&app, "nobody@example.com", "x")
        .await
        .expect_status(400)
        .json();
    assert_eq!(
        unknown["ui"]["messages"], throttled["ui"]["messages"],
        "known and unknown are told the same"
    );
    app.advance(Duration::minutes(11)).await;
    login(&app, EMAIL, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn an_expired_flow_names_its_successor() {
    let app = TestApp::new().await;
    let flow = open_api(&app, "login").await;
    let id = flow["id"].as_str().unwrap();
    app.public
        .get(&format!("/self-service/login/flows?id={id}"))
        .await
        .expect_status(200);
    app.advance(Duration::minutes(61)).await;
    let gone = app
        .public
        .get(&format!("/self-service/login/flows?id={id}"))
        .await
        .expect_status(410)
        .json();
    assert_eq!(gone["error"]["id"], "self_service_flow_expired");
    assert!(
        gone["error"]["details"]["api"]
            .as_str()
            .unwrap()
            .ends_with("/self-service/login/api")
    );
    let gone = submit(&app, &flow, json!({"method": "password"}))
        .await
        .expect_status(410)
        .json();
    assert_eq!(gone["error"]["id"], "self_service_flow_expired");
    let next = gone["use_flow_id"].as_str().unwrap();
    let next = app
        .public
        .get(&format!("/self-service/login/flows?id={next}"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(message_ids(&next), [4_010_001]);
    app.advance(Duration::hours(2)).await;
    app.public
        .get(&format!("/self-service/login/flows?id={id}"))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn a_flow_that_succeeded_cannot_be_used_again() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    let flow = open_api(&app, "login").await;
    let body = json!({"method": "password", "identifier": EMAIL, "password": PASSWORD});
    submit(&app, &flow, body.clone()).await.expect_status(200);
    submit(&app, &flow, body).await.expect_status(410);
}

#[tokio::test]
async fn unknown_flows_and_missing_parameters_are_refused() {
    let app = TestApp::new().await;
    app.public
        .get("/self-service/login/flows")
        .await
        .expect_status(400);
    app.public
        .get("/self-service/login/flows?id=nonsense")
        .await
        .expect_status(404);
    let registration = open_api(&app, "registration").await;
    let id = registration["id"].as_str().unwrap();
    app.public
        .get(&format!("/self-service/login/flows?id={id}"))
        .await
        .expect_status(404);
    app.public
        .post_json("/self-service/login", &json!({}))
        .await
        .expect_status(400);
    app.public
        .post_json("/self-service/login?flow=x", &json!({}))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn an_api_flow_refuses_browsers() {
    let app = TestApp::new().await;
    let flow = open_api(&app, "login").await;
    let action = path(flow["ui"]["action"].as_str().unwrap()).to_owned();
    for (name, value, status) in [
        ("origin", "https://evil.test", 400),
        ("cookie", "a=b", 400),
        ("cookie", "__cf_x=b", 400),
    ] {
        let request = Request::post(&action)
            .header(header::CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(Body::from(r#"{"method":"password"}"#));
        let answer = app
            .public
            .send(request.unwrap())
            .await
            .expect_status(status)
            .json();
        assert_eq!(
            answer.get("error").is_some(),
            !value.starts_with("__cf"),
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn a_single_page_application_signs_in_with_cookies() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let opened = browser
        .get_json("/self-service/login/browser?return_to=&aal=&refresh=")
        .await
        .expect_status(200);
    let cookie = opened.header("set-cookie").to_owned();
    assert!(
        cookie.starts_with("csrf_token_")
            && cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
    );
    let flow = opened.json();
    assert_eq!(flow["type"], "browser");
    assert!(flow.get("return_to").is_none() && flow.get("active").is_none());
    let action = flow["ui"]["action"].as_str().unwrap();
    let body = json!({"method": "password", "identifier": EMAIL, "password": PASSWORD, "csrf_token": csrf_token(&flow)});
    let done = browser.post_json(action, &body).await.expect_status(200);
    let set: Vec<&str> = done
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let session = set
        .iter()
        .find(|line| line.starts_with("ory_kratos_session="))
        .unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
        assert!(session.contains(attribute), "{attribute} in {session}");
    }
    assert!(!session.contains("Secure"), "the test server is plain http");
    let done = done.json();
    assert!(done.get("session_token").is_none());
    let last = done["continue_with"].as_array().unwrap().last().unwrap();
    assert_eq!(last["redirect_browser_to"], format!("{ISSUER}/account"));
    browser
        .get_json("/sessions/whoami")
        .await
        .expect_status(200);
    let again = browser
        .get_json("/self-service/login/browser")
        .await
        .expect_status(400)
        .json();
    assert_eq!(again["error"]["id"], "session_already_available");
    assert_eq!(
        browser
            .get("/self-service/registration/browser")
            .await
            .expect_status(303)
            .header("location"),
        format!("{ISSUER}/account")
    );
}

#[tokio::test]
async fn cookies_are_secure_where_we_are_reached_over_https() {
    let app = TestApp::with(&[("URLS_SELF_ISSUER", "https://id.example")]).await;
    let cookie = app
        .public
        .get("/self-service/login/browser")
        .await
        .expect_status(303)
        .header("set-cookie")
        .to_owned();
    assert!(cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_forged_submission_is_refused() {
    let app = TestApp::new().await;
    register(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let flow = browser.get_json("/self-service/login/browser").await.json();
    let action = flow["ui"]["action"].as_str().unwrap();
    let id = flow["id"].as_str().unwrap();
    let body = |token: &str| json!({"method": "password", "identifier": EMAIL, "password": PASSWORD, "csrf_token": token});
    let refused = |answer: Answer| {
        assert_eq!(
            answer.expect_status(403).json()["error"]["id"],
            "security_csrf_violation"
        );
    };
    refused(browser.post_json(action, &body("")).await);
    refused(browser.post_json(action, &body("bm90IGEgdG9rZW4=")).await);
    let mut stranger = Browser::new(&app.public);
    let theirs = stranger
        .get_json("/self-service/login/browser")
        .await
        .json();
    refused(browser.post_json(action, &body(&csrf_token(&theirs))).await);
    refused(
        stranger
            .post_json(action, &body(&csrf_token(&theirs)))
            .await,
    );
    refused(
        stranger
            .get_json(&format!("/self-service/login/flows?id={id}"))
            .await,
    );
    refused(
        app.public
            .get(&format!("/self-service/login/flows?id={id}"))
            .await,
    );
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.test"),
        ("origin", "null"),
    ] {
        let foreign = Request::post(path(action))
            .header(header::CONTENT_TYPE, "application/json")
            .header(name, value)
            .body(Body::from(body(&csrf_token(&flow)).to_string()));
        refused(browser.send(foreign.unwrap()).await);
    }
    let mut by_header =
        Request::post(path(action)).header(header::CONTENT_TYPE, "application/json");
    by_header = by_header
        .header("x-csrf-token", csrf_token(&flow))
        .header("sec-fetch-site", "same-origin")
        .header("origin", ISSUER);
    browser
        .send(by_header.body(Body::from(body("").to_string())).unwrap())
        .await
        .expect_status(200);
}

#[tokio::test]
async fn signing_in_makes_a_new_session_whatever_was_planted() {
    let app = TestApp::new().await;
    let attacker = register(&app, "mallory@example.com").await["session_token"]
        .as_str()
        .unwrap()
        .to_owned();
    register(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let flow = browser.get_json("/self-service/login/browser").await.json();
    let csrf_before = browser.cookie("csrf_token_").unwrap().to_owned();
    let body = json!({"method": "password", "identifier": EMAIL, "password": PASSWORD, "csrf_token": csrf_token(&flow)});
    browser.set_cookie("ory_kratos_session", "ory_st_planted");
    browser
        .post_json(flow["ui"]["action"].as_str().unwrap(), &body)
        .await
        .expect_status(200);
    assert_ne!(
        browser.cookie("ory_kratos_session").unwrap(),
        "ory_st_planted"
    );
    assert_ne!(browser.cookie("csrf_token_").unwrap(), csrf_before);
    whoami(&app, &attacker).await.expect_status(200);
    whoami(&app, "ory_st_planted").await.expect_status(401);
}

#[tokio::test]
async fn confirming_keeps_the_session_under_a_new_token() {
    let app = TestApp::new().await;
    let first = register(&app, EMAIL).await;
    let token = first["session_token"].as_str().unwrap();
    app.advance(Duration::minutes(5)).await;
    let request =
        Request::get("/self-service/login/api?refresh=true").header("x-session-token", token);
    let flow = app
        .public
        .send(request.body(Body::empty()).unwrap())
        .await
        .expect_status(200)
        .json();
    assert_eq!(flow["refresh"], true);
    assert_eq!(node(&flow, "identifier")["attributes"]["type"], "hidden");
    assert_eq!(node(&flow, "identifier")["attributes"]["value"], EMAIL);
    assert_eq!(message_ids(&flow), [1_010_003]);
    let body = json!({"method": "password", "identifier": EMAIL, "password": PASSWORD});
    let request = Request::post(path(flow["ui"]["action"].as_str().unwrap()))
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-session-token", token);
    let done = app
        .public
        .send(request.body(Body::from(body.to_string())).unwrap())
        .await
        .expect_status(200)
        .json();
    assert_eq!(done["session"]["id"], first["session"]["id"]);
    assert_ne!(
        done["session"]["authenticated_at"],
        first["session"]["authenticated_at"]
    );
    whoami(&app, token).await.expect_status(401);
    whoami(&app, done["session_token"].as_str().unwrap())
        .await
        .expect_status(200);
    let plain = app
        .public
        .get("/self-service/login/api?refresh=true")
        .await
        .expect_status(200)
        .json();
    assert_eq!(plain["refresh"], false);
}

#[tokio::test]
async fn whoami_knows_each_credential_and_answers_any_method() {
    let app = TestApp::new().await;
    let token = register(&app, EMAIL).await["session_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let refused = app
        .public
        .get("/sessions/whoami")
        .await
        .expect_status(401)
        .json();
    assert_eq!(refused["error"]["id"], "session_inactive");
    assert_eq!(refused["error"]["code"], 401);
    let cookie = format!("ory_kratos_session={token}");
    let bearer = format!("Bearer {token}");
    for (name, value) in [
        ("x-session-token", &token),
        ("cookie", &cookie),
        ("authorization", &bearer),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
            let request = Request::builder()
                .method(method)
                .uri("/sessions/whoami")
                .header(name, value);
            app.public
                .send(request.body(Body::empty()).unwrap())
                .await
                .expect_status(200);
        }
    }
    for bad in [
        "",
        "ory_st_",
        "ory_st_wrong",
        token.strip_suffix(|_: char| true).unwrap(),
        "Bearer",
    ] {
        whoami(&app, bad).await.expect_status(401);
    }
    app.advance(Duration::hours(24)).await;
    whoami(&app, &token).await.expect_status(401);
}

#[tokio::test]
async fn an_api_client_signs_out_and_may_do_so_twice() {
    let app = TestApp::new().await;
    let token = register(&app, EMAIL).await["session_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let out = async |token: &str| {
        let body = json!({"session_token": token});
        app.public
            .send_json(
                axum::http::Method::DELETE,
                "/self-service/logout/api",
                &body,
            )
            .await
    };
    out("ory_st_unknown").await.expect_status(403);
    out("nonsense").await.expect_status(403);
    out(&token).await.expect_status(204);
    whoami(&app, &token).await.expect_status(401);
    out(&token).await.expect_status(204);
}

#[tokio::test]
async fn a_browser_signs_out_by_a_link_that_only_it_can_get() {
    let app = TestApp::new().await;
    app.public
        .get("/self-service/logout/browser")
        .await
        .expect_status(401);
    let mut alice = signed_in(&app, EMAIL).await;
    let mut bob = signed_in(&app, "bob@example.com").await;
    let link = alice
        .get_json("/self-service/logout/browser")
        .await
        .expect_status(200)
        .json();
    let url = link["logout_url"].as_str().unwrap().to_owned();
    assert!(
        link["logout_token"]
            .as_str()
            .unwrap()
            .starts_with("ory_lo_")
    );
    bob.get_json(&url).await.expect_status(403);
    alice
        .get_json("/self-service/logout?token=ory_lo_wrong")
        .await
        .expect_status(403);
    let before = alice.cookie("ory_kratos_session").unwrap().to_owned();
    let done = alice.get(&url).await.expect_status(303);
    assert_eq!(done.header("location"), format!("{ISSUER}/"));
    assert_eq!(
        alice.cookie("ory_kratos_session"),
        None,
        "the cookie is cleared"
    );
    whoami(&app, &before).await.expect_status(401);
    bob.get_json("/sessions/whoami").await.expect_status(200);
    let stranger = app
        .public
        .get("/self-service/logout?return_to=https://evil.test")
        .await
        .expect_status(303);
    assert!(
        stranger
            .header("location")
            .starts_with(&format!("{ISSUER}/error?id="))
    );
}

/// A browser that has registered this address through the JSON API.
async fn signed_in<'a>(app: &'a TestApp, email: &str) -> Browser<'a> {
    let mut browser = Browser::new(&app.public);
    let flow = browser
        .get_json("/self-service/registration/browser")
        .await
        .expect_status(200)
        .json();
    let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": email},
        "csrf_token": csrf_token(&flow)});
    browser
        .post_json(flow["ui"]["action"].as_str().unwrap(), &body)
        .await
        .expect_status(200);
    browser
}

#[tokio::test]
async fn people_see_and_end_their_own_sessions_only() {
    let app = TestApp::new().await;
    let mine = register(&app, EMAIL).await;
    let token = mine["session_token"].as_str().unwrap();
    let bob = register(&app, "bob@example.com").await;
    let mut others = Vec::new();
    for _ in 0..3 {
        others.push(login(&app, EMAIL, PASSWORD).await.json());
    }
    let call = async |method: &str, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-session-token", token);
        app.public.send(request.body(Body::empty()).unwrap()).await
    };
    let listed = call("GET", "/sessions?page_size=2")
        .await
        .expect_status(200);
    assert_eq!(listed.header("x-total-count"), "3");
    assert!(listed.header("link").contains("rel=\"next\""));
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    let id = |session: &Value| session["session"]["id"].as_str().unwrap().to_owned();
    call("DELETE", &format!("/sessions/{}", id(&mine)))
        .await
        .expect_status(400);
    call("DELETE", &format!("/sessions/{}", id(&bob)))
        .await
        .expect_status(404);
    call("DELETE", &format!("/sessions/{}", id(&others[0])))
        .await
        .expect_status(204);
    whoami(&app, others[0]["session_token"].as_str().unwrap())
        .await
        .expect_status(401);
    assert_eq!(
        call("DELETE", "/sessions").await.expect_status(200).json(),
        json!({"count": 2})
    );
    whoami(&app, others[1]["session_token"].as_str().unwrap())
        .await
        .expect_status(401);
    whoami(&app, token).await.expect_status(200);
    whoami(&app, bob["session_token"].as_str().unwrap())
        .await
        .expect_status(200);
}

#[tokio::test]
async fn return_to_leads_to_listed_places_only() {
    let app = TestApp::with(&[(
        "SELFSERVICE_ALLOWED_RETURN_URLS",
        "http://app.test/in,http://127.0.0.1:8080/",
    )])
    .await;
    for good in [
        "http://app.test/in/x?y=1",
        "http://127.0.0.1:8080/private",
        "/account",
    ] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", good)
            .finish();
        let mut browser = Browser::new(&app.public);
        browser
            .get(&format!("/self-service/login/browser?{query}"))
            .await
            .expect_status(303);
        let flow = browser
            .get_json(&format!("/self-service/login/browser?{query}"))
            .await
            .expect_status(200)
            .json();
        assert!(
            flow["return_to"].as_str().unwrap().ends_with(good),
            "{good}"
        );
    }
    for bad in [
        "//evil.test",
        "/\\evil.test",
        "https:evil.test",
        "http://app.test@evil.test/in",
        "http://app.test\t/in",
        "http://app.test/in\n",
        "http://app.test/other",
        "http://app\u{3002}test.evil.test/in",
        "javascript:alert(1)",
    ] {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("return_to", bad)
            .finish();
        let mut browser = Browser::new(&app.public);
        let refused = browser
            .get_json(&format!("/self-service/login/browser?{query}"))
            .await
            .expect_status(400)
            .json();
        assert_eq!(
            refused["error"]["id"], "self_service_flow_return_to_forbidden",
            "{bad:?}"
        );
        let page = browser
            .get(&format!("/login?{query}"))
            .await
            .expect_status(303)
            .header("location")
            .to_owned();
        let page = browser
            .get(&page)
            .await
            .expect_status(303)
            .header("location")
            .to_owned();
        assert!(
            page.starts_with(&format!("{ISSUER}/error?id=")),
            "{bad:?}: {page}"
        );
    }
}

#[tokio::test]
async fn errors_of_browsers_can_be_read() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(&app.public);
    let sent = browser
        .get("/self-service/login/browser?return_to=https://evil.test")
        .await
        .expect_status(303);
    let id = sent
        .header("location")
        .split("id=")
        .nth(1)
        .unwrap()
        .to_owned();
    let error = app
        .public
        .get(&format!("/self-service/errors?id={id}"))
        .await
        .expect_status(200)
        .json();
    assert_eq!(error["id"], id);
    assert_eq!(
        error["error"]["id"],
        "self_service_flow_return_to_forbidden"
    );
    app.public
        .get("/self-service/errors?id=stub:500")
        .await
        .expect_status(200);
    app.public
        .get("/self-service/errors?id=nonsense")
        .await
        .expect_status(404);
    app.advance(Duration::hours(25)).await;
    app.public
        .get(&format!("/self-service/errors?id={id}"))
        .await
        .expect_status(404);
}

#[tokio::test]
async fn schemas_are_public() {
    let app = TestApp::new().await;
    let list = app.public.get("/schemas").await.expect_status(200).json();
    assert_eq!(list[0]["id"], "default");
    let me = register(&app, EMAIL).await;
    let url = me["identity"]["schema_url"].as_str().unwrap().to_owned();
    assert_eq!(
        app.public.get(path(&url)).await.expect_status(200).json(),
        list[0]["schema"]
    );
    app.public.get("/schemas/nonsense").await.expect_status(404);
}

#[tokio::test]
async fn a_second_factor_cannot_be_asked_for_without_a_first() {
    let app = TestApp::new().await;
    let refused = app
        .public
        .get("/self-service/login/api?aal=aal2")
        .await
        .expect_status(401)
        .json();
    assert_eq!(refused["error"]["id"], "session_aal1_required");
}

#[tokio::test]
async fn a_client_cannot_make_a_flow_large() {
    let app = TestApp::new().await;
    for kind in ["registration", "login"] {
        let flow = open_api(&app, kind).await;
        let body = |size: usize| json!({"method": "password", "transient_payload": {"x": "x".repeat(size)}});
        let refused = submit(&app, &flow, body(4096)).await.expect_status(400);
        assert!(refused.json()["ui"].is_null(), "{kind}");
        let again = submit(&app, &flow, body(4000)).await.expect_status(400);
        assert!(again.json()["ui"].is_object(), "{kind}");
    }
    let flow = open_api(&app, "registration").await;
    let mut traits = json!({"email": "x".repeat(100_000)});
    traits["y".repeat(100_000)] = json!(1);
    let body = json!({"method": "password", "password": PASSWORD, "traits": traits});
    let again = submit(&app, &flow, body).await.expect_status(400);
    assert!(again.body.len() < 10_000, "{}", again.body.len());
}

#[tokio::test]
async fn registrations_from_one_address_are_throttled_behind_a_trusted_proxy_too() {
    let app = TestApp::with(&[("SERVE_PUBLIC_TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let attempt = async |client: &str| {
        let flow = open_api(&app, "registration").await;
        let body = json!({"method": "password", "password": PASSWORD, "traits": {"email": EMAIL}});
        let mut request = Request::post(path(flow["ui"]["action"].as_str().unwrap()))
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-for", client)
            .body(Body::from(body.to_string()))
            .unwrap();
        let peer: std::net::SocketAddr = "10.1.2.3:4711".parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        app.public.send(request).await
    };
    let created = attempt("203.0.113.1").await.expect_status(200).json();
    assert_eq!(
        created["session"]["devices"][0]["ip_address"],
        "203.0.113.1"
    );
    for _ in 1..300 {
        let taken = attempt("203.0.113.1").await.expect_status(400).json();
        assert_eq!(message_ids(&taken), [4_000_007]);
    }
    let throttled = attempt("203.0.113.1").await.expect_status(400).json();
    assert_eq!(message_ids(&throttled), [4_000_001]);
    let other = attempt("203.0.113.1, 203.0.113.2").await.expect_status(400);
    assert_eq!(message_ids(&other.json()), [4_000_007]);
}
