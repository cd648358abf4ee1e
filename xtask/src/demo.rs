//! `cargo xtask demo`: Envoy with our module, our server behind it, and a tour of requests.
//!
//! ```text
//!   the tour --> Envoy :8080 (access_rules.wasm) --> upstream :8081, which tells what it received
//!                     |
//!                     +-- key set, session checks --> gatepost :4444 (admin :4445), an SQLite file
//! ```

mod report;
mod seed;
mod stage;
mod tour;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Result, bail};

use crate::workspace::Workspace;

/// What `cargo xtask demo` can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// End after the tour, with exit status 0 only if every line was as expected.
    #[arg(long)]
    once: bool,
    /// Keep the server's database of the last demo (target/demo/gatepost) instead of beginning anew.
    #[arg(long)]
    keep_dir: bool,
}

/// Builds, starts everything, seeds, walks the tour, and stays up unless told otherwise.
///
/// # Errors
/// If something cannot be built, started or seeded; lines of the tour that surprise are no error
/// but make the result `false`.
pub fn run(workspace: &Workspace, options: &Options) -> Result<bool> {
    let interrupt = Interrupt::listen()?;
    let mut stage = stage::Stage::set(workspace, options.keep_dir, &interrupt)?;
    let people = seed::seed(&mut stage)?;
    interrupt.check()?;
    let passed = tour::walk(&mut stage, &people, &interrupt)?;
    if !options.once {
        report::addresses(&stage, &people);
        stage.stay(&interrupt)?;
        println!("stopped");
    }
    Ok(passed)
}

/// Ctrl-C or a polite request to end, noted so that everything is taken down in order.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&flag);
        ctrlc::set_handler(move || set.store(true, Ordering::SeqCst))?;
        Ok(Self(flag))
    }

    /// Whether somebody asked us to end.
    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Fails if somebody asked us to end.
    pub(crate) fn check(&self) -> Result<()> {
        if self.asked() {
            bail!("interrupted");
        }
        Ok(())
    }

    /// Sleeps a little, to be called in loops.
    pub(crate) fn pause() {
        thread::sleep(Duration::from_millis(100));
    }
}
