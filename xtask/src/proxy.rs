//! `cargo xtask proxy NAME`: a proxy with the configuration that is shipped for it, in front of an upstream, asking the
//! decision endpoint.
//!
//! ```text
//!   the walk --> the proxy :8080 --> upstream :8081, which tells what it received
//!                     |
//!                     +-- gatepost decisions serve :4456 --- key set --- gatepost serve --dev :4444 (admin :4445)
//! ```

mod scenario;
mod walk;

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail};

pub use self::scenario::Scenario;
use crate::{
    demo::Interrupt,
    ports,
    process::Process,
    progress::{self, step},
    upstream::Upstream,
    workspace::Workspace,
};

/// The ports that the shipped files name.
const FRONT: u16 = 8080;
const UPSTREAM: u16 = 8081;
const DECISIONS: u16 = 4456;
const PUBLIC: u16 = 4444;
const ADMIN: u16 = 4445;

/// What `cargo xtask proxy` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Which one.
    scenario: Scenario,
    /// End after the requests, with exit status 0 only if every one was as expected.
    #[arg(long)]
    once: bool,
}

/// Starts everything, sends a few requests, and stays up unless told otherwise.
///
/// # Errors
/// If something cannot be built or started; requests that surprise are no error but make the result `false`.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    let scenario = options.scenario;
    free_ports(scenario)?;
    let mut command = scenario.command(workspace)?;
    build(workspace)?;
    interrupt.check()?;
    let folder = copied(workspace, scenario)?;
    let _upstream = Upstream::echo(UPSTREAM)?;
    let mut running = [
        identity_server(workspace, &folder)?,
        decisions(workspace, &folder)?,
        step(&format!("starting {}", scenario.program()), || {
            start(
                scenario.program(),
                command.current_dir(&folder),
                &folder,
                FRONT,
            )
        })?,
    ];
    interrupt.check()?;
    let passed = walk::walk()?;
    if !options.once {
        println!(
            "\n{} listens on 127.0.0.1:{FRONT}, by the files in `{}`. End with Ctrl-C.",
            scenario.program(),
            folder.display()
        );
        stay(&mut running, &interrupt)?;
        println!("stopped");
    }
    Ok(passed)
}

fn free_ports(scenario: Scenario) -> Result<()> {
    let wanted = [
        (FRONT, scenario.program()),
        (UPSTREAM, "the upstream"),
        (DECISIONS, "the decision endpoint"),
        (PUBLIC, "gatepost"),
        (ADMIN, "gatepost's admin API"),
    ];
    ports::demand(&wanted, "command")
}

fn build(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    // Of the whole workspace, so that what is compiled here serves `cargo xtask test` as well.
    cargo.args(["build", "--quiet", "--workspace", "--bin", "gatepost"]);
    step("building gatepost (the first time takes minutes)", || {
        progress::run(&mut cargo)
    })
}

/// A copy of the scenario's files, below the target folder: proxies write files of their own beside them.
fn copied(workspace: &Workspace, scenario: Scenario) -> Result<PathBuf> {
    let all = workspace.target.join("proxy").join(scenario.root());
    if all.exists() {
        fs::remove_dir_all(&all)?;
    }
    copy(&workspace.root.join(scenario.root()), &all)?;
    Ok(workspace.target.join("proxy").join(scenario.folder()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn identity_server(workspace: &Workspace, folder: &Path) -> Result<Process> {
    step("starting gatepost serve --dev", || {
        let home = folder.join("gatepost");
        fs::create_dir_all(&home)?;
        let mut command = Command::new(workspace.dev_binary("gatepost"));
        command
            .args(["serve", "--dev"])
            // Sign-in sends people back only where it is told to.
            .env(
                "SELFSERVICE_ALLOWED_RETURN_URLS",
                format!("http://127.0.0.1:{FRONT}/"),
            )
            .current_dir(&home);
        start("gatepost", &mut command, folder, PUBLIC)
    })
}

fn decisions(workspace: &Workspace, folder: &Path) -> Result<Process> {
    step("starting gatepost decisions serve", || {
        let mut command = Command::new(workspace.dev_binary("gatepost"));
        command
            .args(["decisions", "serve", "-c", "oathkeeper.yaml"])
            .current_dir(folder);
        start("decisions", &mut command, folder, DECISIONS)
    })
}

/// Starts a program and waits until it listens.
fn start(name: &str, command: &mut Command, folder: &Path, port: u16) -> Result<Process> {
    let log = format!("{}.log", name.to_ascii_lowercase());
    let mut process = Process::start(name, command, &folder.join(log))?;
    process.wait_until(Duration::from_secs(60), || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    })?;
    Ok(process)
}

/// Waits for Ctrl-C, watching that everything keeps running.
fn stay(running: &mut [Process], interrupt: &Interrupt) -> Result<()> {
    while !interrupt.asked() {
        Interrupt::pause();
        for process in &mut *running {
            // On Ctrl-C the terminal tells everybody at once: theirs may be seen before ours.
            if process.ended().is_some() && !interrupt.asked() {
                Interrupt::pause();
                if !interrupt.asked() {
                    bail!("a program ended; see `{}`", process.log_path().display());
                }
            }
        }
    }
    Ok(())
}
