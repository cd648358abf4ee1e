//! Starts the binary in a folder of its own and stops it again.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr};

/// The binary with nothing inherited from whoever runs the tests, in `folder`.
pub fn gatepost(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// Runs it to its end.
pub fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    gatepost(folder, arguments)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// Runs it to its end, which must be a failure; answers what it said.
#[track_caller]
pub fn complaint(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(folder, arguments, variables);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// `gatepost serve --dev` on ports of the system's choosing. Killed when dropped.
pub struct Server {
    child: Child,
    stderr: ChildStderr,
    pub public: String,
    pub admin: String,
}

impl Server {
    pub async fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let mut command = gatepost(folder, &["serve", "--dev"]);
        command
            .env("SERVE_PUBLIC_PORT", "0")
            .env("SERVE_ADMIN_PORT", "0")
            .env("KEYS_ALGORITHM", "ES256");
        command
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = child.stderr.take().unwrap();
        let (mut public, mut admin) = (None, None);
        let banner = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                let mut words = line.split_whitespace();
                match words.next() {
                    Some("public") => public = words.next().map(str::to_owned),
                    Some("admin") => admin = words.next().map(str::to_owned),
                    Some("Stop:") => return,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), banner)
            .await
            .expect("it says that it is ready");
        let (public, admin) = (
            public.expect("a public address"),
            admin.expect("an admin address"),
        );
        Self {
            child,
            stderr,
            public,
            admin,
        }
    }

    /// `kill -9`.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; answers the exit status and the log.
    pub async fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().unwrap().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        let mut log = String::new();
        let ended = async {
            self.stderr.read_to_string(&mut log).await.unwrap();
            self.child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(Duration::from_secs(20), ended)
            .await
            .expect("it ends soon");
        (status.code(), log)
    }
}
