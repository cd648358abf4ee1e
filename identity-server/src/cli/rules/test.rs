//! `gatepost rules test`: cases against rules.

mod text;

use std::{path::Path, process::ExitCode};

use anyhow::ensure;
use clap::Args;
use gatepost_cases::{Case, play_case};
use serde::Serialize;

use super::print;
use crate::{
    cli::show::Format,
    keys::install_crypto,
    rules::{Coverage, Files, Trial},
};

/// Send the requests of case files to the rules, and check what becomes of each.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules test -c oathkeeper.yaml cases/*.yaml
  gatepost rules test -c oathkeeper.yaml --rules rules.json cases/*.yaml --coverage --min-coverage 80

A case file has requests, and what must become of them. Tokens are signed on the fly by keys that live as
long as the run; `key_sets` says which of them a URL serves:
  key_sets: { http://127.0.0.1:4444/.well-known/jwks.json: [RS256-1] }
  tokens:
    ada: { key: RS256-1, claims: { iss: http://127.0.0.1:4444, sub: ada, exp: 1767229200 } }
  requests:
    - name: a token opens the API
      at: 1767225600
      request: { url: http://app.example/api/hello, headers: [[authorization, \"Bearer ${ada}\"]] }
      expect: { status: 200, rule: api, headers: { x-user: ada } }

Exit status: 0 if every request ended as it must, and enough was reached; 1 if not.")]
pub(in crate::cli) struct Test {
    /// Case files (YAML or JSON).
    #[arg(value_name = "CASES", required = true)]
    cases: Vec<String>,

    /// Oathkeeper's configuration file. Without it and `--rules` each case brings its own `config` and `rules`.
    #[arg(short, long, value_name = "FILE")]
    config: Option<String>,

    /// A rule file. Repeat for each. Without any: those of `access_rules.repositories`, beside the configuration.
    #[arg(long, value_name = "FILE")]
    rules: Vec<String>,

    /// Tell which rules and handlers no request reached.
    #[arg(long)]
    coverage: bool,

    /// Fail if less than this share of rules and handlers was reached, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The result of a run.
#[derive(Serialize)]
struct Run {
    passed: usize,
    failed: usize,
    files: Vec<File>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    /// What the coverage should have been at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    min_coverage: Option<u8>,
}

#[derive(Serialize)]
struct File {
    file: String,
    cases: Vec<Played>,
}

#[derive(Serialize)]
struct Played {
    name: String,
    passed: bool,
    /// What is not as it must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

impl Test {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        install_crypto();
        let files = self.files()?;
        let mut trial = Trial::new(files.as_ref());
        let mut run = Run {
            passed: 0,
            failed: 0,
            files: Vec::new(),
            coverage: None,
            min_coverage: self.min_coverage,
        };
        for file in &self.cases {
            let case = Case::read(Path::new(file))?;
            let played: Vec<Played> = play_case(&case, &mut trial)
                .into_iter()
                .map(Played::of)
                .collect();
            let failed = played.iter().filter(|case| !case.passed).count();
            run.failed = run.failed.saturating_add(failed);
            run.passed = run
                .passed
                .saturating_add(played.len().saturating_sub(failed));
            run.files.push(File {
                file: file.clone(),
                cases: played,
            });
        }
        if self.coverage || self.min_coverage.is_some() {
            run.coverage = Some(trial.coverage());
        }
        match self.format {
            Format::Json => print(&serde_json::to_string_pretty(&run)?)?,
            Format::Text => print(text::of(&run).trim_end())?,
        }
        Ok(if run.failed == 0 && !run.is_short() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// The rules to test, if they do not come with the cases.
    fn files(&self) -> anyhow::Result<Option<Files>> {
        if self.config.is_none() && self.rules.is_empty() {
            return Ok(None);
        }
        let files = Files::read(self.config.as_deref(), &self.rules);
        let lines: Vec<_> = files.unreadable.iter().map(ToString::to_string).collect();
        ensure!(lines.is_empty(), "{}", lines.join("\n"));
        Ok(Some(files))
    }
}

impl Run {
    /// Whether less was reached than should be.
    fn is_short(&self) -> bool {
        let percent = self.coverage.as_ref().map(|coverage| coverage.percent);
        matches!((percent, self.min_coverage), (Some(percent), Some(least)) if percent < least.into())
    }
}

impl Played {
    fn of((name, result): (String, anyhow::Result<()>)) -> Self {
        Self {
            name,
            passed: result.is_ok(),
            failure: result.err().map(|failure| format!("{failure:#}")),
        }
    }
}
