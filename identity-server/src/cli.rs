//! The command line.

pub mod rules;

use std::process::ExitCode;

/// Runs the command that the process was started with.
pub async fn run() -> ExitCode {
    ExitCode::SUCCESS
}
