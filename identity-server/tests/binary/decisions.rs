//! `gatepost decisions serve`.

use std::{fs, process::Stdio, time::Duration};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::server::{complaint, gatepost};

const CONFIG: &str = "
access_rules: {repositories: [file://rules.yaml]}
authenticators: {anonymous: {enabled: true}}
authorizers: {allow: {enabled: true}}
mutators: {header: {enabled: true, config: {headers: {X-User: '{{ print .Subject }}'}}}}
serve: {api: {gatepost: {log_decisions: true}}}
";

const RULES: &str = "
- id: all
  match: {url: 'http://app.test/<.*>', methods: [GET]}
  authenticators: [{handler: anonymous}]
  authorizer: {handler: allow}
  mutators: [{handler: header}]
";

#[tokio::test]
async fn it_decides_logs_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("oathkeeper.yaml"), CONFIG).unwrap();
    fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let mut command = gatepost(
        folder.path(),
        &["decisions", "serve", "-c", "oathkeeper.yaml"],
    );
    command.env("SERVE_API_PORT", "0");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = async {
        loop {
            let line = log
                .next_line()
                .await
                .unwrap()
                .expect("it says that it is ready");
            if let Some((_, address)) = line.split_once("address=") {
                return address.split(' ').next().unwrap().to_owned();
            }
        }
    };
    let address = tokio::time::timeout(Duration::from_secs(60), ready)
        .await
        .unwrap();
    let answer = reqwest::Client::new()
        .get(format!("http://{address}/decisions/path"))
        .header("host", "app.test")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-user"], "anonymous");
    let id = child.id().unwrap().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .unwrap();
    let mut lines = String::new();
    let mut output = child.stdout.take().unwrap();
    output.read_to_string(&mut lines).await.unwrap();
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await;
    assert_eq!(status.unwrap().unwrap().code(), Some(0));
    assert!(lines.contains(r#""rule":"all""#), "{lines}");
}

#[test]
fn what_keeps_it_from_starting_is_told_by_file_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let serve = ["decisions", "serve", "-c", "oathkeeper.yaml"];
    assert!(complaint(folder.path(), &serve, &[]).contains("oathkeeper.yaml"));
    fs::write(folder.path().join("oathkeeper.yaml"), CONFIG).unwrap();
    assert!(complaint(folder.path(), &serve, &[]).contains("rules.yaml"));
    fs::write(folder.path().join("rules.yaml"), RULES).unwrap();
    let port = [("SERVE_API_PORT", "none")];
    assert!(complaint(folder.path(), &serve, &port).contains("SERVE_API_PORT"));
    let tls = CONFIG.replace("api: {", "api: {tls: {key: {path: k}}, ");
    fs::write(folder.path().join("oathkeeper.yaml"), tls).unwrap();
    assert!(complaint(folder.path(), &serve, &[]).contains("serve.api.tls"));
}
