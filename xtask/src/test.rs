//! `cargo xtask test`: everything that has to hold before a change lands. CI runs this and nothing
//! else.
//!
//! Not part of it: `cargo deny check` (licences, advisories, banned crates by deny.toml), because
//! the advisories come over the network from outside the package registries.

use anyhow::{Context as _, Result, bail};

use crate::{
    build,
    progress::{self, Stopwatch, step},
    setup,
    workspace::Workspace,
};

/// Crates that would give the engine a host, a clock, a network or a logger.
const IMPURE: [&str; 5] = ["proxy-wasm", "tokio", "wasm-bindgen", "log", "tracing"];

/// What `cargo xtask test` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Only the test suites: no format, lint or purity checks.
    #[arg(long)]
    only_suites: bool,
    /// Passed on to `cargo test`: a package (`-p host-tests`), a filter, and so on.
    #[arg(last = true)]
    cargo_test: Vec<String>,
}

/// Runs it all, stops at the first failure of a check, and at the end of the suites.
///
/// # Errors
/// Names the check or suite that failed.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let watch = Stopwatch::start();
    setup::to_build()?;
    setup::envoy::binary(workspace)?;
    if !options.only_suites {
        lint(workspace)?;
        prove_purity(workspace)?;
    }
    build::modules(workspace)?;
    let mut build = workspace.cargo();
    build.args(["build", "--quiet", "--package", "gatepost"]);
    step("building gatepost", || progress::run(&mut build))?;
    let checks = if options.only_suites {
        ""
    } else {
        "format, lints, the engine's purity, "
    };
    println!(
        "· running every test suite (after {} s) ...",
        watch.elapsed().as_secs()
    );
    let passed = suites(workspace, options);
    let seconds = watch.elapsed().as_secs();
    match &passed {
        Ok(()) => println!("✓ {checks}the modules and every test suite: all well ({seconds} s)"),
        Err(_) => println!("✗ a test suite failed ({seconds} s)"),
    }
    passed.map(|()| true)
}

fn lint(workspace: &Workspace) -> Result<()> {
    let mut format = workspace.cargo();
    format.args(["fmt", "--all", "--check"]);
    step("checking the format", || {
        progress::run(&mut format).context("type `cargo fmt` to correct it")
    })?;
    let mut clippy = workspace.cargo();
    clippy.args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ]);
    step("linting every target", || progress::run(&mut clippy))
}

/// The engine has no impure crate in its tree, and compiles where there is no host at all.
fn prove_purity(workspace: &Workspace) -> Result<()> {
    let mut tree = workspace.cargo();
    tree.args(["tree", "--package", "gatepost-policy", "--edges", "normal"]);
    tree.args(["--all-features", "--prefix", "none", "--format", "{p}"]);
    step("proving that the engine is pure", || {
        let output = tree.output().context("cannot start `cargo tree`")?;
        if !output.status.success() {
            bail!(
                "`cargo tree` failed: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let tree = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut names = tree
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        if let Some(name) = names.find(|name| IMPURE.contains(name)) {
            bail!(
                "`{name}` is in the dependency tree of gatepost-policy, which must stay pure: \
                 `cargo tree -p gatepost-policy -e normal -i {name}` tells where from"
            );
        }
        setup::rust::TARGETS.iter().try_for_each(|target| {
            let mut build = workspace.cargo();
            build.args([
                "build",
                "--quiet",
                "--package",
                "gatepost-policy",
                "--target",
                target,
            ]);
            progress::run(&mut build)
        })
    })
}

fn suites(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut test = workspace.cargo();
    test.arg("test");
    if !options
        .cargo_test
        .iter()
        .any(|word| word == "-p" || word.starts_with("--package"))
    {
        test.arg("--workspace");
    }
    // Every suite runs and tells its result, also after one that failed.
    test.arg("--no-fail-fast").args(&options.cargo_test);
    progress::run(&mut test)
}
