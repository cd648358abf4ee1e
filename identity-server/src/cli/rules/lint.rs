//! `gatepost rules lint`: what is wrong or doubtful, rule by rule.

use std::process::ExitCode;

use clap::Args;
use gatepost_policy::analysis::{self, Finding, Severity};

use crate::cli::show::Format;

use super::{input::Input, print};

/// Name every error and every doubtful thing in rule files, with what to do about it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules lint -c oathkeeper.yaml
  gatepost rules lint rules/*.yaml --deny-warnings
  gatepost rules lint -c oathkeeper.yaml rules.json --format json

Without --config every handler counts as enabled, the strategy is `regexp`, and nothing is missed that
the configuration might say. How rules lie to each other: see `gatepost rules analyze`.

Exit status: 0 without errors, 1 with errors (or with warnings, under --deny-warnings), 2 for wrong usage.
The codes are explained in docs/rules-cli.md.")]
pub(in crate::cli) struct Lint {
    #[command(flatten)]
    input: Input,

    /// Let warnings count as errors.
    #[arg(long)]
    deny_warnings: bool,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Lint {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let files = self.input.read();
        let mut findings = analysis::unreadable(&files.unreadable);
        findings.extend(analysis::lint(files.config.as_ref(), &files.sources()));
        match self.format {
            Format::Json => print(&serde_json::to_string_pretty(&findings)?)?,
            Format::Text => print(&text(&findings))?,
        }
        let bad = |finding: &Finding| match finding.severity {
            Severity::Error => true,
            Severity::Warning => self.deny_warnings,
            Severity::Note => false,
        };
        Ok(if findings.iter().any(bad) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

fn text(findings: &[Finding]) -> String {
    let mut text: String = findings.iter().map(paragraph).collect();
    let count = |severity, name: &str| {
        let count = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count();
        match count {
            1 => format!("1 {name}"),
            count => format!("{count} {name}s"),
        }
    };
    text.push_str(&format!(
        "{}, {}, {}",
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Note, "note"),
    ));
    text
}

/// `file:rule:key: severity[code]: message`, and the remedy.
fn paragraph(finding: &Finding) -> String {
    let place = &finding.place;
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let parts = [
        Some(place.file.as_deref().unwrap_or("configuration")),
        place.rule.as_deref(),
        Some(place.path.as_str()).filter(|path| !path.is_empty()),
    ];
    let place: Vec<&str> = parts.into_iter().flatten().collect();
    let remedy = match finding.remedy.as_str() {
        "" => String::new(),
        remedy => format!("  remedy: {remedy}\n"),
    };
    format!(
        "{}: {severity}[{}]: {}\n{remedy}\n",
        place.join(":"),
        finding.code,
        finding.message
    )
}
