//! A running Envoy.

use std::{
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{http::Request, process::Process};

/// How Envoy is started.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The program.
    pub binary: &'a Path,
    /// Its folder: configuration may name files relative to it; `envoy.log` is written here.
    pub folder: &'a Path,
    /// The configuration file's name in that folder.
    pub config: &'a str,
    /// Worker threads; each holds a VM of its own.
    pub concurrency: u32,
    /// The one core it may use, if it is to be pinned.
    pub core: Option<u32>,
}

/// Envoy, ready to serve; dropping it stops it.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: String,
}

impl Start<'_> {
    /// Starts Envoy without waiting for it, for configurations that it is to refuse.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn spawn(&self) -> Result<Process> {
        let mut command = self.command();
        command.args([
            "--log-level",
            "warning",
            "--component-log-level",
            "wasm:info",
        ]);
        // The access log appears at once, not after ten seconds.
        command.args(["--file-flush-interval-msec", "20"]);
        // Without the shared memory of hot restarts several Envoys live side by side.
        command.args([
            "--disable-hot-restart",
            "--concurrency",
            &self.concurrency.to_string(),
        ]);
        Process::start("envoy", &mut command, &self.folder.join("envoy.log"))
    }

    /// Starts Envoy and waits until its admin port says that it serves.
    ///
    /// # Errors
    /// If Envoy ends or is not ready within two minutes (compiling a module of megabytes takes it
    /// five seconds of an idle core), with the last lines of its log.
    pub fn ready(&self, admin_port: u16) -> Result<Envoy> {
        let admin = format!("http://127.0.0.1:{admin_port}");
        let mut process = self.spawn()?;
        process.wait_until(Duration::from_secs(120), || {
            Request::get(&format!("{admin}/ready"))
                .send()
                .is_ok_and(|answer| answer.status == 200)
        })?;
        Ok(Envoy { process, admin })
    }

    /// Lets Envoy check the configuration without serving it.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn validate(&self) -> Result<Output> {
        let mut command = self.command();
        command
            .args(["--mode", "validate"])
            .output()
            .context("cannot start envoy")
    }

    fn command(&self) -> Command {
        let mut command = match self.core {
            None => Command::new(self.binary),
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(self.binary);
                command
            }
        };
        command
            .current_dir(self.folder)
            .args(["--config-path", self.config]);
        command
    }
}

impl Envoy {
    /// The sum of all counters and gauges whose name contains `part`.
    ///
    /// # Errors
    /// If the admin port does not answer.
    pub fn stat(&self, part: &str) -> Result<u64> {
        let answer = Request::get(&format!("{}/stats?usedonly", self.admin)).send()?;
        let lines = answer.body.lines().filter_map(|line| line.split_once(": "));
        Ok(lines
            .filter(|(name, _)| name.contains(part))
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum())
    }

    /// The CPU time of all its threads so far.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn cpu_time(&self) -> Result<Duration> {
        self.process.cpu_time()
    }

    /// What Envoy has logged so far, access log included where that goes to standard output.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until the log holds `text`, for what Envoy does on its own time.
    ///
    /// # Errors
    /// If it does not appear within ten seconds.
    pub fn wait_for_log(&mut self, text: &str) -> Result<()> {
        let path = self.process.log_path().to_owned();
        let logged =
            || std::fs::read(&path).is_ok_and(|log| String::from_utf8_lossy(&log).contains(text));
        self.process.wait_until(Duration::from_secs(10), logged)
    }

    /// Fails if Envoy has ended.
    ///
    /// # Errors
    /// With how it ended.
    pub fn check_alive(&mut self) -> Result<()> {
        match self.process.ended() {
            None => Ok(()),
            Some(status) => bail!("envoy ended ({status}): {}", self.log()),
        }
    }
}
