//! The compiler's targets.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::progress;

/// What the modules are built for, and what proves that the engine needs no host.
pub const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-unknown-unknown"];

/// Installs the targets that the pinned toolchain lacks. rust-toolchain.toml lists them too, but
/// where `RUSTUP_AUTO_INSTALL=0` that list alone installs nothing.
///
/// # Errors
/// If rustup is missing or cannot install them.
pub fn targets() -> Result<()> {
    let installed = Command::new("rustup").args(["target", "list", "--installed"]).output().context(
        "`rustup` is missing: install Rust with rustup (the site of the Rust project tells how), \
         or `apt-get install rustup` on Debian 13 and later",
    )?;
    if !installed.status.success() {
        bail!(
            "`rustup target list` failed: {}",
            String::from_utf8_lossy(&installed.stderr).trim()
        );
    }
    let installed = String::from_utf8_lossy(&installed.stdout).into_owned();
    let missing: Vec<_> = TARGETS
        .into_iter()
        .filter(|target| !installed.lines().any(|line| line == *target))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    progress::step(
        &format!("installing the Rust targets {}", missing.join(", ")),
        || {
            progress::run(
                Command::new("rustup")
                    .args(["target", "add"])
                    .args(&missing),
            )
        },
    )
}
