//! `gatepost perform authorization-code`

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Html;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use url::Url;

use super::client_credentials::TOKEN_COLUMNS;
use super::remote::{ClientArgs, PublicArgs, Server};
use super::show::FormatArgs;
use crate::entropy::{Entropy, SystemEntropy};
use crate::secret::same;

/// Sign in through a browser and get tokens (RFC 6749 §4.1, with PKCE).
///
/// Prints an address to open, waits on a loopback port for the browser to come back, and fetches the tokens. The
/// client must allow `http://127.0.0.1:4446/callback` (see `--port`) as redirect URI.
///
/// Examples:
///   gatepost perform authorization-code --client-id my-app --scope "openid offline_access"
///   gatepost perform authorization-code --client-id my-app --client-secret … --port 5555 --format json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct AuthorizationCode {
    #[command(flatten)]
    server: PublicArgs,
    #[command(flatten)]
    client: ClientArgs,
    #[command(flatten)]
    format: FormatArgs,
    /// Scopes to ask for, separated by spaces.
    #[arg(long, default_value = "openid")]
    scope: String,
    /// Audiences to ask for.
    #[arg(long)]
    audience: Vec<String>,
    /// The loopback port to wait on.
    #[arg(long, default_value_t = 4446)]
    port: u16,
    /// `login` makes the server ask for the password again, `none` makes it ask nothing.
    #[arg(long)]
    prompt: Option<String>,
    /// Seconds to wait for the browser.
    #[arg(long, default_value_t = 600)]
    patience: u64,
}

/// What the browser brought back.
type Callback = HashMap<String, String>;

impl AuthorizationCode {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let server = self.server.server()?;
        let listener = TcpListener::bind(("127.0.0.1", self.port))
            .await
            .with_context(|| {
                format!(
                    "cannot wait on `127.0.0.1:{}`; choose another port with `--port`",
                    self.port
                )
            })?;
        let redirect_uri = format!("http://{}/callback", listener.local_addr()?);
        let entropy: &dyn Entropy = &SystemEntropy::default();
        let (state, verifier) = (entropy.token(32)?, entropy.token(32)?);
        let address = self.address(&server, &redirect_uri, &state, &verifier)?;
        // On standard error, so that `--format json` leaves standard output to the tokens.
        eprintln!("Open this address in a browser:\n\n  {address}\n\nWaiting on {redirect_uri} …");
        let callback = tokio::time::timeout(Duration::from_secs(self.patience), wait(listener))
            .await
            .map_err(|_| anyhow!("nobody came back within {} seconds", self.patience))??;
        let code = checked(&callback, &state)?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", verifier.as_str()),
        ];
        let token = server
            .ask(self.client.token_request(&server, &fields))
            .await?;
        self.format.print(&token, &TOKEN_COLUMNS);
        Ok(())
    }

    fn address(
        &self,
        server: &Server,
        redirect_uri: &str,
        state: &str,
        verifier: &str,
    ) -> anyhow::Result<Url> {
        let mut address = Url::parse(&server.address("/oauth2/auth"))?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let mut query = address.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &self.scope)
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if !self.audience.is_empty() {
            query.append_pair("audience", &self.audience.join(" "));
        }
        if let Some(prompt) = &self.prompt {
            query.append_pair("prompt", prompt);
        }
        drop(query);
        Ok(address)
    }
}

/// Serves the callback until the browser has come once.
async fn wait(listener: TcpListener) -> anyhow::Result<Callback> {
    let (tell, mut came) = mpsc::channel(1);
    let routes = Router::new()
        .route("/callback", get(callback))
        .with_state(tell);
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await });
    let callback = came.recv().await.context("the callback listener ended")?;
    // Lets the page reach the browser before the process ends.
    tokio::time::sleep(Duration::from_millis(200)).await;
    serving.abort();
    Ok(callback)
}

async fn callback(
    State(tell): State<mpsc::Sender<Callback>>,
    Query(callback): Query<Callback>,
) -> Html<&'static str> {
    // Full means that the browser came twice; the first visit counts.
    let _ = tell.try_send(callback);
    Html("<!doctype html><title>Gatepost</title><p>Done. Go back to the terminal.")
}

/// The code, if the callback belongs to our request.
fn checked<'a>(callback: &'a Callback, state: &str) -> anyhow::Result<&'a str> {
    let value = |key: &str| callback.get(key).map(String::as_str);
    if !same(
        value("state").unwrap_or_default().as_bytes(),
        state.as_bytes(),
    ) {
        bail!("the browser came back with a `state` that is not ours; start again");
    }
    if let Some(error) = value("error") {
        bail!(
            "the server refused: {error}: {}",
            value("error_description").unwrap_or("no reason given")
        );
    }
    value("code").context("the browser came back without a code")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came_with(pairs: &[(&str, &str)]) -> Callback {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_callback_counts_only_with_our_state() {
        assert_eq!(
            checked(&came_with(&[("state", "s"), ("code", "c")]), "s").unwrap(),
            "c"
        );
        assert!(checked(&came_with(&[("state", "x"), ("code", "c")]), "s").is_err());
        assert!(checked(&came_with(&[("code", "c")]), "s").is_err());
    }

    #[test]
    fn a_refusal_is_passed_on() {
        let refused = came_with(&[
            ("state", "s"),
            ("error", "access_denied"),
            ("error_description", "no"),
        ]);
        assert!(
            checked(&refused, "s")
                .unwrap_err()
                .to_string()
                .contains("access_denied: no")
        );
    }
}
