//! `gatepost create client`

use clap::Args;
use serde_json::{Map, Value, json};

use super::remote::AdminArgs;
use super::show::FormatArgs;

/// Register an OAuth2 client. A generated secret is shown once, here.
///
/// Examples:
///   gatepost create client --grant-type client_credentials --scope "read write"
///   gatepost create client --name Shop --grant-type authorization_code --grant-type refresh_token \
///       --response-type code --scope "openid offline_access" --redirect-uri http://127.0.0.1:4446/callback
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct CreateClient {
    #[command(flatten)]
    server: AdminArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// The client's id; a random one by default.
    #[arg(long)]
    id: Option<String>,
    /// The client's secret; a random one by default.
    #[arg(long, env = "GATEPOST_CLIENT_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// A name for people.
    #[arg(long)]
    name: Option<String>,
    /// What it may use to get tokens; repeat or separate with commas.
    #[arg(long, value_delimiter = ',', default_value = "authorization_code")]
    grant_type: Vec<String>,
    /// What it may ask the authorization endpoint for.
    #[arg(long, value_delimiter = ',', default_value = "code")]
    response_type: Vec<String>,
    /// Scopes that it may ask for, separated by spaces.
    #[arg(long)]
    scope: Option<String>,
    /// Where browsers may be sent back to.
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// Audiences that it may ask for.
    #[arg(long)]
    audience: Vec<String>,
    /// `client_secret_basic`, `client_secret_post`, `private_key_jwt`, or `none` for an app without a secret.
    #[arg(long)]
    token_endpoint_auth_method: Option<String>,
    /// `jwt` or `opaque`, instead of the server's `strategies.access_token`.
    #[arg(long)]
    access_token_strategy: Option<String>,
    /// Do not ask people for consent: for apps of your own.
    #[arg(long)]
    skip_consent: bool,
}

impl CreateClient {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.server.server()?;
        let request = server
            .http
            .post(server.address("/admin/clients"))
            .json(&self.body());
        let client = server.ask(request).await?;
        let columns = [
            "client_id",
            "client_secret",
            "client_name",
            "grant_types",
            "response_types",
            "scope",
            "redirect_uris",
        ];
        self.format.print(&client, &columns);
        Ok(())
    }

    /// Hydra's client document, with what was given.
    fn body(&self) -> Value {
        let mut body = Map::new();
        let texts = [
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("client_name", &self.name),
            ("scope", &self.scope),
            (
                "token_endpoint_auth_method",
                &self.token_endpoint_auth_method,
            ),
            ("access_token_strategy", &self.access_token_strategy),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                body.insert(key.into(), json!(text));
            }
        }
        let lists = [
            ("grant_types", &self.grant_type),
            ("response_types", &self.response_type),
            ("redirect_uris", &self.redirect_uri),
            ("audience", &self.audience),
        ];
        for (key, list) in lists {
            body.insert(key.into(), json!(list));
        }
        if self.skip_consent {
            body.insert("skip_consent".into(), json!(true));
        }
        Value::Object(body)
    }
}
