//! `/admin/oauth2/auth/sessions/*`

use gatepost::id::ClientId;
use serde_json::{Value, json};
use time::Duration;

use super::support::{Browser, TestClient, client, is_active, login_path, query};
use crate::harness::TestApp;

const CONSENTS: &str = "/admin/oauth2/auth/sessions/consent";
const LOGINS: &str = "/admin/oauth2/auth/sessions/login";

async fn remembered(app: &TestApp, client: &TestClient, subject: &str) -> Value {
    let consent = json!({"remember": true, "context": {"n": 1}});
    let login = json!({"subject": subject, "remember": true});
    let answer = Browser::default()
        .sign_in_as(app, &client.request(&[]), login, consent)
        .await;
    let code = query(answer.header("location"), "code").unwrap();
    client.redeem(app, &code).await.expect_status(200).json()
}

async fn listed(app: &TestApp, subject: &str) -> Vec<Value> {
    let answer = app
        .admin
        .get(&format!("{CONSENTS}?subject={subject}"))
        .await
        .expect_status(200);
    answer.json().as_array().unwrap().clone()
}

#[tokio::test]
async fn consents_are_listed() {
    let app = TestApp::new().await;
    let client = client(&app, json!({"client_name": "The App"})).await;
    assert_eq!(listed(&app, "alice").await, [] as [Value; 0]);
    app.admin.get(CONSENTS).await.expect_status(400);
    remembered(&app, &client, "alice").await;
    let all = listed(&app, "alice").await;
    assert_eq!(all.len(), 1);
    let entry = &all[0];
    assert_eq!(entry["grant_scope"], json!(["openid", "offline", "read"]));
    assert_eq!(
        (&entry["remember"], &entry["remember_for"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(
        (&entry["context"], &entry["handled_at"]),
        (&json!({"n": 1}), &json!("2026-11-22T12:00:00Z"))
    );
    assert_eq!(entry["session"]["access_token"], json!({"tier": "gold"}));
    assert_eq!(entry["consent_request"]["client"]["client_name"], "The App");
    assert_eq!(entry["consent_request"]["challenge"], "");
    let sid = entry["consent_request"]["login_session_id"]
        .as_str()
        .unwrap();
    let of_session = app
        .admin
        .get(&format!("{CONSENTS}?subject=alice&login_session_id={sid}"))
        .await
        .json();
    assert_eq!(of_session.as_array().unwrap().len(), 1);
    let of_other = app
        .admin
        .get(&format!("{CONSENTS}?subject=alice&login_session_id=x"))
        .await
        .json();
    assert_eq!(of_other, json!([]));
}

#[tokio::test]
async fn revoking_a_consent_ends_its_tokens_and_its_memory() {
    for by in ["consent_request_id", "client", "all"] {
        let app = TestApp::new().await;
        let (one, two) = (client(&app, json!({})).await, client(&app, json!({})).await);
        let (mine, other) = (
            remembered(&app, &one, "alice").await,
            remembered(&app, &two, "alice").await,
        );
        let bobs = remembered(&app, &one, "bob").await;
        let id = listed(&app, "alice")
            .await
            .iter()
            .find(|entry| entry["consent_request"]["client"]["client_id"] == one.id.as_str())
            .unwrap()["consent_request_id"]
            .as_str()
            .unwrap()
            .to_owned();
        let path = match by {
            "consent_request_id" => format!("{CONSENTS}?consent_request_id={id}"),
            "client" => format!("{CONSENTS}?subject=alice&client={}", one.id),
            _ => format!("{CONSENTS}?subject=alice&all=true"),
        };
        app.admin.delete(&path).await.expect_status(204);
        for token in ["access_token", "refresh_token"] {
            assert!(
                !is_active(&app, mine[token].as_str().unwrap()).await,
                "{by}"
            );
            assert_eq!(
                is_active(&app, other[token].as_str().unwrap()).await,
                by != "all"
            );
            assert!(is_active(&app, bobs[token].as_str().unwrap()).await);
        }
        one.refresh(&app, mine["refresh_token"].as_str().unwrap())
            .await
            .expect_status(400);
        // The question is asked again.
        let mut browser = Browser::default();
        let started = browser.start(&app, &one.request(&[])).await;
        let asked = browser
            .log_in(&app, &started, json!({"subject": "alice"}))
            .await;
        let challenge = query(asked.header("location"), "consent_challenge").unwrap();
        let shown = app
            .admin
            .get(&super::support::consent_path("", &challenge))
            .await
            .json();
        assert_eq!(shown["skip"], false);
    }
}

#[tokio::test]
async fn a_consent_whose_tokens_were_revoked_is_still_remembered_and_can_be_forgotten() {
    let app = TestApp::new().await;
    let client = client(&app, json!({})).await;
    let tokens = remembered(&app, &client, "alice").await;
    client
        .post(
            &app,
            "/oauth2/revoke",
            &[("token", tokens["refresh_token"].as_str().unwrap())],
        )
        .await
        .expect_status(200);
    assert_eq!(listed(&app, "alice").await.len(), 1);
    app.admin
        .delete(&format!("{CONSENTS}?subject=alice&all=true"))
        .await
        .expect_status(204);
    assert_eq!(listed(&app, "alice").await.len(), 0);
}

#[tokio::test]
async fn exactly_one_way_to_name_them() {
    let app = TestApp::new().await;
    for query in [
        "",
        "?subject=a",
        "?subject=a&client=b&all=true",
        "?consent_request_id=a&subject=b",
        "?all=true",
        "?subject=a&all=yes",
    ] {
        app.admin
            .delete(&format!("{CONSENTS}{query}"))
            .await
            .expect_status(400);
    }
    for query in ["", "?sid=a&subject=b"] {
        app.admin
            .delete(&format!("{LOGINS}{query}"))
            .await
            .expect_status(400);
    }
}

#[tokio::test]
async fn a_browser_forgets_a_sign_in() {
    let variables = [
        ("URLS_LOGIN", "https://pages.example/login"),
        ("URLS_CONSENT", "https://pages.example/consent"),
    ];
    for by_sid in [true, false] {
        let app = TestApp::with(&variables).await;
        let client = client(&app, json!({})).await;
        let mut browser = Browser::default();
        let login = json!({"subject": "alice", "remember": true});
        browser
            .sign_in_as(&app, &client.request(&[]), login, json!({}))
            .await;
        let shown = async |browser: &mut Browser| {
            let started = browser.start(&app, &client.request(&[])).await;
            let challenge = query(started.header("location"), "login_challenge").unwrap();
            app.admin.get(&login_path("", &challenge)).await.json()
        };
        let before = shown(&mut browser).await;
        assert_eq!(before["skip"], true);
        let sid = before["session_id"].as_str().unwrap();
        let path = if by_sid {
            format!("{LOGINS}?sid={sid}")
        } else {
            format!("{LOGINS}?subject=alice")
        };
        app.admin.delete(&path).await.expect_status(204);
        assert_eq!(shown(&mut browser).await["skip"], false);
    }
}

/// However many other grants are newer.
#[tokio::test]
async fn the_grants_to_one_client_end_whatever_else_was_granted_since() {
    let app = TestApp::new().await;
    let (one, two) = (client(&app, json!({})).await, client(&app, json!({})).await);
    let mine = remembered(&app, &one, "alice").await;
    let mut tx = app.app.storage().begin().await.unwrap();
    let first = tx.grants_of("alice", None).await.unwrap().remove(0);
    for number in 0..501 {
        let mut newer = first.clone();
        newer.id = format!("newer-{number}");
        newer.client_id = ClientId::new(two.id.as_str());
        newer.created_at += Duration::seconds(1);
        tx.insert_grant(&newer).await.unwrap();
    }
    tx.commit().await.unwrap();
    app.admin
        .delete(&format!("{CONSENTS}?subject=alice&client={}", one.id))
        .await
        .expect_status(204);
    for token in ["access_token", "refresh_token"] {
        assert!(!is_active(&app, mine[token].as_str().unwrap()).await);
    }
    let mut tx = app.app.storage().read().await.unwrap();
    let ended = tx.grant(&first.id).await.unwrap().unwrap();
    assert!(ended.revoked_at.is_some() && !ended.remember);
    let kept = tx.grant("newer-0").await.unwrap().unwrap();
    assert!(kept.revoked_at.is_none() && kept.remember);
}
