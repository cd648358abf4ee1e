//! `gatepost credentials generate jwks`: a key set with one private key.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::jwk;
use crate::cli::show;
use crate::entropy::{Entropy, SystemEntropy};

/// Make a key set with one private key, for the mutator `id_token` to sign with.
///
/// Printed as `oathkeeper credentials generate` prints it. Whoever has the file can sign in your name: keep it where
/// only the proxy's configuration comes from. `gatepost serve` publishes its public half at /.well-known/jwks.json
/// where `keys.also_publish` names the file.
///
/// Examples:
///   gatepost credentials generate jwks --alg ES256 > id_token.jwks.json
///   gatepost credentials generate jwks --alg RS256 --bits 3072 --kid 2026-11
///
/// And in Oathkeeper's configuration:
///   mutators:
///     id_token:
///       enabled: true
///       config: { issuer_url: https://proxy.example.com/, jwks_url: file:///etc/gatepost/id_token.jwks.json }
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Jwks {
    #[command(flatten)]
    key: JwksArgs,
}

/// Which key.
#[derive(Debug, Args)]
pub(super) struct JwksArgs {
    /// What it signs with. ES256 and EdDSA work on every proxy, RS… on an Envoy that can sign; PS… is for programs outside of
    /// proxies.
    #[arg(long, value_enum, ignore_case = true, value_name = "ALGORITHM")]
    alg: Algorithm,
    /// Its id in tokens and in the published set; random by default.
    #[arg(long)]
    kid: Option<String>,
    /// Its size, where there is a choice: 2048 (the default), 3072, 4096 or 8192 for RSA; for HMAC from the hash's
    /// size (the default) up to 4096.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    bits: Option<u32>,
}

/// What a key can sign with (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub(super) enum Algorithm {
    Es256,
    Es384,
    #[value(name = "EdDSA")]
    EdDsa,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Hs256,
    Hs384,
    Hs512,
}

impl Jwks {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.key.run()
    }
}

impl JwksArgs {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let entropy: &dyn Entropy = &SystemEntropy::default();
        let kid = match self.kid {
            Some(kid) if kid.trim().is_empty() => anyhow::bail!("`--kid` must not be empty"),
            Some(kid) => kid,
            None => entropy.uuid()?.to_string(),
        };
        let key = jwk::generate(self.alg, self.bits, &kid, entropy)?;
        let set =
            serde_json::to_string_pretty(&json!({"keys": [key]})).context("cannot write JSON")?;
        show::out(&format!("{set}\n"));
        Ok(())
    }
}
