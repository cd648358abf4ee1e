//! `cargo xtask bench rules`: what 10,000 rules cost beside 10.
//!
//! Loading and deciding, natively and inside the VM: the time natively, and in the VM the number of
//! instructions as well, which no other program on the machine can disturb.

mod made;

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{
    build,
    progress::{self, step},
    setup,
    workspace::Workspace,
};

/// How many rules the rows have.
const ROWS: [usize; 4] = [10, 100, 1_000, 10_000];

/// What 10,000 rules may cost: see docs/performance.md.
const MOST_LOAD_MS: f64 = 1000.0;
const MOST_MEMORY: f64 = 32.0 * 1024.0 * 1024.0;
const MOST_GROWTH: f64 = 1.5;

/// Measures, and prints the table; false if 10,000 rules cost more than they may.
///
/// # Errors
/// If a prerequisite is missing, or rules cannot be loaded.
pub(super) fn run(workspace: &Workspace) -> Result<bool> {
    setup::to_build()?;
    build::modules(workspace)?;
    let folders = ROWS
        .iter()
        .map(|rules| made::write(&workspace.target.join("bench/rules"), *rules))
        .collect::<Result<Vec<_>>>()?;
    let native = native(workspace)?;
    let in_vm = in_vm(workspace)?;
    super::warn_if_busy();
    let rows: Vec<_> = ROWS
        .into_iter()
        .zip(measured("measuring natively", native, &folders)?)
        .zip(measured("measuring in the VM", in_vm, &folders)?)
        .map(|((rules, native), vm)| Row { rules, native, vm })
        .collect();
    table(&rows)
}

/// The program that measures natively.
fn native(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--release", "--package", "measure"]);
    step("building the engine (release)", || {
        progress::run(&mut cargo)
    })?;
    Ok(workspace.target.join("release/measure"))
}

/// The program that measures in the VM. It runs what wasmtime makes of the module, so that its own
/// profile matters little: the one that tests have.
fn in_vm(workspace: &Workspace) -> Result<PathBuf> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--quiet", "--workspace"]);
    cargo.args(["--example", "rules_in_vm"]);
    step("building the wasm host", || progress::run(&mut cargo))?;
    Ok(workspace.target.join("debug/examples/rules_in_vm"))
}

/// What `program` prints for each folder.
fn measured(what: &str, program: PathBuf, folders: &[PathBuf]) -> Result<Vec<Value>> {
    let mut command = Command::new(program);
    command.args(folders);
    let output = step(what, || Ok(command.output()?))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    // Other lines tell what was built.
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = lines.lines().filter(|line| line.starts_with('{'));
    Ok(lines.map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The figures for one number of rules.
struct Row {
    rules: usize,
    native: Value,
    vm: Value,
}

impl Row {
    fn native(&self, figure: &str) -> Result<f64> {
        number(&self.native, figure)
    }

    fn vm(&self, figure: &str) -> Result<f64> {
        number(&self.vm, figure)
    }
}

fn number(figures: &Value, name: &str) -> Result<f64> {
    let number = figures.get(name).and_then(Value::as_f64);
    number.with_context(|| format!("`{name}` was not measured"))
}

fn table(rows: &[Row]) -> Result<bool> {
    let (Some(few), Some(many)) = (rows.first(), rows.last()) else {
        bail!("nothing was measured");
    };
    println!(
        "\n|  rules | compiled natively | loaded in the VM | VM memory | decision natively | \
         decision in the VM |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    for row in rows {
        let (time, work) = (row.native("decision_ns")?, row.vm("instructions")?);
        println!(
            "| {:>6} | {:>8.2} ms | {:>8.1} ms | {:>6.2} MiB | {:>6.0} ns, x{:.2} | {:>7.0} instructions, x{:.2} |",
            row.rules,
            row.native("compile_ms")?,
            row.vm("load_ms")?,
            row.vm("memory_bytes")? / 1_048_576.0,
            time,
            time / few.native("decision_ns")?,
            work,
            work / few.vm("instructions")?,
        );
    }
    let verdicts = [
        (
            "loading in the VM, in ms",
            many.vm("load_ms")?,
            MOST_LOAD_MS,
        ),
        (
            "memory of the VM, in bytes",
            many.vm("memory_bytes")?,
            MOST_MEMORY,
        ),
        (
            "a decision natively, to that at the fewest rules",
            many.native("decision_ns")? / few.native("decision_ns")?,
            MOST_GROWTH,
        ),
        (
            "a decision in the VM, to that at the fewest rules",
            many.vm("instructions")? / few.vm("instructions")?,
            MOST_GROWTH,
        ),
    ];
    println!("\nat {} rules:", many.rules);
    let mut all_hold = true;
    for (what, figure, most) in verdicts {
        let holds = figure <= most;
        let mark = if holds { "✓" } else { "✗" };
        println!("{mark} {what}: {figure:.2}, at most {most}");
        all_hold &= holds;
    }
    Ok(all_hold)
}
