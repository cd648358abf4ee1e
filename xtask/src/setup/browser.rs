//! What the playground's tests look at its page with: Chromium, steered by playwright-core.

use std::{fs, path::PathBuf, process::Command};

use anyhow::Result;

use super::debian;
use crate::{
    progress::{self, step},
    workspace::Workspace,
};

/// The version that the tests were written with.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";

/// Where `playwright-core` is, after installing it below `target`: the folder to run node in.
///
/// # Errors
/// If a program is missing or npm cannot install it.
pub fn playwright(workspace: &Workspace) -> Result<PathBuf> {
    for program in [&debian::CHROMIUM, &debian::NODE, &debian::NPM] {
        debian::require(program)?;
    }
    let folder = workspace.playground().join("browser");
    if folder
        .join("node_modules/playwright-core/package.json")
        .is_file()
    {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-save", "--no-package-lock"]);
    npm.arg("--prefix").arg(&folder).arg(PLAYWRIGHT);
    step("installing playwright-core", || progress::run(&mut npm))?;
    Ok(folder)
}
