//! `gatepost rules …`: access rules outside the proxy. One file per verb below `rules/`.

mod analyze;
mod bundle;
mod explain;
mod input;
mod lint;
mod replay;
mod schema;
mod scripted;
mod test;

use std::{io::Write as _, process::ExitCode};

use anyhow::Context as _;
use clap::Subcommand;

/// Work with access rules: Ory Oathkeeper's files, unmodified.
#[derive(Debug, Subcommand)]
pub(super) enum Rules {
    Analyze(analyze::Analyze),
    Bundle(bundle::Bundle),
    Lint(lint::Lint),
    Schema(schema::Schema),
    Explain(Box<explain::Explain>),
    Replay(replay::Replay),
    Test(test::Test),
}

impl Rules {
    /// Runs the command. The verbs that judge rules say with the status what they found.
    ///
    /// # Errors
    /// What kept the command from doing its work.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Analyze(analyze) => analyze.run(),
            Self::Bundle(bundle) => bundle.run(),
            Self::Lint(lint) => lint.run(),
            Self::Schema(schema) => schema.run(),
            Self::Explain(explain) => explain.run(),
            Self::Replay(replay) => replay.run(),
            Self::Test(test) => test.run(),
        }
    }
}

/// Writes what a command has to say, with a line break after it.
fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        // Whoever reads has seen enough: `… | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}
