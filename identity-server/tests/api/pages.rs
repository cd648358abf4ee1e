//! The built-in pages, used as a person without JavaScript does.

use axum::body::Body;
use axum::http::Request;
use time::Duration;

use crate::browser::Browser;
use crate::harness::{ISSUER, TestApp};

const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "correct horse battery";

async fn sign_up<'a>(app: &'a TestApp, email: &str) -> Browser<'a> {
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/registration").await.expect_status(200);
    let fields = [
        ("traits.email", email),
        ("traits.name", "Alice <i>Liddell</i>"),
        ("password", PASSWORD),
    ];
    let done = browser
        .fill_in(&page, &fields, "Create account")
        .await
        .expect_status(303);
    assert_eq!(done.header("location"), format!("{ISSUER}/account"));
    browser
}

#[tokio::test]
async fn a_person_signs_up_looks_at_their_account_and_signs_out() {
    let app = TestApp::new().await;
    let mut browser = sign_up(&app, EMAIL).await;
    let account = browser.open("/").await.expect_status(200);
    let html = account.text();
    assert!(
        html.contains("Alice &#60;i&#62;Liddell&#60;/i&#62;"),
        "escaped"
    );
    assert!(html.contains(EMAIL) && html.contains("this browser"));
    let link = html
        .split("href=\"")
        .find(|part| part.contains("/self-service/logout?"))
        .unwrap();
    let link = link.split('"').next().unwrap().replace("&#38;", "&");
    let out = browser.open(&link).await.expect_status(200);
    assert!(out.text().contains("<h1>Sign in</h1>"));
    assert!(
        browser
            .open("/account")
            .await
            .text()
            .contains("<h1>Sign in</h1>")
    );
}

#[tokio::test]
async fn a_proxy_sends_somebody_to_sign_in_and_they_come_back() {
    let app = TestApp::with(&[("SELFSERVICE_ALLOWED_RETURN_URLS", "http://127.0.0.1:8080/")]).await;
    sign_up(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let page = browser
        .open("/login?return_to=http%3A%2F%2F127.0.0.1%3A8080%2Fprivate%3Fx%3D1")
        .await
        .expect_status(200);
    let policy = page.header("content-security-policy").to_owned();
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:*;"),
        "{policy}"
    );
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    let done = browser
        .fill_in(&page, &fields, "Sign in")
        .await
        .expect_status(303);
    assert_eq!(done.header("location"), "http://127.0.0.1:8080/private?x=1");
    let again = browser
        .get("/login?return_to=http%3A%2F%2F127.0.0.1%3A8080%2Fprivate")
        .await
        .expect_status(303);
    let again = browser
        .get(again.header("location"))
        .await
        .expect_status(303);
    assert_eq!(
        again.header("location"),
        "http://127.0.0.1:8080/private",
        "who is signed in is sent on at once"
    );
}

#[tokio::test]
async fn mistakes_are_shown_beside_the_fields_and_nothing_is_lost() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/registration").await;
    let fields = [
        ("traits.email", "nonsense\"><script>"),
        ("traits.name", "Alice"),
        ("password", "short"),
    ];
    let sent = browser
        .fill_in(&page, &fields, "Create account")
        .await
        .expect_status(303);
    let page = browser
        .open(sent.header("location"))
        .await
        .expect_status(200);
    let html = page.text();
    assert!(html.contains("aria-invalid=\"true\"") && html.contains("complete e-mail address"));
    assert!(html.contains("id=\"password-note\"") && html.contains("at least 8 characters"));
    assert!(
        html.contains("value=\"Alice\"") && html.contains("nonsense&#34;&#62;&#60;script&#62;")
    );
    assert!(!html.contains("<script") && !html.contains("value=\"short\""));
    let fields = [("traits.email", EMAIL), ("password", PASSWORD)];
    browser
        .fill_in(&page, &fields, "Create account")
        .await
        .expect_status(303);
}

