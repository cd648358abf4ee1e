//! The playground: the engine for a browser, and the page that everything goes into.

use std::path::PathBuf;

use anyhow::Result;

use crate::{progress, setup::rust, workspace::Workspace};

/// Makes `target/playground/index.html` and tells where it is; quick if nothing has changed. Beside it, in
/// `engine`, stands what the page holds of the engine: programs can load it without the page.
///
/// `wasm-opt` has no part in it: Debian's (Binaryen 108) breaks a table of `externref`, which wasm-bindgen makes.
///
/// # Errors
/// If a prerequisite is missing or something does not compile.
pub fn page(workspace: &Workspace) -> Result<PathBuf> {
    rust::targets()?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--package", "gatepost-playground"]);
    cargo.args(["--profile", "page", "--target", "wasm32-unknown-unknown"]);
    progress::step("building the playground's engine (release)", || {
        progress::run(&mut cargo)
    })?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--package", "pack"]);
    progress::step("building what makes its page", || progress::run(&mut cargo))?;

    let folder = workspace.playground();
    let engine = folder.join("engine");
    let built = workspace
        .target
        .join("wasm32-unknown-unknown/page/gatepost_playground.wasm");
    let mut bindgen = workspace.dev("pack");
    bindgen.arg("bindgen").arg(&built).arg(&engine);
    progress::run(&mut bindgen)?;

    let to = folder.join("index.html");
    let mut page = workspace.dev("pack");
    page.arg("page").arg(&engine);
    page.arg(workspace.root.join("plugins/playground/page"));
    page.arg(&to);
    progress::run(&mut page)?;
    Ok(to)
}
