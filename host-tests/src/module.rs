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
    let module = loaded(package, &Config::new());
    built.insert(package.to_owned(), module.clone());
    module
}

/// The same, with an engine that counts what the module executes, as fuel.
pub(crate) fn counted(package: &str) -> (Engine, Module) {
    loaded(package, Config::new().consume_fuel(true))
}

fn loaded(package: &str, config: &Config) -> (Engine, Module) {
    #[expect(clippy::panic, reason = "tests cannot run without the module")]
    load(package, config).unwrap_or_else(|error| panic!("`{package}` cannot be tested: {error:#}"))
}

fn load(package: &str, config: &Config) -> Result<(Engine, Module)> {
    let variable = format!("{}_WASM", package.replace('-', "_").to_uppercase());
    let file = match env::var_os(variable) {
        Some(file) => PathBuf::from(file),
        None => build::module(&Workspace::locate()?, package)?,
    };
    let bytes = fs::read(&file).with_context(|| format!("`{}`", file.display()))?;
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, bytes)?;
    Ok((engine, module))
}
