//! `gatepost perform client-credentials`

use clap::Args;

use super::remote::{ClientArgs, PublicArgs};
use super::show::FormatArgs;

/// What a token answer may hold.
pub(super) const TOKEN_COLUMNS: [&str; 6] = [
    "access_token",
    "refresh_token",
    "id_token",
    "token_type",
    "expires_in",
    "scope",
];

/// Get an access token for the client itself (RFC 6749 §4.4).
///
/// Examples:
///   gatepost perform client-credentials --client-id my-client --client-secret … --scope read
///   GATEPOST_CLIENT_SECRET=… gatepost perform client-credentials --client-id my-client --format json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ClientCredentials {
    #[command(flatten)]
    server: PublicArgs,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// Scopes to ask for, separated by spaces.
    #[arg(long)]
    scope: Option<String>,
    /// Audiences to ask for.
    #[arg(long)]
    audience: Vec<String>,
}

impl ClientCredentials {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.server.server()?;
        let audience = self.audience.join(" ");
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        if !audience.is_empty() {
            fields.push(("audience", &audience));
        }
        let token = server
            .ask(self.client.token_request(&server, &fields))
            .await?;
        self.format.print(&token, &TOKEN_COLUMNS);
        Ok(())
    }
}
