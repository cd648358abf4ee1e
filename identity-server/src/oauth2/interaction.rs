//! What login and consent pages do with a challenge: look at it, accept it, reject it.
//!
//! Two callers: Gatepost's own pages call these functions; other people's pages reach them through [`http`], in
//! Hydra's shapes. Accepting or rejecting answers the address to send the browser to next.
//!
//! # For the built-in pages
//! They keep no second sign-in of their own: while `urls.login` is unset, no browser is remembered here, `skip` is
//! never set, and the page decides by the identity's own session.
//! - A session whose sign-in satisfies [`LoginRequest::is_satisfied_by`] is accepted at once, with
//!   [`AcceptLogin::authenticated_at`] set to the time of that sign-in. Otherwise the person signs in (again).
//! - If nobody can be accepted at once and [`LoginRequest::must_not_ask`], call [`reject_login`] with `login_required`.
//! - If [`ConsentRequest::skip`], accept with everything that was asked for, without showing a page.

pub mod http;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::client::Client;
use super::flow::{
    Consent, ConsentStage, Decision, Flow, Login, OutOfTurn, Rejection, SessionClaims,
};
use crate::app::App;
use crate::entropy::EntropyError;
use crate::error::ApiError;
use crate::secret::digest;
use crate::storage::{StorageError, Transaction};

/// Why a challenge could not be served.
#[derive(Debug, thiserror::Error)]
pub enum InteractionError {
    /// No such challenge, or it ended long ago.
    #[error("there is no such challenge")]
    NotFound,
    /// The challenge has been used; the browser may start again at `redirect_to`.
    #[error("the challenge has been used already")]
    Handled {
        /// The original request.
        redirect_to: String,
    },
    /// The person took longer than `ttl.login_consent_request`.
    #[error("the challenge has expired; start again")]
    Expired,
    /// The page's answer does not fit the challenge.
    #[error("{0}")]
    Invalid(String),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No verifier could be drawn.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl From<InteractionError> for ApiError {
    fn from(error: InteractionError) -> Self {
        match error {
            InteractionError::NotFound => Self::not_found(),
            InteractionError::Handled { .. } => Self::new(
                axum::http::StatusCode::GONE,
                "The challenge has been used already",
                error.to_string(),
            ),
            InteractionError::Expired => Self::new(
                axum::http::StatusCode::UNAUTHORIZED,
                "request_unauthorized",
                error.to_string(),
            ),
            InteractionError::Invalid(reason) => Self::malformed(reason),
            InteractionError::Storage(error) => error.into(),
            InteractionError::Entropy(error) => error.into(),
        }
    }
}

/// What a login page needs to know.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    flow: Flow,
    /// Who asks.
    pub client: Client,
}

impl LoginRequest {
    /// Whether a sign-in made at `authenticated_at` will do; if not, the person must sign in (again).
    #[must_use]
    pub fn is_satisfied_by(&self, authenticated_at: OffsetDateTime, now: OffsetDateTime) -> bool {
        self.flow.is_satisfied_by(authenticated_at, now)
    }

    /// `prompt=none`: no page may be shown.
    #[must_use]
    pub fn must_not_ask(&self) -> bool {
        self.flow.request.prompt.none
    }

    /// Whether the browser is remembered: accept [`subject`](Self::subject) without asking.
    #[must_use]
    pub fn skip(&self) -> bool {
        self.flow.remembered.is_some()
    }

    /// Who is remembered; empty unless [`skip`](Self::skip).
    #[must_use]
    pub fn subject(&self) -> &str {
        self.flow
            .remembered
            .as_ref()
            .map_or("", |login| login.subject.as_str())
    }

    /// The name that the client expects to sign in, if it knows.
    #[must_use]
    pub fn login_hint(&self) -> Option<&str> {
        self.flow.request.hints.login_hint.as_deref()
    }

    /// Scopes asked for.
    #[must_use]
    pub fn requested_scope(&self) -> &[String] {
        &self.flow.request.scope
    }

    /// Hydra's login request.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let flow = &self.flow;
        json!({
            "challenge": flow.challenge,
            "requested_scope": flow.request.scope,
            "requested_access_token_audience": flow.request.audience,
            "skip": self.skip(),
            "subject": self.subject(),
            "oidc_context": flow.request.hints,
            "client": self.client.to_json(None),
            "request_url": flow.request_url,
            "session_id": flow.session_id,
        })
    }
}

/// What a consent page needs to know.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    flow: Flow,
    stage: ConsentStage,
    /// Who asks.
    pub client: Client,
}

