//! `gatepost rules schema`: JSON Schema for editors.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gatepost_policy::analysis::{self, Document};

use super::print;

/// Write the JSON Schema (2020-12) of rule files or configurations, for editors and pipelines.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gatepost rules schema rules > access-rules.schema.json
  gatepost rules schema config > oathkeeper.schema.json

In a YAML file an editor then takes:  # yaml-language-server: $schema=access-rules.schema.json")]
pub(in crate::cli) struct Schema {
    /// What it is for.
    #[arg(value_enum, default_value_t = Kind::Rules)]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Files of access rules.
    Rules,
    /// Oathkeeper's configuration file.
    Config,
    /// The configuration of the wasm module `access-rules`.
    Plugin,
    /// The configuration of the wasm module `jwt-auth`.
    JwtAuth,
    /// The configuration of the wasm module `header-mutation`.
    HeaderMutation,
}

impl Schema {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let document = match self.kind {
            Kind::Rules => Document::Rules,
            Kind::Config => Document::Config,
            Kind::Plugin => Document::Plugin,
            Kind::JwtAuth => Document::JwtAuth,
            Kind::HeaderMutation => Document::HeaderMutation,
        };
        print(&serde_json::to_string_pretty(&analysis::schema(document))?)?;
        Ok(ExitCode::SUCCESS)
    }
}
