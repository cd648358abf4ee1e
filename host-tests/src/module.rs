//! The modules under test, as they are shipped: each is built once per run.

use std::{
    collections::BTreeMap,
    env, fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use wasmtime::{Config, Engine, Module};
use xtask::{build, workspace::Workspace};

/// The engine and the module that is built of `package`, compiled. `cargo xtask build` makes it on
/// first use (nothing to do if it is fresh); for `access-rules`, `ACCESS_RULES_WASM` names a built file
/// to take instead.
///
/// # Panics
/// If it cannot be built: no test of it can run.
#[must_use]
pub fn built(package: &str) -> (Engine, Module) {
    static BUILT: Mutex<BTreeMap<String, (Engine, Module)>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = built.get(package) {
        return module.clone();
    }
    #[expect(clippy::panic, reason = "tests cannot run without the module")]
    let module =
        load(package).unwrap_or_else(|error| panic!("`{package}` cannot be tested: {error:#}"));
    built.insert(package.to_owned(), module.clone());
    module
}

fn load(package: &str) -> Result<(Engine, Module)> {
    let variable = format!("{}_WASM", package.replace('-', "_").to_uppercase());
    let file = match env::var_os(variable) {
        Some(file) => PathBuf::from(file),
        None => build::module(&Workspace::locate()?, package)?,
    };
    let bytes = fs::read(&file).with_context(|| format!("`{}`", file.display()))?;
    let engine = Engine::new(&Config::new())?;
    let module = Module::new(&engine, bytes)?;
    Ok((engine, module))
}
