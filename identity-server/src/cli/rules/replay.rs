//! `gatepost rules replay`: an access log under old and new rules.

mod compare;
mod text;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use gatepost_policy::{Sources, compile};

use self::compare::Comparison;
use super::{print, scripted};
use crate::{
    cli::show::Format,
    rules::{Driver, Files, Scripted, read_log},
};

/// Send the requests of access logs through old and new rules, and tell what changes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules replay -c oathkeeper.yaml --old rules.json --new rules.new.json access.log
  gatepost rules replay --old-config old.yaml --new-config new.yaml --base https://app.example access.log saved.har

Logs may be Envoy's (JSON or the default text format), nginx's `combined`, Gatepost's decision log, or HTTP
archives. A log holds no credentials, so most requests are judged as if they had none: what is compared is which
rule decides, and how far the request comes. A decision that needs a call is told as such, unless `--replies`
answers it.

Exit status: 0 if nothing changes, 1 if something does.")]
pub(in crate::cli) struct Replay {
    /// Access logs.
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<String>,

    /// Oathkeeper's configuration file, for both sides.
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["old_config", "new_config"])]
    config: Option<String>,

    /// The configuration of the old side.
    #[arg(long, value_name = "FILE")]
    old_config: Option<String>,

    /// The configuration of the new side.
    #[arg(long, value_name = "FILE")]
    new_config: Option<String>,

    /// A rule file of the old side. Repeat for each. Without any: those that its configuration names.
    #[arg(long, value_name = "FILE")]
    old: Vec<String>,

    /// A rule file of the new side. Repeat for each.
    #[arg(long, value_name = "FILE")]
    new: Vec<String>,

    /// Scheme and host of requests whose log line does not say.
    #[arg(long, value_name = "URL", default_value = "http://localhost")]
    base: String,

    /// Answers to the calls that the rules make, the same for both sides (YAML or JSON).
    #[arg(long, value_name = "FILE")]
    replies: Option<String>,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Replay {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let base = self.base.trim_end_matches('/');
        ensure!(
            base.contains("://"),
            "`{base}` is no URL such as `https://app.example`"
        );
        let replies = match &self.replies {
            Some(file) => scripted::read(file)?,
            None => Scripted::default(),
        };
        let shared = self.config.as_deref();
        let mut old = driver("old", self.old_config.as_deref().or(shared), &self.old)?;
        let mut new = driver("new", self.new_config.as_deref().or(shared), &self.new)?;
        let mut comparison = Comparison::default();
        for log in &self.logs {
            let text =
                std::fs::read_to_string(log).with_context(|| format!("cannot read `{log}`"))?;
            for line in read_log(&text, base) {
                comparison.add(log, &line, &mut old, &mut new, &replies)?;
            }
        }
        match self.format {
            Format::Json => print(&serde_json::to_string_pretty(&comparison.report())?)?,
            Format::Text => print(text::of(&comparison.report()).trim_end())?,
        }
        Ok(if comparison.is_same() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn driver(side: &str, config: Option<&str>, rules: &[String]) -> anyhow::Result<Driver> {
    ensure!(
        config.is_some() || !rules.is_empty(),
        "there are no {side} rules; name them with `--{side}` or `--{side}-config`"
    );
    let files = Files::read(config, rules);
    let (key_sets, unread) = files.key_sets();
    let none = serde_json::Value::Null;
    let compiled = compile(&Sources {
        config: files.config.as_ref().unwrap_or(&none),
        rules: &files.sources(),
        documents: &key_sets.documents,
    });
    let mut mistakes = files.unreadable;
    mistakes.extend(unread);
    match compiled {
        Ok(policy) if mistakes.is_empty() => return Ok(Driver::new(policy)),
        Ok(_) => {}
        Err(errors) => mistakes.extend(errors.0),
    }
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    bail!("{}", lines.join("\n"))
}
