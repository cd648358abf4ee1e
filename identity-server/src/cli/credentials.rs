//! `gatepost credentials generate …`: the keys and hashes that access rules name. One file per kind
//! below `credentials/`.

mod api_key;
mod jwk;
mod jwks;
mod password;

use clap::{Args, Subcommand};

/// Make the keys and the hashes that access rules name.
#[derive(Debug, Subcommand)]
pub(super) enum Credentials {
    Generate(Generate),
}

/// Make a signing key, an API key, or the hash of a password.
///
/// Without the name of a kind this makes a signing key, as `oathkeeper credentials generate` does.
///
/// Examples:
///   gatepost credentials generate --alg ES256 > keys.json    for the mutator `id_token`
///   gatepost credentials generate api-key                    for the authenticator `api_key`
///   gatepost credentials generate password                   for the authenticator `basic`
#[derive(Debug, Args)]
#[command(
    verbatim_doc_comment,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(super) struct Generate {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    jwks: Option<jwks::JwksArgs>,
}

#[derive(Debug, Subcommand)]
enum What {
    Jwks(jwks::Jwks),
    ApiKey(api_key::ApiKey),
    Password(password::Password),
}

impl Credentials {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let Self::Generate(Generate { what, jwks }) = self;
        match (what, jwks) {
            (Some(What::Jwks(jwks)), _) => jwks.run(),
            (Some(What::ApiKey(key)), _) => key.run(),
            (Some(What::Password(password)), _) => password.run().await,
            (None, Some(jwks)) => jwks.run(),
            (None, None) => anyhow::bail!(
                "say what to make: `--alg ES256` for a signing key, or one of `jwks`, `api-key`, `password`"
            ),
        }
    }
}
