//! The playground in a browser: as a file, and as the admin listener serves it.

use std::path::Path;
use std::process::Command;

use xtask::{build, setup::browser, workspace::Workspace};

use crate::server::Server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_playground_works_as_a_file_and_on_the_admin_listener() {
    let workspace = Workspace::locate().unwrap();
    let page = build::playground::page(&workspace).unwrap();
    let browser = browser::playwright(&workspace).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let variables = [("PLAYGROUND_PAGE", page.to_str().unwrap())];
    let server = Server::start(folder.path(), &variables).await;

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/playground/tests/page.mjs");
    let output = Command::new("node")
        .arg(script)
        .arg(browser)
        .arg(std::env::var_os("PLAYGROUND_PICTURES").unwrap_or_default())
        .arg(format!("file://{}", page.display()))
        .arg(format!("{}/playground", server.admin))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_file_the_playground_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]).await;
    let answer = reqwest::get(format!("{}/playground", server.admin))
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("cargo xtask build"));
}