impl ConsentRequest {
    /// Whether nobody needs to be asked.
    #[must_use]
    pub fn skip(&self) -> bool {
        self.stage.skip
    }

    /// Who has signed in.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.stage.login.subject
    }

    /// Scopes asked for.
    #[must_use]
    pub fn requested_scope(&self) -> &[String] {
        &self.flow.request.scope
    }

    /// Audiences asked for.
    #[must_use]
    pub fn requested_audience(&self) -> &[String] {
        &self.flow.request.audience
    }

    /// The session behind the sign-in, as the login page named it.
    #[must_use]
    pub fn identity_session_id(&self) -> Option<&str> {
        self.stage.login.identity_session_id.as_deref()
    }

    /// Hydra's consent request.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (flow, stage) = (&self.flow, &self.stage);
        json!({
            "challenge": flow.consent_challenge,
            "consent_request_id": stage.consent_request_id,
            "requested_scope": flow.request.scope,
            "requested_access_token_audience": flow.request.audience,
            "skip": stage.skip,
            "subject": stage.login.subject,
            "oidc_context": flow.request.hints,
            "client": self.client.to_json(None),
            "request_url": flow.request_url,
            "login_challenge": flow.challenge,
            "login_session_id": flow.session_id,
            "acr": stage.login.acr.as_deref().unwrap_or_default(),
            "amr": stage.login.amr,
            "context": stage.login.context,
        })
    }
}

/// A login page's yes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AcceptLogin {
    /// Who has signed in.
    pub subject: String,
    /// Whether the browser shall be remembered. Without effect for the built-in pages.
    #[serde(deserialize_with = "null_is_default")]
    pub remember: bool,
    /// For how many seconds; 0 for `ttl.authentication_session`.
    #[serde(deserialize_with = "null_is_default")]
    pub remember_for: i64,
    /// Whether a skipped sign-in renews the memory.
    #[serde(deserialize_with = "null_is_default")]
    pub extend_session_lifespan: bool,
    /// How strong the sign-in was.
    pub acr: Option<String>,
    /// By which means: `pwd`, `otp`, … (RFC 8176).
    #[serde(deserialize_with = "null_is_default")]
    pub amr: Vec<String>,
    /// Notes for the consent page.
    pub context: Value,
    /// Pairwise subjects are not supported; must be empty.
    pub force_subject_identifier: Option<String>,
    /// The session behind the sign-in.
    pub identity_provider_session_id: Option<String>,
    /// When the person signed in; now, if `None`. For the built-in pages only.
    #[serde(skip)]
    pub authenticated_at: Option<OffsetDateTime>,
}

/// A consent page's yes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct AcceptConsent {
    /// Scopes granted: some or all of those asked for.
    #[serde(deserialize_with = "null_is_default")]
    pub grant_scope: Vec<String>,
    /// Audiences granted: some or all of those asked for.
    #[serde(deserialize_with = "null_is_default")]
    pub grant_access_token_audience: Vec<String>,
    /// Claims for the tokens.
    #[serde(deserialize_with = "null_is_default")]
    pub session: SessionClaims,
    /// Whether to skip the question next time.
    #[serde(deserialize_with = "null_is_default")]
    pub remember: bool,
    /// For how many seconds; 0 for ever.
    #[serde(deserialize_with = "null_is_default")]
    pub remember_for: i64,
    /// The page's own notes.
    pub context: Value,
}

/// A page's no.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Reject {
    /// The code for the client; `access_denied` if empty.
    pub error: Option<String>,
    /// The explanation for the client.
    pub error_description: Option<String>,
    /// Appended to the explanation.
    pub error_hint: Option<String>,
}

/// What a login page needs to know about a challenge.
///
/// # Errors
/// [`InteractionError`].
pub async fn login_request(app: &App, challenge: &str) -> Result<LoginRequest, InteractionError> {
    let mut tx = app.storage().read().await?;
    let flow = login_flow(&mut *tx, challenge, app.clock().now()).await?;
    let client = client_of(&mut *tx, &flow).await?;
    Ok(LoginRequest { flow, client })
}

/// What a consent page needs to know about a challenge.
///
/// # Errors
/// [`InteractionError`].
pub async fn consent_request(
    app: &App,
    challenge: &str,
) -> Result<ConsentRequest, InteractionError> {
    let mut tx = app.storage().read().await?;
    let (flow, stage) = consent_flow(&mut *tx, challenge, app.clock().now()).await?;
    let client = client_of(&mut *tx, &flow).await?;
    Ok(ConsentRequest {
        flow,
        stage,
        client,
    })
}

