//! `gatepost rules explain`: why one request is decided as it is.

mod request;
mod secrets;
mod text;

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use gatepost_policy::{
    ConfigError, Sources, compile,
    explain::{Explanation, near},
    trace::ShownCall,
};
use serde::Serialize;

use super::{input::Input, print, scripted};
use crate::{
    cli::show::Format,
    rules::{Answers, Driver, End, Network, Nobody},
};

/// Put one request to the rules, and tell what each rule and each handler makes of it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules explain -c oathkeeper.yaml --url http://app.example/api/orders
  gatepost rules explain -c oathkeeper.yaml --call --curl 'curl http://app.example/api -H \"Authorization: Bearer …\"'
  gatepost rules explain -c oathkeeper.yaml --har saved.har#3 --replies replies.yaml --format json

Where a rule needs a key set or asks a server, the answer comes from `--replies` or, with `--call`, from the
server itself; without either the explanation ends there. A file of replies is a list:
  - url: http://127.0.0.1:4444/sessions/whoami
    reply: { status: 200, json: { active: true, identity: { id: ada } } }

Tokens, cookies, keys and passwords of the request are masked wherever a rule copies them, as far as the names of
headers and parameters tell that they are some.

Exit status: 0 if the request is allowed, 1 if it is refused, or if a call was not answered.")]
pub(in crate::cli) struct Explain {
    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    request: request::RequestArgs,

    /// Answers to the calls that the rules make (YAML or JSON).
    #[arg(long, value_name = "FILE", conflicts_with = "call")]
    replies: Option<String>,

    /// Make the calls: fetch key sets, check sessions, ask authorizers.
    #[arg(long)]
    call: bool,

    /// How to print the result.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What is printed.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    explanation: Explanation,
    /// The call that nobody answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    unanswered: Option<Box<ShownCall>>,
    /// The rules that are not in force, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
}

impl Explain {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let subject = self.request.subject()?;
        let (config, files) = self.input.read_all()?;
        let sources = files.sources();
        let (key_sets, mistakes) = files.key_sets();
        if !mistakes.is_empty() {
            bail!("{}", lines(&mistakes).join("\n"));
        }
        let compiled = compile(&Sources {
            config: &config,
            rules: &sources,
            documents: &key_sets.documents,
        });
        let policy = match compiled {
            Ok(policy) => policy,
            Err(errors) => bail!("{}", lines(&errors.0).join("\n")),
        };
        let faults = lines(policy.faults());
        let end = Driver::new(policy).decide(&subject, &mut *self.answers()?)?;
        let report = match end {
            End::Decided(decision) => {
                let near = near(
                    &config,
                    &sources,
                    &decision.trace.clone().unwrap_or_default(),
                );
                Report {
                    explanation: Explanation::of(*decision, near),
                    unanswered: None,
                    faults,
                }
            }
            End::Stopped { call, trace } => {
                let near = near(&config, &sources, &trace.clone().unwrap_or_default());
                Report {
                    explanation: Explanation::unfinished(trace.as_deref(), near),
                    unanswered: Some(call),
                    faults,
                }
            }
        };
        let secrets = self.request.secrets()?;
        match self.format {
            Format::Json => {
                let mut report = serde_json::to_value(&report)?;
                secrets.mask_within(&mut report);
                print(&serde_json::to_string_pretty(&report)?)?;
            }
            Format::Text => {
                let text = text::of(&self.request.line(), &report);
                print(secrets.masked(&text).trim_end())?;
            }
        }
        Ok(if text::is_allowed(&report.explanation) {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn answers(&self) -> anyhow::Result<Box<dyn Answers>> {
        Ok(match &self.replies {
            Some(file) => Box::new(scripted::read(file)?),
            None if self.call => Box::new(Network::new()?),
            None => Box::new(Nobody),
        })
    }
}

fn lines(errors: &[ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
