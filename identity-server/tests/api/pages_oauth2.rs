//! OAuth2 through the built-in pages: a person signs in and allows an app, with plain forms.

use gatepost::identity::CredentialKind;
use serde_json::{Value, json};
use time::Duration;

use crate::browser::Browser;
use crate::harness::{Answer, ISSUER, TestApp, form};

const CALLBACK: &str = "https://app.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const SCOPE: &str = "openid profile email ships:read";

/// A server with Alice and a public client.
async fn prepared() -> (TestApp, String) {
    prepared_with(&[]).await
}

async fn prepared_with(variables: &[(&str, &str)]) -> (TestApp, String) {
    let app = TestApp::with(variables).await;
    for name in ["alice", "bob"] {
        let body = json!({"traits": {"email": format!("{name}@example.com"), "name": name},
            "credentials": {"password": {"config": {"password": "correct horse battery"}}}});
        app.admin
            .post_json("/admin/identities", &body)
            .await
            .expect_status(201);
    }
    let client = json!({"client_name": "Harbour <Planner>", "redirect_uris": [CALLBACK], "scope": SCOPE,
        "grant_types": ["authorization_code"], "response_types": ["code"], "token_endpoint_auth_method": "none"});
    let client = app
        .admin
        .post_json("/admin/clients", &client)
        .await
        .expect_status(201)
        .json();
    let id = client["client_id"].as_str().unwrap().to_owned();
    (app, id)
}

fn request(client: &str, more: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([
        ("client_id", client),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
    ]);
    query.extend_pairs([
        ("scope", SCOPE),
        ("state", "state-1234567"),
        ("code_challenge", CHALLENGE),
    ]);
    query
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(more);
    format!("/oauth2/auth?{}", query.finish())
}

async fn sign_in(browser: &mut Browser<'_>, page: &Answer, name: &str) -> Answer {
    let email = format!("{name}@example.com");
    let fields = [
        ("identifier", email.as_str()),
        ("password", "correct horse battery"),
    ];
    let sent = browser
        .fill_in(page, &fields, "Sign in")
        .await
        .expect_status(303);
    follow(browser, sent).await
}

/// Follows redirects until a page, or until they leave for the app.
async fn follow(browser: &mut Browser<'_>, mut answer: Answer) -> Answer {
    while answer.status.is_redirection() && answer.header("location").starts_with(ISSUER) {
        let next = answer.header("location").to_owned();
        answer = browser.get(&next).await;
    }
    answer
}

fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let url = url::Url::parse(answer.header("location")).unwrap();
    assert!(url.as_str().starts_with(CALLBACK), "{url}");
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

async fn redeem(app: &TestApp, client: &str, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", client),
        ("code_verifier", VERIFIER),
    ];
    app.public
        .send(form("/oauth2/token", &fields))
        .await
        .expect_status(200)
        .json()
}

#[tokio::test]
async fn a_person_signs_in_and_allows_an_app() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let page = browser
        .open(&request(&client, &[("login_hint", "alice@example.com")]))
        .await
        .expect_status(200);
    let html = page.text();
    assert!(
        html.contains("to continue to Harbour &#60;Planner&#62;")
            && html.contains("value=\"alice@example.com\"")
    );
    assert!(
        page.header("content-security-policy")
            .contains("form-action 'self' https://app.example;")
    );
    let consent = sign_in(&mut browser, &page, "alice")
        .await
        .expect_status(200);
    let html = consent.text();
    assert!(html.contains("See your e-mail address") && html.contains("<code>ships:read</code>"));
    assert!(
        consent
            .header("content-security-policy")
            .contains("form-action 'self' https://app.example;")
    );
    let done = browser.fill_in(&consent, &[], "Allow").await;
    let done = follow(&mut browser, done).await;
    assert_eq!(parameter(&done, "state").as_deref(), Some("state-1234567"));
    let tokens = redeem(&app, &client, &parameter(&done, "code").unwrap()).await;
    let mut ask = form("/userinfo", &[]);
    *ask.method_mut() = axum::http::Method::GET;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    ask.headers_mut()
        .insert("authorization", bearer.parse().unwrap());
    let info = app.public.send(ask).await.expect_status(200).json();
    assert_eq!(info["email"], "alice@example.com");
    assert_eq!(info["email_verified"], false);
    assert_eq!(info["name"], "alice");
    let mut tx = app.app.storage().read().await.unwrap();
    let alice = tx
        .credential_by_identifier(CredentialKind::Password, "alice@example.com")
        .await
        .unwrap()
        .unwrap()
        .0;
    assert_eq!(info["sub"], alice.id.to_string());
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again_unless_the_app_insists() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/login").await;
    sign_in(&mut browser, &page, "alice").await;
    let page = browser
        .open(&request(&client, &[]))
        .await
        .expect_status(200);
    assert!(
        page.text().contains("Signed in as alice"),
        "straight to consent"
    );
    app.advance(Duration::minutes(10)).await;
    for insisting in [("prompt", "login"), ("max_age", "60")] {
        let page = browser
            .open(&request(&client, &[insisting]))
            .await
            .expect_status(200);
        assert!(
            page.text().contains("Confirm that it is you"),
            "{insisting:?}"
        );
        let consent = {
            let sent = browser
                .fill_in(&page, &[("password", "correct horse battery")], "Sign in")
                .await;
            follow(&mut browser, sent).await
        };
        assert!(
            consent.text().contains("Signed in as alice"),
            "{insisting:?}"
        );
        app.advance(Duration::minutes(10)).await;
    }
}

