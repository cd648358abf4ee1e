//! The schemas of Kubernetes' resources, of Istio's and of Envoy Gateway's, from npm packages that are made of
//! what these projects publish. Only tests use them.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use super::debian;
use crate::{progress, workspace::Workspace};

/// The releases that the resources in this repository are checked against: Kubernetes itself, the Gateway API,
/// Istio 1.29 and Envoy Gateway.
const PACKAGES: &str = r#"{
  "private": true,
  "dependencies": {
    "@kubernetes-models/envoy-gateway": "2.0.0",
    "@kubernetes-models/gateway-api": "2.0.0",
    "@kubernetes-models/istio": "3.0.1",
    "kubernetes-models": "5.1.0"
  }
}
"#;

/// The folder with the packages' `node_modules`, installed first where they are missing.
///
/// # Errors
/// If Node.js, npm or the packages cannot be had.
pub fn folder(workspace: &Workspace) -> Result<PathBuf> {
    debian::require(&debian::NODE)?;
    let folder = workspace.target.join("kubernetes-schemas");
    let wanted = folder.join("package.json");
    // npm writes its own list last.
    let complete = folder.join("node_modules/.package-lock.json").is_file()
        && fs::read_to_string(&wanted).is_ok_and(|text| text == PACKAGES);
    if complete {
        return Ok(folder);
    }
    debian::require(&debian::NPM)?;
    let what =
        "installing the schemas of Kubernetes resources (npm packages) under the target folder";
    progress::step(what, || {
        fs::create_dir_all(&folder)?;
        fs::write(&wanted, PACKAGES)?;
        let mut npm = Command::new("npm");
        npm.current_dir(&folder).args([
            "install",
            "--silent",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]);
        progress::run(npm.stdin(Stdio::null()).stdout(Stdio::null()))
            .context("npm cannot install the packages with the schemas")
    })?;
    Ok(folder)
}
