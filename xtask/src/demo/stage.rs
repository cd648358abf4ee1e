//! Everything that runs during the demo.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use super::Interrupt;
use crate::{
    build,
    envoy::{Envoy, Start},
    http::Request,
    ports,
    process::Process,
    progress::{self, step},
    quickstart::{PORTS, Quickstart},
    setup,
    upstream::Upstream,
    workspace::Workspace,
};

/// The identity server's admin port.
const GATEPOST_ADMIN: u16 = 4445;

/// Server, proxy and upstream, all running. Dropping it stops them.
pub(super) struct Stage {
    workspace: Workspace,
    folder: PathBuf,
    // Envoy ends before what it talks to.
    pub(super) envoy: Envoy,
    gatepost: Option<Process>,
    _upstream: Upstream,
}

impl Stage {
    /// Builds and starts everything.
    pub(super) fn set(workspace: &Workspace, keep: bool, interrupt: &Interrupt) -> Result<Self> {
        free_ports()?;
        setup::to_build()?;
        let binary = setup::envoy::binary(workspace)?;
        interrupt.check()?;
        build::modules(workspace)?;
        build::playground::page(workspace)?;
        build_binaries(workspace)?;
        interrupt.check()?;

        let folder = workspace.target.join("demo");
        let gatepost_folder = folder.join("gatepost");
        if !keep && gatepost_folder.exists() {
            fs::remove_dir_all(&gatepost_folder)?;
        }
        fs::create_dir_all(&gatepost_folder)?;
        let upstream = Upstream::echo(PORTS.upstream)?;
        let gatepost = start_gatepost(workspace, &folder)?;
        let quickstart = step("preparing envoy-config/quickstart", || {
            Quickstart::prepare(
                workspace,
                &folder.join("envoy"),
                &workspace.dev_binary("gatepost"),
                PORTS,
            )
        })?;
        let start = Start {
            binary: &binary,
            folder: quickstart.folder(),
            config: "envoy.yaml",
            concurrency: 2,
            core: None,
        };
        let envoy = step("starting Envoy with the module", || {
            start.ready(PORTS.admin)
        })?;
        Ok(Self {
            workspace: workspace.clone(),
            folder,
            envoy,
            gatepost: Some(gatepost),
            _upstream: upstream,
        })
    }

    /// Stops the identity server, for the part of the tour that goes on without it.
    pub(super) fn stop_gatepost(&mut self) {
        self.gatepost = None;
    }

    /// Starts the identity server again, on the same database.
    pub(super) fn start_gatepost(&mut self) -> Result<()> {
        self.gatepost = Some(start_gatepost(&self.workspace, &self.folder)?);
        Ok(())
    }

    /// Runs the `gatepost` command line in the server's folder.
    pub(super) fn gatepost(&self, arguments: &[&str]) -> Result<String> {
        output(
            Command::new(self.workspace.dev_binary("gatepost"))
                .args(arguments)
                .current_dir(self.gatepost_folder()),
        )
    }

    /// A token that is all right but for its signature: somebody else's key under the name of ours.
    pub(super) fn strangers_token(&self, kid: &str, issuer: &str, expires: u64) -> Result<String> {
        let folder = self.folder.join("stranger");
        let mut mint = Command::new(self.workspace.dev_binary("mint"));
        mint.arg("--out")
            .arg(&folder)
            .args(["--kid", kid, "--issuer", issuer]);
        output(mint.args(["--scope", "orders.read", "--expires", &expires.to_string()]))?;
        Ok(fs::read_to_string(folder.join("tokens.txt"))?
            .trim()
            .to_owned())
    }

    /// The server's folder, with its database and log.
    pub(super) fn gatepost_folder(&self) -> PathBuf {
        self.folder.join("gatepost")
    }

    /// Envoy's folder, with its configuration and log.
    pub(super) fn envoy_folder(&self) -> PathBuf {
        self.folder.join("envoy")
    }

    /// Waits for Ctrl-C, watching that everything keeps running.
    pub(super) fn stay(&mut self, interrupt: &Interrupt) -> Result<()> {
        while !interrupt.asked() {
            Interrupt::pause();
            let gatepost_ended = self.gatepost.as_mut().and_then(Process::ended);
            // On Ctrl-C the terminal tells everybody at once: theirs may be seen before ours.
            if (gatepost_ended.is_some() || self.envoy.check_alive().is_err()) && !interrupt.asked()
            {
                Interrupt::pause();
                if !interrupt.asked() {
                    self.envoy.check_alive()?;
                    bail!(
                        "gatepost ended; see `{}`",
                        self.folder.join("gatepost.log").display()
                    );
                }
            }
        }
        Ok(())
    }
}

/// The URL of a path at the identity server's public listener.
pub(super) fn public(path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", PORTS.gatepost)
}

/// The URL of a path at the identity server's admin listener.
pub(super) fn admin(path: &str) -> String {
    format!("http://127.0.0.1:{GATEPOST_ADMIN}{path}")
}

/// The URL of a path at Envoy.
pub(super) fn front(path: &str) -> String {
    format!("http://127.0.0.1:{}{path}", PORTS.front)
}

fn free_ports() -> Result<()> {
    let wanted = [
        (PORTS.front, "Envoy"),
        (PORTS.admin, "Envoy's admin page"),
        (PORTS.upstream, "the upstream"),
        (PORTS.gatepost, "gatepost"),
        (GATEPOST_ADMIN, "gatepost's admin API"),
    ];
    ports::demand(&wanted, "demo")
}

fn build_binaries(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo();
    // Of the whole workspace, so that what is compiled here serves `cargo xtask test` as well.
    cargo.args([
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        "gatepost",
        "--bin",
        "mint",
    ]);
    step("building gatepost (the first time takes minutes)", || {
        progress::run(&mut cargo)
    })
}

fn start_gatepost(workspace: &Workspace, folder: &Path) -> Result<Process> {
    step("starting gatepost serve --dev", || {
        let mut command = Command::new(workspace.dev_binary("gatepost"));
        command
            .args(["serve", "--dev"])
            // Sign-in sends people back only where it is told to.
            .env("SELFSERVICE_ALLOWED_RETURN_URLS", front("/"))
            .env("PLAYGROUND_PAGE", workspace.playground().join("index.html"))
            .current_dir(folder.join("gatepost"));
        let mut process = Process::start("gatepost", &mut command, &folder.join("gatepost.log"))?;
        process.wait_until(Duration::from_secs(30), || {
            Request::get(&admin("/health/ready"))
                .send()
                .is_ok_and(|answer| answer.status == 200)
        })?;
        Ok(process)
    })
}

fn output(command: &mut Command) -> Result<String> {
    let line = progress::line(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
