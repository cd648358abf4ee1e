//! `cargo xtask setup`: what the other commands need, installed where it is missing.
//!
//! Quick when all is there, so every command begins with its own share of it.

pub mod browser;
pub mod debian;
pub mod envoy;
pub mod proxies;
pub mod python;
pub mod rust;
pub mod schemas;

use anyhow::Result;

use crate::workspace::Workspace;

/// Installs everything, for a developer who wants to go offline afterwards.
///
/// # Errors
/// One sentence with the remedy for each prerequisite that cannot be installed.
pub fn run(workspace: &Workspace) -> Result<bool> {
    to_build()?;
    debian::require(&debian::WRK)?;
    schemas::folder(workspace)?;
    proxies::require(workspace)?;
    let envoy = envoy::binary(workspace)?;
    println!("✓ everything is there; Envoy is `{}`", envoy.display());
    Ok(true)
}

/// What compiling the workspace needs: the Rust targets, a C compiler and `wasm-opt`.
///
/// # Errors
/// One sentence with the remedy for what is missing.
pub fn to_build() -> Result<()> {
    rust::targets()?;
    debian::require(&debian::CC)?;
    debian::require(&debian::WASM_OPT)
}
