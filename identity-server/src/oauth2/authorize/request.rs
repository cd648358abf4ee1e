//! An authorization request, from parameters to something that can be trusted.
//!
//! Two steps, because they fail differently. [`Destination::resolve`] finds out where answers go; until it succeeds
//! nothing may be sent to the client, and a refusal is shown on the error page. [`AuthorizationRequest::parse`] checks
//! the rest; its refusals are sent to that destination.

use serde::{Deserialize, Serialize};

use crate::config::Scopes;
use crate::id::ClientId;
use crate::oauth2::client::Client;
use crate::oauth2::error::OAuthError;
use crate::oauth2::params::Params;
use crate::oauth2::pkce::CodeChallenge;
use crate::oauth2::redirect_uri;
use crate::oauth2::scope::{check_audiences, check_scopes};

/// The shortest `state` and `nonce` (Hydra's rule): fewer characters can be guessed.
const SHORTEST_STATE: usize = 8;

/// Longest value that is carried through the login and consent pages.
const LONGEST_VALUE: usize = 4096;

/// What the server's configuration says about requests.
#[derive(Debug, Clone, Copy)]
pub struct RequestRules {
    /// How scopes are compared.
    pub scope_strategy: Scopes,
    /// Whether every client must use PKCE.
    pub pkce_enforced: bool,
    /// Whether at least public clients must.
    pub pkce_enforced_for_public_clients: bool,
    /// Whether plain http redirects are allowed.
    pub dev: bool,
}

/// How a response reaches the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// By a form that submits itself.
    FormPost,
}

impl ResponseMode {
    /// Every mode, for discovery.
    pub const NAMES: [&'static str; 3] = ["query", "fragment", "form_post"];

    fn parse(name: Option<&str>) -> Result<Self, OAuthError> {
        match name {
            None | Some("query") => Ok(Self::Query),
            Some("fragment") => Ok(Self::Fragment),
            Some("form_post") => Ok(Self::FormPost),
            Some(_) => Err(OAuthError::UnsupportedResponseMode(
                "response_mode must be query, fragment or form_post".into(),
            )),
        }
    }
}

/// Where the answer to an authorization request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// A redirect URI of the client.
    pub redirect_uri: String,
    /// Whether the request named it: then the token request must repeat it.
    pub redirect_uri_was_sent: bool,
    /// How to send.
    pub mode: ResponseMode,
    /// The client's `state`, returned as it came.
    pub state: Option<String>,
}

impl Destination {
    /// Finds out where to answer.
    ///
    /// # Errors
    /// A refusal that must be shown here and never be sent to the client.
    pub fn resolve(params: &Params, client: &Client, dev: bool) -> Result<Self, OAuthError> {
        let mode = ResponseMode::parse(params.get("response_mode"))?;
        let sent = params.get("redirect_uri");
        let is_openid = params.list("scope").iter().any(|scope| scope == "openid");
        let redirect_uri = redirect_uri::resolve(&client.profile.redirect_uris, sent, !is_openid)?;
        if !redirect_uri::is_secure(&redirect_uri, dev) {
            return Err(OAuthError::InvalidRequest(
                "the redirect_uri uses plain http, which is allowed only for localhost and loopback addresses".into(),
            ));
        }
        let state = params
            .get("state")
            .filter(|state| state.len() <= LONGEST_VALUE)
            .map(str::to_owned);
        Ok(Self {
            redirect_uri,
            redirect_uri_was_sent: sent.is_some(),
            mode,
            state,
        })
    }
}

/// What the `prompt` parameter asks for (OpenID Connect Core §3.1.2.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// No page may be shown.
    pub none: bool,
    /// The person must sign in again (`login`, and `select_account` as in Hydra).
    pub login: bool,
    /// The person must agree again.
    pub consent: bool,
}

impl Prompt {
    /// The values understood, for discovery.
    pub const NAMES: [&'static str; 4] = ["none", "login", "consent", "select_account"];

    fn parse(values: &[String]) -> Result<Self, OAuthError> {
        let mut prompt = Self::default();
        for value in values {
            match value.as_str() {
                "none" => prompt.none = true,
                "login" | "select_account" => prompt.login = true,
                "consent" => prompt.consent = true,
                _ => {
                    return Err(invalid(
                        "prompt must hold none, login, consent or select_account",
                    ));
                }
            }
        }
        if prompt.none && values.len() > 1 {
            return Err(invalid("prompt=none cannot be combined with another value"));
        }
        Ok(prompt)
    }
}

/// A checked authorization request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes.
    pub destination: Destination,
    /// Scopes asked for; the client may have all of them.
    pub scope: Vec<String>,
    /// Audiences asked for; the client may have all of them.
    pub audience: Vec<String>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// Binds the code to whoever started the request.
    pub code_challenge: Option<CodeChallenge>,
    /// Which pages must or must not be shown.
    pub prompt: Prompt,
    /// The oldest sign-in that will do, in seconds.
    pub max_age: Option<u64>,
    /// An ID token of ours naming who should be signed in; not verified here.
    pub unverified_id_token_hint: Option<String>,
    /// Hints for the login page, as they came.
    pub hints: Hints,
}