/// Somebody has signed in. Answers where to send the browser.
///
/// # Errors
/// [`InteractionError`]; [`InteractionError::Invalid`] also when the sign-in is older than the request allows.
pub async fn accept_login(
    app: &App,
    challenge: &str,
    accept: AcceptLogin,
) -> Result<String, InteractionError> {
    let now = app.clock().now();
    let mut tx = app.storage().begin().await?;
    let flow = login_flow(&mut *tx, challenge, now).await?;
    if flow
        .remembered
        .as_ref()
        .is_some_and(|known| known.subject != accept.subject)
    {
        // Somebody else is at the keyboard: start again, and do not skip.
        return Ok(again_with_login(&flow.request_url));
    }
    let login = accepted_login(accept, &flow, now)?;
    decide_login(app, tx, flow, Decision::Accepted(login)).await
}

/// Nobody signed in. Answers where to send the browser.
///
/// # Errors
/// [`InteractionError`].
pub async fn reject_login(
    app: &App,
    challenge: &str,
    reject: Reject,
) -> Result<String, InteractionError> {
    let mut tx = app.storage().begin().await?;
    let flow = login_flow(&mut *tx, challenge, app.clock().now()).await?;
    decide_login(app, tx, flow, Decision::Rejected(reject.into())).await
}

/// The person agrees. Answers where to send the browser.
///
/// # Errors
/// [`InteractionError`]; [`InteractionError::Invalid`] also when more is granted than was asked for.
pub async fn accept_consent(
    app: &App,
    challenge: &str,
    accept: AcceptConsent,
) -> Result<String, InteractionError> {
    let mut tx = app.storage().begin().await?;
    let (flow, stage) = consent_flow(&mut *tx, challenge, app.clock().now()).await?;
    let consent = accepted_consent(accept, &flow, &stage)?;
    decide_consent(app, tx, flow, Decision::Accepted(consent)).await
}

/// The person does not agree. Answers where to send the browser.
///
/// # Errors
/// [`InteractionError`].
pub async fn reject_consent(
    app: &App,
    challenge: &str,
    reject: Reject,
) -> Result<String, InteractionError> {
    let mut tx = app.storage().begin().await?;
    let (flow, _) = consent_flow(&mut *tx, challenge, app.clock().now()).await?;
    decide_consent(app, tx, flow, Decision::Rejected(reject.into())).await
}

async fn login_flow(
    tx: &mut dyn Transaction,
    challenge: &str,
    now: OffsetDateTime,
) -> Result<Flow, InteractionError> {
    let flow = tx
        .flow(challenge)
        .await?
        .ok_or(InteractionError::NotFound)?;
    if !flow.awaits_login() {
        return Err(InteractionError::Handled {
            redirect_to: flow.request_url,
        });
    }
    if flow.is_expired(now) {
        Err(InteractionError::Expired)
    } else {
        Ok(flow)
    }
}

async fn consent_flow(
    tx: &mut dyn Transaction,
    challenge: &str,
    now: OffsetDateTime,
) -> Result<(Flow, ConsentStage), InteractionError> {
    let flow = tx
        .flow_of_consent(challenge)
        .await?
        .ok_or(InteractionError::NotFound)?;
    let Some(stage) = flow.consent_stage().cloned() else {
        return Err(InteractionError::Handled {
            redirect_to: flow.request_url,
        });
    };
    if flow.is_expired(now) {
        Err(InteractionError::Expired)
    } else {
        Ok((flow, stage))
    }
}

async fn client_of(tx: &mut dyn Transaction, flow: &Flow) -> Result<Client, InteractionError> {
    tx.client(&flow.request.client_id)
        .await?
        .ok_or(InteractionError::NotFound)
}

fn accepted_login(
    accept: AcceptLogin,
    flow: &Flow,
    now: OffsetDateTime,
) -> Result<Login, InteractionError> {
    if accept.subject.is_empty() || accept.subject.len() > 255 {
        return Err(InteractionError::Invalid(
            "subject must have 1 to 255 bytes".into(),
        ));
    }
    if accept
        .force_subject_identifier
        .as_ref()
        .is_some_and(|subject| !subject.is_empty())
    {
        return Err(InteractionError::Invalid(
            "force_subject_identifier is not supported".into(),
        ));
    }
    let remembered_at = flow.remembered.as_ref().map(|known| known.authenticated_at);
    let authenticated_at = remembered_at
        .or(accept.authenticated_at)
        .unwrap_or(now)
        .min(now);
    if !flow.is_satisfied_by(authenticated_at, now) {
        return Err(InteractionError::Invalid(
            "the sign-in is older than the request allows; sign in again".into(),
        ));
    }
    Ok(Login {
        skipped: flow.remembered.is_some(),
        remember: accept.remember || flow.remembered.is_some(),
        subject: accept.subject,
        authenticated_at,
        remember_for: remember_for(accept.remember_for)?,
        extend_session_lifespan: accept.extend_session_lifespan,
        acr: accept.acr.filter(|acr| !acr.is_empty()),
        amr: accept.amr,
        context: accept.context,
        identity_session_id: accept
            .identity_provider_session_id
            .filter(|id| !id.is_empty()),
    })
}