#[tokio::test]
async fn a_wrong_password_is_answered_on_the_page() {
    let app = TestApp::new().await;
    sign_up(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/login").await;
    let fields = [("identifier", EMAIL), ("password", "wrong horse")];
    let sent = browser
        .fill_in(&page, &fields, "Sign in")
        .await
        .expect_status(303);
    let page = browser
        .open(sent.header("location"))
        .await
        .expect_status(200);
    assert!(
        page.text().contains("role=\"alert\"")
            && page.text().contains(&format!("value=\"{EMAIL}\""))
    );
    browser
        .fill_in(&page, &[("password", PASSWORD)], "Sign in")
        .await
        .expect_status(303);
    assert!(
        browser
            .open("/account")
            .await
            .text()
            .contains("Your account")
    );
}

#[tokio::test]
async fn a_form_left_open_too_long_is_replaced() {
    let app = TestApp::new().await;
    sign_up(&app, EMAIL).await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/login").await;
    app.advance(Duration::minutes(61)).await;
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    let sent = browser
        .fill_in(&page, &fields, "Sign in")
        .await
        .expect_status(303);
    let page = browser
        .open(sent.header("location"))
        .await
        .expect_status(200);
    assert!(page.text().contains("open for too long"));
    browser
        .fill_in(&page, &fields, "Sign in")
        .await
        .expect_status(303);
}

#[tokio::test]
async fn a_form_from_another_browser_leads_to_the_error_page() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(&app.public);
    let page = browser.open("/login").await;
    browser.forget_cookie("csrf_token_");
    let sent = browser
        .fill_in(
            &page,
            &[("identifier", EMAIL), ("password", "x")],
            "Sign in",
        )
        .await
        .expect_status(303);
    let error = browser
        .open(sent.header("location"))
        .await
        .expect_status(200);
    assert!(error.text().contains("security_csrf_violation") && error.text().contains("reload"));
}

#[tokio::test]
async fn a_person_ends_their_other_sessions() {
    let app = TestApp::new().await;
    let mut phone = sign_up(&app, EMAIL).await;
    let mut desktop = Browser::new(&app.public);
    let page = desktop.open("/login").await;
    desktop
        .fill_in(
            &page,
            &[("identifier", EMAIL), ("password", PASSWORD)],
            "Sign in",
        )
        .await
        .expect_status(303);
    let account = desktop.open("/account").await;
    desktop
        .fill_in(&account, &[], "Sign out everywhere else")
        .await
        .expect_status(303);
    phone.get_json("/sessions/whoami").await.expect_status(401);
    desktop
        .get_json("/sessions/whoami")
        .await
        .expect_status(200);
    let forged = desktop
        .post_form("/account/sessions", &[("end", "others")])
        .await
        .expect_status(403);
    assert!(forged.text().contains("security_csrf_violation"));
}

#[tokio::test]
async fn every_page_forbids_scripts_and_frames() {
    let app = TestApp::new().await;
    let mut browser = Browser::new(&app.public);
    for url in [
        "/login",
        "/registration",
        "/error",
        "/error?error=access_denied&error_description=%3Cscript%3E",
        "/consent",
    ] {
        let page = browser.open(url).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{url}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{url}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(page.header("cache-control").contains("no-store"), "{url}");
        let html = page.text();
        assert!(
            !html.contains("<script") && !html.contains("style=\"") && !html.contains("onclick"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn the_stylesheet_is_kept_by_browsers_until_it_changes() {
    let app = TestApp::new().await;
    let html = Browser::new(&app.public).open("/login").await.text();
    let url = html
        .split("href=\"")
        .find(|part| part.starts_with("/assets/"))
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert!(url.contains("?v="));
    let css = app.public.get(&url).await.expect_status(200);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert!(css.header("cache-control").contains("immutable"));
    let request = Request::get(&url)
        .header("if-none-match", css.header("etag"))
        .body(Body::empty())
        .unwrap();
    app.public.send(request).await.expect_status(304);
}
