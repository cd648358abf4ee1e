//! `gatepost rules bundle`: one plugin configuration made of many files.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;

use super::print;
use crate::rules::{Bundling, Files, bundle};

/// Check rule files and write the configuration of the wasm module `access-rules`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules bundle -c oathkeeper.yaml rules.json --cluster http://127.0.0.1:4444=gatepost
  gatepost rules bundle -c oathkeeper.yaml rules/*.yaml --cluster https://id.example.com=id -o plugin.json

Give the result to the proxy as the plugin's configuration. Every mistake is reported at once, with file,
rule and key; nothing is written while there is one. Key sets at `file://` URLs become part of the result;
`digest` names its content, and the proxy's log tells it once it is in force.")]
pub(in crate::cli) struct Bundle {
    /// Oathkeeper's configuration file (YAML or JSON): which handlers are enabled, and how.
    #[arg(short, long, value_name = "FILE")]
    config: String,

    /// Rule files (YAML or JSON). Without any: those of `access_rules.repositories`, beside the configuration.
    #[arg(value_name = "RULES")]
    rules: Vec<String>,

    /// The proxy's cluster for an origin that rules call (key sets, session checks). Repeat for each.
    #[arg(long = "cluster", value_name = "ORIGIN=CLUSTER", value_parser = cluster)]
    clusters: Vec<(String, String)>,

    /// Let the proxy's access log show which rule decided (Envoy: `%FILTER_STATE(wasm.gatepost.rule:PLAIN)%`).
    #[arg(long)]
    decision_metadata: bool,

    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Bundle {
    /// Fails with every mistake in the files, a line each.
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let files = Files::read(Some(&self.config), &self.rules);
        let with = Bundling {
            clusters: self.clusters.into_iter().collect(),
            decision_metadata: self.decision_metadata,
        };
        let bundle = match bundle(&files, &with) {
            Ok(bundle) => bundle,
            Err(mistakes) => {
                let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                bail!("{}", lines.join("\n"));
            }
        };
        for url in &bundle.secrets {
            eprintln!(
                "warning: the key set `{url}` holds private keys, and now the plugin's configuration does: keep \
                 it as secret as the keys (in Kubernetes a Secret, not a ConfigMap; not in version control)"
            );
        }
        let text = serde_json::to_string_pretty(&bundle.plugin)?;
        match self.output {
            Some(file) => std::fs::write(&file, text)
                .with_context(|| format!("cannot write `{}`", file.display()))?,
            None => print(&text)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `http://127.0.0.1:4444=gatepost`. The name of an Istio cluster holds no `=`, an origin neither.
fn cluster(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((origin, cluster)) if origin.contains("://") && !cluster.is_empty() => {
            Ok((origin.trim_end_matches('/').to_owned(), cluster.to_owned()))
        }
        _ => Err("write it like `http://127.0.0.1:4444=gatepost`".to_owned()),
    }
}
