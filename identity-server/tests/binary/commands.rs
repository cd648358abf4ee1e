//! The commands that talk to a server, against one.

use std::path::Path;
use std::process::Stdio;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::durability::{Addresses, PAGES, decide, location, parameter};
use crate::server::{Server, gatepost, run};

/// A command's JSON.
fn answer(folder: &Path, server: &Server, arguments: &[&str]) -> Value {
    let variables = [
        ("GATEPOST_PUBLIC_URL", server.public.as_str()),
        ("GATEPOST_ADMIN_URL", server.admin.as_str()),
    ];
    let output = run(
        folder,
        &[arguments, &["--format", "json"]].concat(),
        &variables,
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_made_gets_a_token_and_the_token_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let create = [
        "create",
        "client",
        "--grant-type",
        "client_credentials",
        "--scope",
        "read write",
    ];
    let client = answer(folder.path(), &server, &create);
    let (id, secret) = (
        client["client_id"].as_str().unwrap(),
        client["client_secret"].as_str().unwrap(),
    );
    let perform = [
        "perform",
        "client-credentials",
        "--client-id",
        id,
        "--client-secret",
        secret,
        "--scope",
        "read",
    ];
    let token = answer(folder.path(), &server, &perform);
    let token = token["access_token"].as_str().unwrap();
    let known = answer(folder.path(), &server, &["introspect", "token", token]);
    assert_eq!(
        (&known["active"], &known["client_id"], &known["scope"]),
        (&json!(true), &json!(id), &json!("read"))
    );
    let lacking = answer(
        folder.path(),
        &server,
        &["introspect", "token", token, "--scope", "write"],
    );
    assert_eq!(lacking["active"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authorization_code_command_waits_for_the_browser_and_prints_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &PAGES).await;
    let create = [
        "create",
        "client",
        "--scope",
        "openid offline",
        "--grant-type",
        "authorization_code,refresh_token",
        "--redirect-uri",
        "http://127.0.0.1/callback",
    ];
    let client = answer(folder.path(), &server, &create);
    let mut command = gatepost(
        folder.path(),
        &[
            "perform",
            "authorization-code",
            "--port",
            "0",
            "--format",
            "json",
        ],
    );
    command
        .args([
            "--client-id",
            client["client_id"].as_str().unwrap(),
            "--scope",
            "openid offline",
        ])
        .args(["--endpoint", &server.public])
        .env(
            "GATEPOST_CLIENT_SECRET",
            client["client_secret"].as_str().unwrap(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut waiting = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let address = loop {
        let line = said.next_line().await.unwrap().expect("an address to open");
        if line.trim().starts_with("http://") {
            break line.trim().to_owned();
        }
    };

    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .cookie_store(true)
        .build()
        .unwrap();
    let addresses = Addresses {
        public: server.public.clone(),
        admin: server.admin.clone(),
    };
    let to_login = location(http.get(address).send().await).unwrap();
    let challenge = parameter(&to_login, "login_challenge");
    let next = decide(
        &http,
        &addresses,
        "login",
        &challenge,
        &json!({"subject": "alice"}),
    )
    .await
    .unwrap();
    let to_consent = location(http.get(next).send().await).unwrap();
    let challenge = parameter(&to_consent, "consent_challenge");
    let granted = json!({"grant_scope": ["openid", "offline"]});
    let next = decide(&http, &addresses, "consent", &challenge, &granted)
        .await
        .unwrap();
    let back = location(http.get(next).send().await).unwrap();
    assert!(
        http.get(back)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains("Done")
    );

    let output = waiting.wait_with_output().await.unwrap();
    assert!(output.status.success());
    let tokens: Value = serde_json::from_slice(&output.stdout).unwrap();
    for kind in ["access_token", "refresh_token", "id_token"] {
        assert!(tokens[kind].is_string(), "{kind}");
    }
}