/// Hints that are passed through to the login and consent pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// `acr_values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// `ui_locales`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui_locales: Vec<String>,
    /// `display`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// `login_hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
}

impl AuthorizationRequest {
    /// Checks everything but the destination.
    ///
    /// # Errors
    /// A refusal to send to the destination.
    pub fn parse(
        params: &Params,
        client: &Client,
        destination: Destination,
        rules: RequestRules,
    ) -> Result<Self, OAuthError> {
        refuse_unsupported(params)?;
        check_lengths(params)?;
        let scope = params.list("scope");
        check_scopes(rules.scope_strategy, &client.profile.scope, &scope)?;
        let audience = params.list("audience");
        check_audiences(&client.profile.audience, &audience)?;
        check_response_type(params, client)?;
        check_state(&destination)?;
        let nonce = check_nonce(params)?;
        let pkce_required =
            rules.pkce_enforced || (rules.pkce_enforced_for_public_clients && client.is_public());
        Ok(Self {
            client_id: client.id.clone(),
            destination,
            scope,
            audience,
            nonce,
            code_challenge: CodeChallenge::from_params(params, pkce_required)?,
            prompt: Prompt::parse(&params.list("prompt"))?,
            max_age: max_age(params)?,
            unverified_id_token_hint: params.get("id_token_hint").map(str::to_owned),
            hints: Hints {
                acr_values: params.list("acr_values"),
                ui_locales: params.list("ui_locales"),
                display: params.get("display").map(str::to_owned),
                login_hint: params.get("login_hint").map(str::to_owned),
            },
        })
    }

    /// Whether an ID token is asked for.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scope.iter().any(|scope| scope == "openid")
    }
}

fn refuse_unsupported(params: &Params) -> Result<(), OAuthError> {
    if params.get("request").is_some() {
        return Err(OAuthError::RequestNotSupported(
            "request objects are not supported; send plain parameters".into(),
        ));
    }
    if params.get("request_uri").is_some() {
        return Err(OAuthError::RequestUriNotSupported(
            "request_uri is not supported; send plain parameters".into(),
        ));
    }
    if params.get("registration").is_some() {
        return Err(OAuthError::RegistrationNotSupported(
            "the parameter registration is not supported".into(),
        ));
    }
    Ok(())
}

/// What is stored for half an hour per request must not be the sender's choice of size.
fn check_lengths(params: &Params) -> Result<(), OAuthError> {
    for name in [
        "state",
        "nonce",
        "scope",
        "acr_values",
        "ui_locales",
        "display",
        "login_hint",
        "prompt",
    ] {
        if params
            .get(name)
            .is_some_and(|value| value.len() > LONGEST_VALUE)
        {
            return Err(OAuthError::InvalidRequest(format!(
                "the parameter '{name}' is longer than {LONGEST_VALUE} bytes"
            )));
        }
    }
    Ok(())
}

fn check_response_type(params: &Params, client: &Client) -> Result<(), OAuthError> {
    let unsupported = |hint: &str| Err(OAuthError::UnsupportedResponseType(hint.to_owned()));
    match params.get("response_type") {
        None => unsupported("the parameter 'response_type' is missing"),
        Some("code") if client.may_use_response_type("code") => Ok(()),
        Some("code") => unsupported("the client is not registered for response_type=code"),
        Some(_) => unsupported("only response_type=code is supported"),
    }
}

fn check_state(destination: &Destination) -> Result<(), OAuthError> {
    let long_enough = destination
        .state
        .as_ref()
        .is_some_and(|state| state.len() >= SHORTEST_STATE);
    if long_enough {
        return Ok(());
    }
    Err(OAuthError::InvalidState(format!(
        "the parameter 'state' must have at least {SHORTEST_STATE} characters"
    )))
}

fn check_nonce(params: &Params) -> Result<Option<String>, OAuthError> {
    match params.get("nonce") {
        Some(nonce) if nonce.len() < SHORTEST_STATE => Err(OAuthError::InsufficientEntropy(
            format!("the parameter 'nonce' must have at least {SHORTEST_STATE} characters"),
        )),
        nonce => Ok(nonce.map(str::to_owned)),
    }
}

fn max_age(params: &Params) -> Result<Option<u64>, OAuthError> {
    let Some(text) = params.get("max_age") else {
        return Ok(None);
    };
    // At most ten digits: no sum with a time can overflow.
    let digits = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    seconds
        .map(Some)
        .ok_or_else(|| invalid("max_age must be a whole number of seconds"))
}

fn invalid(hint: &str) -> OAuthError {
    OAuthError::InvalidRequest(hint.to_owned())
}

#[cfg(test)]
mod tests;