#[tokio::test]
async fn nobody_is_asked_when_the_app_forbids_it() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let answer = browser.get(&request(&client, &[("prompt", "none")])).await;
    let answer = follow(&mut browser, answer).await;
    assert_eq!(
        parameter(&answer, "error").as_deref(),
        Some("login_required")
    );
}

#[tokio::test]
async fn a_person_denies_and_remembers() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open(&request(&client, &[])).await;
    let consent = sign_in(&mut browser, &page, "alice").await;
    let sent = browser.fill_in(&consent, &[], "Deny").await;
    let denied = follow(&mut browser, sent).await;
    assert_eq!(
        parameter(&denied, "error").as_deref(),
        Some("access_denied")
    );
    let consent = browser
        .open(&request(&client, &[]))
        .await
        .expect_status(200);
    let html = consent.text();
    let field = |name: &str| {
        let input = html
            .split("<input ")
            .find(|input| input.contains(&format!("name=\"{name}\"")))
            .unwrap();
        input
            .split("value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
    };
    let (token, challenge) = (field("csrf_token"), field("consent_challenge"));
    let forged = browser
        .post_form(
            "/consent",
            &[("consent_challenge", &challenge), ("decision", "accept")],
        )
        .await;
    forged.expect_status(403);
    let fields = [
        ("csrf_token", token.as_str()),
        ("consent_challenge", &challenge),
        ("remember", "true"),
        ("decision", "accept"),
    ];
    let sent = browser.post_form("/consent", &fields).await;
    let allowed = follow(&mut browser, sent).await;
    assert!(parameter(&allowed, "code").is_some());
}

#[tokio::test]
async fn somebody_else_cannot_decide() {
    let (app, client) = prepared().await;
    let mut alice = Browser::new(&app.public);
    let page = alice.open(&request(&client, &[])).await;
    let consent = sign_in(&mut alice, &page, "alice").await;
    let html = consent.text();
    let challenge = html
        .split("name=\"consent_challenge\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let mut bob = Browser::new(&app.public);
    let page = bob.open("/login").await;
    sign_in(&mut bob, &page, "bob").await;
    bob.get(&format!("/consent?consent_challenge={challenge}"))
        .await
        .expect_status(403);
    Browser::new(&app.public)
        .get(&format!("/consent?consent_challenge={challenge}"))
        .await
        .expect_status(403);
    app.public
        .get("/consent?consent_challenge=unknown")
        .await
        .expect_status(404);
    let mut stranger = Browser::new(&app.public);
    let lost = stranger.open("/login?login_challenge=unknown").await;
    assert!(lost.text().contains("start again at the app"));
}

#[tokio::test]
async fn who_signs_in_too_late_for_the_app_is_signed_in_all_the_same() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open(&request(&client, &[])).await;
    app.advance(Duration::minutes(40)).await;
    let error = sign_in(&mut browser, &page, "alice").await;
    assert!(
        error.text().contains("start again at the app"),
        "{}",
        error.text()
    );
    browser
        .get_json("/sessions/whoami")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn every_place_that_a_form_may_lead_to_is_in_the_policy() {
    let (app, client) = prepared_with(&[
        (
            "SELFSERVICE_DEFAULT_BROWSER_RETURN_URL",
            "https://home.example/start",
        ),
        ("URLS_CONSENT", "https://consent.example/ask"),
        ("URLS_ERROR", "https://error.example/oops"),
    ])
    .await;
    let mut browser = Browser::new(&app.public);
    for url in [request(&client, &[]), "/login".to_owned()] {
        let page = browser.open(&url).await.expect_status(200);
        let policy = page.header("content-security-policy");
        for origin in ["home", "consent", "error"] {
            assert!(
                policy.contains(&format!(" https://{origin}.example")),
                "{policy}"
            );
        }
    }
    let (app, client) = prepared_with(&[("URLS_ERROR", "https://error.example/oops")]).await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open(&request(&client, &[])).await;
    let consent = sign_in(&mut browser, &page, "alice").await;
    let policy = consent.expect_status(200);
    let policy = policy.header("content-security-policy");
    assert!(
        policy.contains(" https://error.example") && policy.contains(" https://app.example"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_form_left_in_another_tab_still_answers_the_app() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    // Nobody was signed in when the form was opened; somebody was, but the app insisted.
    for more in [&[][..], &[("prompt", "login")][..]] {
        app.advance(Duration::minutes(1)).await;
        let left = browser.open(&request(&client, more)).await;
        let left = left.expect_status(200);
        let beside = browser.open("/login?refresh=true").await;
        let account = sign_in(&mut browser, &beside, "alice").await;
        assert!(account.expect_status(200).text().contains("alice"));
        let asked = sign_in(&mut browser, &left, "alice").await;
        let asked = asked.expect_status(200).text();
        assert!(
            asked.contains("Harbour") && asked.contains("Allow"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn a_form_of_a_stranger_follows_no_challenge() {
    let (app, client) = prepared().await;
    let mut browser = Browser::new(&app.public);
    let left = browser.open(&request(&client, &[])).await;
    let mut stranger = Browser::new(&app.public);
    let own = stranger.open("/login").await;
    sign_in(&mut stranger, &own, "bob").await;
    let text = left.text();
    let action = text.split("action=\"").nth(1).unwrap();
    let action = action.split('"').next().unwrap().replace("&#38;", "&");
    let sent = stranger.post_form(&action, &[("method", "password")]).await;
    let location = sent.expect_status(303).header("location").to_owned();
    assert!(location.contains("/error?id="), "{location}");
}
