//! `cargo xtask test`: everything that has to hold before a change lands. CI runs this and nothing
//! else.
//!
//! Not part of it: `cargo deny check` (licences, advisories, banned crates by deny.toml), because
//! the advisories come over the network from outside the package registries.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

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

/// Runs it all; stops at the first check that fails. Whether every test suite passed.
///
/// # Errors
/// Names the check that failed.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let watch = Stopwatch::start();
    setup::to_build()?;
    setup::envoy::binary(workspace)?;
    setup::schemas::folder(workspace)?;
    setup::proxies::require(workspace)?;
    if !options.only_suites {
        lint(workspace)?;
        prove_purity(workspace)?;
    }
    if !build::run(workspace, &build::Options::default())? {
        bail!("a module is over its budget: `cargo xtask build` tells by how much");
    }
    let mut compile = workspace.cargo();
    compile.args(["test", "--quiet", "--workspace", "--no-run"]);
    step(
        "compiling every test suite (the first time takes minutes)",
        || progress::run(&mut compile),
    )?;
    println!(
        "· running every test suite (after {} s) ...",
        watch.elapsed().as_secs()
    );
    let tally = suites(workspace, options)?;
    let checks = if options.only_suites {
        ""
    } else {
        "format, lints, the engine's purity, "
    };
    println!(
        "\n{checks}the modules and the test suites took {} s",
        watch.elapsed().as_secs()
    );
    // The last line, in the form that CI reads.
    println!(
        "total: {} passed, {} failed, {} skipped",
        tally.passed, tally.failed, tally.ignored
    );
    Ok(tally.well)
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
    step("linting every target", || progress::run(&mut clippy))?;
    step("linting what small modules leave out", || {
        REDUCED
            .iter()
            .try_for_each(|features| lint_reduced(workspace, features))
    })
}

/// The feature sets of small modules: the rest of the workspace is built with all of them.
const REDUCED: [&str; 3] = ["tokens", "templates", "regexp"];

fn lint_reduced(workspace: &Workspace, features: &str) -> Result<()> {
    let package = match features {
        // The filter has patterns from the engine alone.
        "regexp" => "gatepost-policy",
        _ => "gatepost-filter",
    };
    let mut clippy = workspace.cargo();
    clippy.args(["clippy", "--quiet", "--package", package]);
    clippy.args(["--no-default-features", "--features", features]);
    clippy.args(["--", "--deny", "warnings"]);
    progress::run(&mut clippy)
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

/// What all suites came to.
#[derive(Debug, Default)]
struct Tally {
    well: bool,
    passed: u64,
    failed: u64,
    ignored: u64,
}

fn suites(workspace: &Workspace, options: &Options) -> Result<Tally> {
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
    let mut running = test
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `cargo test`")?;
    let output = running
        .stdout
        .take()
        .context("`cargo test` has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        tally.add(&line);
    }
    tally.well = running.wait()?.success();
    Ok(tally)
}

impl Tally {
    /// Adds a suite's closing line: `test result: ok. 12 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for (number, what) in counts.split("; ").filter_map(|count| count.split_once(' ')) {
            let number: u64 = number.parse().unwrap_or_default();
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_add_up_and_nothing_else_counts() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            "test result: FAILED. 5 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.2s",
        ] {
            tally.add(line);
        }
        assert_eq!((tally.passed, tally.failed, tally.ignored), (7, 1, 1));
    }
}
