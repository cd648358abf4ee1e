//! `cargo xtask build`: the wasm modules, as they are shipped.

mod exports;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{progress, setup, workspace::Workspace};

/// The packages that are modules, and the files they become.
const MODULES: [(&str, &str); 1] = [("access-rules", "access_rules")];

/// Builds every module and prints the sizes.
///
/// # Errors
/// If a prerequisite is missing or a module does not compile.
pub fn run(workspace: &Workspace) -> Result<bool> {
    setup::rust::targets()?;
    for module in modules(workspace)? {
        let bytes = fs::metadata(&module)?.len();
        println!("{:>9.1} KB  {}", bytes as f64 / 1000.0, module.display());
    }
    Ok(true)
}

/// Builds every module into `target/wasm`, and tells where they are.
///
/// # Errors
/// If one does not compile or cannot be copied.
pub fn modules(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(workspace.target.join("wasm"))?;
    MODULES
        .iter()
        .map(|(package, file)| module(workspace, package, file))
        .collect()
}

fn module(workspace: &Workspace, package: &str, file: &str) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--package", package]);
    cargo.args(["--profile", "module", "--target", "wasm32-wasip1"]);
    progress::step(&format!("building the module {package} (release)"), || {
        progress::run(&mut cargo)
    })?;
    let built = workspace
        .target
        .join("wasm32-wasip1/module")
        .join(format!("{file}.wasm"));
    let shipped = workspace.module(file);
    ship(&built, &shipped).with_context(|| format!("cannot write `{}`", shipped.display()))?;
    Ok(shipped)
}

/// Writes under another name and renames, so that an Envoy which reads the file meanwhile never
/// sees half of it.
fn ship(built: &Path, to: &Path) -> Result<()> {
    let half = to.with_extension(format!("wasm.{}", std::process::id()));
    fs::write(&half, exports::trimmed(&fs::read(built)?)?)?;
    Ok(fs::rename(half, to)?)
}
