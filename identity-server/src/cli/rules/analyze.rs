//! `gatepost rules analyze`: rules as a whole.

mod text;

use std::process::ExitCode;

use clap::Args;
use gatepost_policy::analysis::analyze;

use crate::cli::show::Format;

use super::{input::Input, print};

/// Find overlapping, shadowed and unreachable rules, what is open to everybody, and what matching costs.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules analyze -c oathkeeper.yaml
  gatepost rules analyze -c oathkeeper.yaml rules/*.yaml --format json

Of two rules that match the same request the shortest such request is shown; the matcher that decides
requests has confirmed it.

Exit status: 0 if no rules overlap undecidedly and every rule has an effect, 1 if not, 2 for wrong usage.
A file that cannot be read is 1 as well, with the reason on standard error.")]
pub(in crate::cli) struct Analyze {
    #[command(flatten)]
    input: Input,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Analyze {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let (config, files) = self.input.read_all()?;
        let analysis = analyze(&config, &files.sources());
        match self.format {
            Format::Json => print(&serde_json::to_string_pretty(&analysis)?)?,
            Format::Text => print(&text::of(&analysis))?,
        }
        Ok(if analysis.is_clean() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
