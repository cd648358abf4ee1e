//! `cargo xtask`: Gatepost's developer commands.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::{bench, build, demo, oci, proxy, setup, test, workspace::Workspace};

/// Gatepost's developer commands. Each sets up what it needs by itself; run `cargo xtask demo` first.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    after_help = "Each command keeps to the repository's target folder (CARGO_TARGET_DIR is respected).\n\
    Set ENVOY_BIN=/path/to/envoy to use an Envoy of your own."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start server, Envoy and an upstream, and walk through a tour of requests.
    Demo(demo::Options),
    /// Start another proxy with the configuration that is shipped for it, and send a few requests.
    Proxy(proxy::Options),
    /// Check everything: format, lints, the engine's purity, and every test suite.
    Test(test::Options),
    /// Build the wasm modules for release into target/wasm, and print their sizes.
    Build(build::Options),
    /// Write the wasm modules as OCI images into target/oci, and print their digests.
    Oci,
    /// Measure the module beside Envoy's own jwt_authn, on one Envoy.
    Bench(bench::Options),
    /// Install what the other commands need: Rust targets, Envoy and other proxies. They call it themselves.
    Setup,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    match command {
        Command::Demo(options) => demo::run(&workspace, &options),
        Command::Proxy(options) => proxy::run(&workspace, &options),
        Command::Test(options) => test::run(&workspace, &options),
        Command::Build(options) => build::run(&workspace, &options),
        Command::Oci => oci::run(&workspace),
        Command::Bench(options) => bench::run(&workspace, &options),
        Command::Setup => setup::run(&workspace),
    }
    .map(|passed| {
        if passed {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    })
}
