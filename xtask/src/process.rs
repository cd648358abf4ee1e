//! Children that never outlive us.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::progress::Stopwatch;

/// How long a child may take to end when asked politely.
const PATIENCE: Duration = Duration::from_secs(5);

/// A running program, its output in a log file. Dropping it ends it, so a panic or an early
/// return leaves nothing behind.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; what it prints goes to `log`, which is begun anew.
    ///
    /// # Errors
    /// If the log cannot be written or the program not started.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file =
            File::create(log).with_context(|| format!("cannot write `{}`", log.display()))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("cannot start `{program}`"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        })
    }

    /// Asks `ready` again and again until it says yes.
    ///
    /// # Errors
    /// If the program ends first or `limit` passes; both with the last lines of its log.
    pub fn wait_until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let watch = Stopwatch::start();
        loop {
            if let Some(status) = self.ended() {
                bail!(
                    "{} ended at its start ({status}); {}",
                    self.name,
                    self.last_words()
                );
            }
            if ready() {
                return Ok(());
            }
            if watch.elapsed() > limit {
                let seconds = limit.as_secs();
                bail!(
                    "{} is not ready after {seconds} s; {}",
                    self.name,
                    self.last_words()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// How the program ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits up to `limit` for the program to end by itself.
    pub fn wait_for_end(&mut self, limit: Duration) -> Option<ExitStatus> {
        let watch = Stopwatch::start();
        while watch.elapsed() < limit {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.ended()
    }

    /// Ends the program: politely (SIGTERM), then by force.
    pub fn stop(&mut self) {
        if self.ended().is_some() {
            return;
        }
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // A child that has gone meanwhile is what we want.
        let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
        if self.wait_for_end(PATIENCE).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// The time that the program's threads have spent on a CPU: the first number of each thread's
    /// `schedstat`, in nanoseconds (Linux, `Documentation/scheduler/sched-stats.rst`).
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn cpu_time(&self) -> Result<Duration> {
        let folder = format!("/proc/{}/task", self.child.id());
        let mut nanoseconds = 0_u64;
        for thread in std::fs::read_dir(&folder).with_context(|| folder.clone())? {
            let file = thread?.path().join("schedstat");
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let spent = text.split_whitespace().next().unwrap_or("0");
            nanoseconds = nanoseconds.saturating_add(spent.parse()?);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// What the program has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The log file.
    #[must_use]
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().rev().take(15).collect();
        let tail: Vec<_> = lines.into_iter().rev().collect();
        format!(
            "last lines of `{}`:\n{}",
            self.log.display(),
            tail.join("\n")
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
