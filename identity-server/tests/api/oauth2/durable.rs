//! Over a database file, with several threads and connections: races, restarts, sudden ends.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use gatepost::config::{Mode, Settings, Written};
use gatepost::storage::Storage;
use gatepost::storage::sqlite::{Missing, SqliteStorage};
use serde_json::json;

use super::support::{TestClient, client, is_active};
use crate::harness::TestApp;

const CONFIG: &str = "
secrets: { system: [test-0123456789-abcdefghijklmnop] }
keys: { algorithm: ES256 }
";

async fn server(file: &Path, seed: u64) -> TestApp {
    let written = Written::read(CONFIG, "test", |_| None).unwrap();
    let settings = Settings::resolve(written, Mode::Dev, "test").unwrap();
    let storage = SqliteStorage::open(file, Missing::Create).await.unwrap();
    storage.migrate().await.unwrap();
    TestApp::seeded(settings, Arc::new(storage), seed).await
}

/// Runs `count` requests in tasks of their own.
async fn in_parallel(
    app: &Arc<TestApp>,
    client: &Arc<TestClient>,
    count: usize,
    fields: &[(&'static str, &str)],
) -> Vec<(u16, serde_json::Value)> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (app, client) = (Arc::clone(app), Arc::clone(client));
        let fields: Vec<(&str, String)> = fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        tasks.spawn(async move {
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let answer = client.token(&app, &fields).await;
            (answer.status.as_u16(), answer.json())
        });
    }
    tasks.join_all().await
}

/// T32, with real threads: 50 parallel refreshes, one family, one successor; and it survives a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_refreshes_have_one_successor_that_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepost.sqlite");
    let app = Arc::new(server(&file, 1).await);
    let client = Arc::new(client(&app, json!({})).await);
    let first = client.tokens(&app).await;
    let token = first["refresh_token"].as_str().unwrap();
    let answers = in_parallel(
        &app,
        &client,
        50,
        &[("grant_type", "refresh_token"), ("refresh_token", token)],
    )
    .await;
    let mut successors = BTreeSet::new();
    for (status, body) in answers {
        assert_eq!(status, 200, "{body}");
        successors.insert(body["refresh_token"].as_str().unwrap().to_owned());
    }
    assert_eq!(successors.len(), 1);
    // The process ends without saying goodbye: nothing is closed, and the file is opened anew beside it.
    let restarted = server(&file, 2).await;
    let successor = successors.first().unwrap();
    assert!(is_active(&restarted, successor).await);
    client
        .refresh(&restarted, successor)
        .await
        .expect_status(200);
    let again = client.refresh(&restarted, token).await.expect_status(400);
    assert_eq!(again.json()["error"], "invalid_grant");
    assert!(!is_active(&restarted, successor).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_redemptions_give_tokens_at_most_once_and_then_none() {
    let folder = tempfile::tempdir().unwrap();
    let app = Arc::new(server(&folder.path().join("gatepost.sqlite"), 1).await);
    let client = Arc::new(client(&app, json!({})).await);
    let code = client.code(&app, &[]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", super::support::CALLBACK),
        ("code_verifier", super::support::VERIFIER),
    ];
    let answers = in_parallel(&app, &client, 20, &fields).await;
    let good: Vec<_> = answers
        .iter()
        .filter(|(status, _)| *status == 200)
        .collect();
    assert_eq!(good.len(), 1);
    assert!(
        answers
            .iter()
            .all(|(status, body)| *status == 200 || body["error"] == "invalid_grant")
    );
    // The others were second attempts, so what the first one got is gone.
    assert!(!is_active(&app, good[0].1["access_token"].as_str().unwrap()).await);
}

/// Everything that was answered is in the file before the answer leaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_is_there_after_a_sudden_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gatepost.sqlite");
    let app = Arc::new(server(&file, 1).await);
    let client = Arc::new(client(&app, json!({})).await);
    let tokens = client.tokens(&app).await;
    let own = in_parallel(&app, &client, 20, &[("grant_type", "client_credentials")]).await;
    // A copy of the files at this moment is what a killed process leaves behind.
    let copy = folder.path().join("copy.sqlite");
    for suffix in ["", "-wal"] {
        let (from, to) = (
            format!("{}{suffix}", file.display()),
            format!("{}{suffix}", copy.display()),
        );
        if Path::new(&from).exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
    let restarted = server(&copy, 2).await;
    for (status, body) in own {
        assert_eq!(status, 200);
        assert!(is_active(&restarted, body["access_token"].as_str().unwrap()).await);
    }
    assert!(is_active(&restarted, tokens["access_token"].as_str().unwrap()).await);
    client
        .refresh(&restarted, tokens["refresh_token"].as_str().unwrap())
        .await
        .expect_status(200);
}
