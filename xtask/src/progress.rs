//! What is on screen while something takes long.

use std::{
    process::Command,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// How often a long step says that it is still at it.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// The time since this was made.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "a developer's tool that measures"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How long ago it was started.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Says what is being done, does it, and says how long it took. A step that takes long repeats
/// itself with the time gone by, so that nobody wonders whether it hangs.
///
/// # Errors
/// Those of the work.
pub fn step<T: Send>(what: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    println!("· {what} ...");
    let watch = Stopwatch::start();
    let result = thread::scope(|scope| {
        let (done, waiting) = mpsc::channel::<()>();
        scope.spawn(move || {
            while waiting.recv_timeout(HEARTBEAT) == Err(RecvTimeoutError::Timeout) {
                println!("  still {what} ({} s)", watch.elapsed().as_secs());
            }
        });
        let result = work();
        drop(done);
        result
    });
    let mark = if result.is_ok() { "✓" } else { "✗" };
    println!("{mark} {what} ({:.1} s)", watch.elapsed().as_secs_f32());
    result
}

/// Runs a command whose own output the developer sees, and demands that it succeeds.
///
/// # Errors
/// If it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// The command as one would type it.
#[must_use]
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match words.split_first() {
        Some((program, rest)) => {
            let program = program.rsplit('/').next().unwrap_or(program);
            [&[program.to_owned()], rest].concat().join(" ")
        }
        None => String::new(),
    }
}
