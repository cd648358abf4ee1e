//! What the chains need behind them: an nginx that answers everything there is to ask, and our
//! decision endpoint. Both run on the load's core, so that Envoy has its own to itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::Result;
use serde_json::json;

use super::{
    LOAD_CORE,
    config::{self, GATEPOST, ISSUER, NGINX},
};
use crate::{
    http::Request,
    process::Process,
    progress::{self, step},
    setup::debian,
    workspace::Workspace,
};

/// How long each may take to start.
const START: Duration = Duration::from_secs(20);

/// Starts an nginx that is key set, introspection endpoint, session check, `/yes` and upstream.
pub(super) fn nginx(folder: &Path, jwks: &str) -> Result<Process> {
    debian::require(&debian::NGINX)?;
    let folder = folder.join("nginx");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("jwks.json"), jwks)?;
    fs::write(folder.join("nginx.conf"), nginx_conf(&folder))?;
    let mut command = on_load_core("nginx");
    command
        .arg("-p")
        .arg(&folder)
        .arg("-c")
        .arg(folder.join("nginx.conf"));
    let mut process = Process::start("nginx", &mut command, &folder.join("nginx.log"))?;
    process.wait_until(START, || answers(NGINX, "/yes"))?;
    Ok(process)
}

fn nginx_conf(folder: &Path) -> String {
    let folder = folder.display();
    let introspection =
        json!({"active": true, "sub": "alice", "iss": ISSUER, "exp": 4_000_000_000_u32});
    let session = json!({"active": true, "identity": {"id": "alice"}});
    format!(
        "daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{NGINX};
    location /yes {{ return 200; }}
    location = /jwks.json {{ root {folder}; }}
    location = /introspect {{ return 200 '{introspection}'; }}
    location = /session {{ return 200 '{session}'; }}
    location / {{ return 200; }}
  }}
}}
"
    )
}

/// Builds and starts the decision endpoint with the one rule.
pub(super) fn gatepost(workspace: &Workspace, folder: &Path) -> Result<Process> {
    let binary = release(workspace)?;
    let folder = folder.join("gatepost");
    fs::create_dir_all(&folder)?;
    let keys = folder.parent().unwrap_or(&folder).join("nginx/jwks.json");
    let mut config = config::oathkeeper(&format!("file://{}", keys.display()));
    if let Some(fields) = config.as_object_mut() {
        let rules = folder.join("rules.json");
        fs::write(&rules, json!([config::rule()]).to_string())?;
        let repositories = json!({"repositories": [format!("file://{}", rules.display())]});
        fields.insert("access_rules".to_owned(), repositories);
        let serve = json!({"api": {"host": "127.0.0.1", "port": GATEPOST, "gatepost": {"log_decisions": false}}});
        fields.insert("serve".to_owned(), serve);
    }
    // JSON is YAML.
    fs::write(folder.join("oathkeeper.yaml"), config.to_string())?;
    let mut command = on_load_core(binary);
    command.args(["decisions", "serve", "-c"]);
    command.arg(folder.join("oathkeeper.yaml"));
    let mut process = Process::start("gatepost", &mut command, &folder.join("gatepost.log"))?;
    process.wait_until(START, || answers(GATEPOST, "/health/ready"))?;
    Ok(process)
}

fn release(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--release", "--package", "gatepost"]);
    step("building gatepost (release; minutes at first)", || {
        progress::run(&mut cargo)
    })?;
    Ok(workspace.target.join("release/gatepost"))
}

fn on_load_core(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", &LOAD_CORE.to_string()]).arg(program);
    command
}

fn answers(port: u16, path: &str) -> bool {
    Request::get(&format!("http://127.0.0.1:{port}{path}"))
        .send()
        .is_ok_and(|answer| answer.status == 200)
}
