//! `gatepost introspect token`

use std::io::Read as _;

use anyhow::Context;
use clap::Args;

use super::remote::AdminArgs;
use super::show::FormatArgs;

/// Ask whether a token is good, and what it stands for (RFC 7662).
///
/// Examples:
///   gatepost introspect token eyJhbGciOi…
///   gatepost perform client-credentials … --format json | jq -r .access_token | gatepost introspect token -
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Token {
    #[command(flatten)]
    server: AdminArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// Scopes that it must have been granted, separated by spaces.
    #[arg(long)]
    scope: Option<String>,
    /// The token; `-` reads it from standard input.
    token: String,
}

impl Token {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.server.server()?;
        let token = match self.token.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("cannot read the token from standard input")?;
                text.trim().to_owned()
            }
            token => token.to_owned(),
        };
        let mut fields = vec![("token", token.as_str())];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let request = server
            .http
            .post(server.address("/admin/oauth2/introspect"))
            .form(&fields);
        let columns = [
            "active",
            "sub",
            "client_id",
            "scope",
            "aud",
            "iss",
            "iat",
            "exp",
            "token_use",
            "token_type",
        ];
        self.format.print(&server.ask(request).await?, &columns);
        Ok(())
    }
}
