//! The binary at work.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, run};

async fn kids(server: &Server) -> Vec<String> {
    let set: Value = reqwest::get(format!("{}/.well-known/jwks.json", server.public))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    set["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn development_needs_nothing_and_keeps_its_files_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let first = kids(&server).await;
    for file in ["gatepost.sqlite", "gatepost-dev-secrets.json"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let (status, log) = server.stop().await;
    assert_eq!(status, Some(0), "{log}");
    let again = Server::start(folder.path(), &[]).await;
    assert_eq!(kids(&again).await, first, "the keys outlive the process");
}

#[tokio::test]
async fn a_rotation_beside_the_running_server_shows_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let rotated = run(
        folder.path(),
        &[
            "keys",
            "rotate",
            "--dev",
            "--set",
            "access-token",
            "--format",
            "json",
        ],
        &[],
    );
    assert!(
        rotated.status.success(),
        "{}",
        String::from_utf8_lossy(&rotated.stderr)
    );
    let rows: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(rows[0]["phase"], "published");
    let kid = rows[0]["kid"].as_str().unwrap().to_owned();
    for _ in 0..200 {
        if kids(&server).await.contains(&kid) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the new key was never published");
}

#[tokio::test]
async fn no_log_line_repeats_what_a_client_sent() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(
            folder.path(),
            &[("LOG_LEVEL", "trace"), ("LOG_FORMAT", format)],
        )
        .await;
        let client = reqwest::Client::new();
        let request = client
            .post(format!("{}/nothing?code=hidden-query", server.public))
            .header("cookie", "session=hidden-cookie")
            .bearer_auth("hidden-token")
            .body("password=hidden-body");
        assert_eq!(request.send().await.unwrap().status(), 404);
        let (_, log) = server.stop().await;
        assert!(log.contains("/nothing") && log.contains("404"), "{log}");
        assert!(!log.contains("hidden"), "{log}");
        assert!(!log.contains('\u{1b}'), "no colours in a file: {log}");
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_stops() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let address = server.public.strip_prefix("http://").unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.write_all(b"POST /health/alive HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 4\r\n\r\nab").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let answer = tokio::task::spawn_blocking(move || {
        stream.write_all(b"cd").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 405"));
    assert_eq!(stopping.await.unwrap().0, Some(0));
}
