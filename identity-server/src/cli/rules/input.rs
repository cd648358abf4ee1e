//! The files that the verbs read.

use anyhow::bail;
use clap::Args;
use serde_json::Value;

use crate::rules::Files;

/// Which files to read.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// Oathkeeper's configuration file (YAML or JSON): the handlers' common part, and the matching strategy.
    #[arg(short, long, value_name = "FILE")]
    config: Option<String>,

    /// Rule files (YAML or JSON). Without any: those of `access_rules.repositories`, beside the configuration.
    #[arg(value_name = "RULES", required_unless_present = "config")]
    rules: Vec<String>,
}

impl Input {
    pub(super) fn read(&self) -> Files {
        Files::read(self.config.as_deref(), &self.rules)
    }

    /// As [`Input::read`], but a file that cannot be read is a failure of the command.
    pub(super) fn read_all(&self) -> anyhow::Result<(Value, Files)> {
        let files = self.read();
        if !files.unreadable.is_empty() {
            let lines: Vec<_> = files.unreadable.iter().map(ToString::to_string).collect();
            bail!("{}", lines.join("\n"));
        }
        Ok((files.config.clone().unwrap_or_default(), files))
    }
}
