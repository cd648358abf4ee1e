//! `gatepost credentials generate api-key`: a random key, and its hash for the rules.

use clap::Args;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::cli::show::FormatArgs;
use crate::entropy::{Entropy, SystemEntropy};

/// What keys begin with, so that people and scanners of leaked secrets know what they see.
const PREFIX: &str = "gatepost_";

/// As many as cannot be guessed: 256 bits.
const BYTES: usize = 32;

/// Make an API key, and the hash of it for the authenticator `api_key`.
///
/// Give the key to whoever is to call; it is not kept. The rules get the hash only:
///
///   gatepost:
///     authenticators:
///       - handler: api_key
///         config: { keys: [ { id: ci, hash: "sha256:…" } ] }
///
/// Examples:
///   gatepost credentials generate api-key
///   gatepost credentials generate api-key --format json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ApiKey {
    #[command(flatten)]
    format: FormatArgs,
}

impl ApiKey {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let entropy: &dyn Entropy = &SystemEntropy::default();
        let key = format!("{PREFIX}{}", entropy.token(BYTES)?);
        let digest = Sha256::digest(&key);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.format.print(
            &json!({"key": key, "hash": format!("sha256:{hex}")}),
            &["key", "hash"],
        );
        Ok(())
    }
}
