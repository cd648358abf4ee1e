//! Builds the module under test, once per run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result, bail};
use wasmtime::{Config, Engine, Module};

const TARGET: &str = "wasm32-wasip1";

/// The compiled module with its engine. Cargo builds it on first use (nothing to do if it is fresh);
/// `ACCESS_RULES_WASM` names a built file to take instead.
///
/// # Panics
/// If it cannot be built: no test of it can run.
#[must_use]
pub fn access_rules() -> &'static (Engine, Module) {
    static MODULE: OnceLock<(Engine, Module)> = OnceLock::new();
    MODULE.get_or_init(|| match load() {
        Ok(module) => module,
        #[expect(clippy::panic, reason = "tests cannot run without the module")]
        Err(error) => panic!("the module cannot be tested: {error:#}"),
    })
}

fn load() -> Result<(Engine, Module)> {
    let file = match env::var_os("ACCESS_RULES_WASM") {
        Some(file) => PathBuf::from(file),
        None => build("access-rules")?,
    };
    let bytes = fs::read(&file).with_context(|| format!("`{}`", file.display()))?;
    let engine = Engine::new(&Config::new())?;
    let module = Module::new(&engine, bytes)?;
    Ok((engine, module))
}

/// Lets cargo build the module's package and tell where the file is.
fn build(package: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["build", "--package", package, "--profile", "module"])
        .args([
            "--target",
            TARGET,
            "--message-format",
            "json-render-diagnostics",
        ])
        .output()
        .context("cargo does not start")?;
    if !output.status.success() {
        bail!(
            "cargo cannot build `{package}`; is the target there (`rustup target add {TARGET}`)?\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(message.get("filenames")?.as_array()?.clone()))
        .flatten()
        .filter_map(|file| Some(PathBuf::from(file.as_str()?)))
        .rfind(|file| file.extension().is_some_and(|end| end == "wasm"))
        .with_context(|| format!("cargo built no module for `{package}`"))
}
