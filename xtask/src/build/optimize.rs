//! Has Binaryen's `wasm-opt` make a module small: it sees what LLVM cannot, the whole module as wasm.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    process::{self, Command},
};

use anyhow::{Context as _, Result};

use crate::progress;

/// What is done besides. The features are those that rustc itself emits code for, and no other: a stripped
/// module does not name them, and what is not enabled here `wasm-opt` refuses to read. Every host that
/// loads rustc's own output (V8, wasmtime) loads this.
const ARGUMENTS: &[&str] = &[
    "--strip-debug",
    "--strip-producers",
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Writes the `module` to `to`, optimised for what is `wanted_most`. It takes up to a minute, so that a
/// file which was made of the same bytes in the same way is left as it is.
///
/// # Errors
/// If `wasm-opt` fails or a file cannot be written.
pub(super) fn write(module: &[u8], to: &Path, wanted_most: &[&str]) -> Result<()> {
    let recipe = to.with_extension("recipe");
    let wanted = fingerprint(module, wanted_most)?;
    if to.exists() && fs::read_to_string(&recipe).is_ok_and(|made| made == wanted) {
        return Ok(());
    }
    let folder = to.parent().context("a module lies in a folder")?;
    fs::create_dir_all(folder)?;
    // Written under another name and renamed, so that an Envoy which reads the file meanwhile never
    // sees half of it.
    let large = to.with_extension(format!("large.{}", process::id()));
    let small = to.with_extension(format!("small.{}", process::id()));
    fs::write(&large, module)?;
    let mut command = Command::new("wasm-opt");
    command
        .args(wanted_most)
        .args(ARGUMENTS)
        .arg(&large)
        .arg("-o")
        .arg(&small);
    let outcome = progress::step("making the module small", || progress::run(&mut command));
    fs::remove_file(&large)?;
    outcome?;
    fs::rename(small, to)?;
    Ok(fs::write(recipe, wanted)?)
}

/// Says what a module is made of, and how.
fn fingerprint(module: &[u8], wanted_most: &[&str]) -> Result<String> {
    let version = Command::new("wasm-opt").arg("--version").output();
    let version = version.context("`wasm-opt` does not start")?.stdout;
    let mut hasher = DefaultHasher::new();
    (module, wanted_most, ARGUMENTS, version).hash(&mut hasher);
    Ok(format!("{:016x}\n", hasher.finish()))
}