fn accepted_consent(
    accept: AcceptConsent,
    flow: &Flow,
    stage: &ConsentStage,
) -> Result<Consent, InteractionError> {
    // Hydra does not check this; a mistaken page could then grant what the client may not even ask for.
    let beyond = |granted: &[String], asked: &[String]| {
        granted.iter().find(|value| !asked.contains(value)).cloned()
    };
    if let Some(scope) = beyond(&accept.grant_scope, &flow.request.scope) {
        return Err(InteractionError::Invalid(format!(
            "the scope '{scope}' was not asked for"
        )));
    }
    if let Some(audience) = beyond(&accept.grant_access_token_audience, &flow.request.audience) {
        return Err(InteractionError::Invalid(format!(
            "the audience '{audience}' was not asked for"
        )));
    }
    Ok(Consent {
        scope: accept.grant_scope,
        audience: accept.grant_access_token_audience,
        claims: accept.session,
        // What was skipped is remembered already, or needs no memory.
        remember: accept.remember && !stage.skip,
        remember_for: remember_for(accept.remember_for)?,
        context: accept.context,
    })
}

/// A century at most: no sum with a time can overflow.
fn remember_for(seconds: i64) -> Result<i64, InteractionError> {
    let longest = Duration::weeks(5200).whole_seconds();
    if (0..=longest).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(InteractionError::Invalid(
            "remember_for must be a number of seconds, at most a century".into(),
        ))
    }
}

async fn decide_login(
    app: &App,
    tx: Box<dyn Transaction + '_>,
    flow: Flow,
    decision: Decision<Login>,
) -> Result<String, InteractionError> {
    let verifier = app.entropy().token(32)?;
    let next = flow.clone().decide_login(decision, digest(&verifier));
    save(tx, flow, next).await?;
    Ok(app
        .settings()
        .public_url(&format!("/oauth2/auth?login_verifier={verifier}")))
}

async fn decide_consent(
    app: &App,
    tx: Box<dyn Transaction + '_>,
    flow: Flow,
    decision: Decision<Consent>,
) -> Result<String, InteractionError> {
    let verifier = app.entropy().token(32)?;
    let next = flow.clone().decide_consent(decision, digest(&verifier));
    save(tx, flow, next).await?;
    Ok(app
        .settings()
        .public_url(&format!("/oauth2/auth?consent_verifier={verifier}")))
}

async fn save(
    mut tx: Box<dyn Transaction + '_>,
    before: Flow,
    after: Result<Flow, OutOfTurn>,
) -> Result<(), InteractionError> {
    let Ok(after) = after else {
        return Err(InteractionError::Handled {
            redirect_to: before.request_url,
        });
    };
    if !tx.update_flow(&before, &after).await? {
        return Err(InteractionError::Handled {
            redirect_to: before.request_url,
        });
    }
    Ok(tx.commit().await?)
}

/// The original request, with `prompt=login` in place of what it said.
fn again_with_login(request_url: &str) -> String {
    let Ok(mut url) = url::Url::parse(request_url) else {
        return request_url.to_owned();
    };
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "prompt")
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(kept)
        .append_pair("prompt", "login");
    url.into()
}

impl From<Reject> for Rejection {
    fn from(reject: Reject) -> Self {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let description = given(reject.error_description).unwrap_or_else(|| {
            "The resource owner or the authorization server denied the request".into()
        });
        Self {
            error: given(reject.error).unwrap_or_else(|| "access_denied".into()),
            description: given(reject.error_hint)
                .map_or(description.clone(), |hint| format!("{description} {hint}")),
        }
    }
}

/// Where a decision leads.
#[derive(Debug, Serialize)]
pub struct RedirectTo {
    /// The address for the browser.
    pub redirect_to: String,
}

fn null_is_default<'de, D: serde::Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
