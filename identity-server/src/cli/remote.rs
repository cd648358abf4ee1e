//! Talking to a running server.

use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use reqwest::RequestBuilder;
use serde_json::Value;
use url::Url;

/// Where the admin listener is.
#[derive(Debug, Args)]
pub(super) struct AdminArgs {
    /// The server's admin address.
    #[arg(
        long,
        env = "GATEPOST_ADMIN_URL",
        default_value = "http://127.0.0.1:4445"
    )]
    endpoint: Url,
}

/// Where the public listener is.
#[derive(Debug, Args)]
pub(super) struct PublicArgs {
    /// The server's public address.
    #[arg(
        long,
        env = "GATEPOST_PUBLIC_URL",
        default_value = "http://127.0.0.1:4444"
    )]
    endpoint: Url,
}

impl AdminArgs {
    pub(super) fn server(&self) -> anyhow::Result<Server> {
        Server::new(&self.endpoint)
    }
}

impl PublicArgs {
    pub(super) fn server(&self) -> anyhow::Result<Server> {
        Server::new(&self.endpoint)
    }
}

/// How a client tells who it is.
#[derive(Debug, Args)]
pub(super) struct ClientArgs {
    /// The client's id.
    #[arg(long, env = "GATEPOST_CLIENT_ID")]
    pub(super) client_id: String,
    /// The client's secret; a public client has none. The environment keeps it out of the process list.
    #[arg(long, env = "GATEPOST_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// Send the secret in the form (`client_secret_post`) instead of the header (`client_secret_basic`).
    #[arg(long)]
    secret_in_form: bool,
}

impl ClientArgs {
    /// A token request with `fields` and this client's authentication (RFC 6749 §2.3.1).
    pub(super) fn token_request(&self, server: &Server, fields: &[(&str, &str)]) -> RequestBuilder {
        let mut fields = fields.to_vec();
        let request = server.http.post(server.address("/oauth2/token"));
        match &self.client_secret {
            Some(secret) if !self.secret_in_form => {
                // The RFC has id and secret form-encoded before they go into the header.
                request
                    .basic_auth(encoded(&self.client_id), Some(encoded(secret)))
                    .form(&fields)
            }
            secret => {
                fields.push(("client_id", &self.client_id));
                fields.extend(secret.as_deref().map(|secret| ("client_secret", secret)));
                request.form(&fields)
            }
        }
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A server somewhere.
pub(super) struct Server {
    base: Url,
    pub(super) http: reqwest::Client,
}

impl Server {
    fn new(base: &Url) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("cannot make an http client")?;
        Ok(Self {
            base: base.clone(),
            http,
        })
    }

    /// The address of `path`, which starts with `/`.
    pub(super) fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Sends a request and reads the JSON answer; anything but success is an error that says what the server said.
    pub(super) async fn ask(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await.map_err(|error| {
            anyhow!(
                "cannot reach `{}` ({}); is `gatepost serve` running there? `--endpoint` names another address",
                self.base,
                root(&error)
            )
        })?;
        let status = answer.status();
        let text = answer
            .text()
            .await
            .context("the server broke off its answer")?;
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(body);
        }
        let said = |key| body.get(key).and_then(Value::as_str).unwrap_or_default();
        match (said("error"), said("error_description")) {
            ("", _) => bail!(
                "`{}` answered {status}; is it the right listener of a gatepost?",
                self.base
            ),
            (error, "") => bail!("the server refused: {error} ({status})"),
            (error, description) => bail!("the server refused: {error}: {description} ({status})"),
        }
    }
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
