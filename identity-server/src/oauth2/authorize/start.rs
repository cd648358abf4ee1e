//! The client's request arrives: check it, remember it, send the browser to the login page.

use axum::response::{IntoResponse, Response};
use time::OffsetDateTime;

use super::Visit;
use super::browser::{Kind, fresh_value};
use super::refusal::Refusal;
use super::request::{AuthorizationRequest, Destination, RequestRules};
use super::response::{redirect, with_query};
use crate::config::Settings;
use crate::id::ClientId;
use crate::oauth2::client::Client;
use crate::oauth2::error::OAuthError;
use crate::oauth2::flow::{Flow, RememberedLogin, Stage, is_recent};
use crate::oauth2::tokens::LoginSession;
use crate::oidc::id_token;
use crate::secret::digest;

/// Answers a fresh authorization request.
pub(super) async fn start(visit: &Visit<'_>) -> Result<Response, Refusal> {
    let (app, settings, now) = (visit.app, visit.app.settings(), visit.app.clock().now());
    let (client, session) = load(visit, now).await?;
    let destination =
        Destination::resolve(&visit.params, &client, settings.dev).map_err(Refusal::Page)?;
    let request =
        AuthorizationRequest::parse(&visit.params, &client, destination.clone(), rules(settings))
            .map_err(|error| Refusal::to(&destination, error))?;
    let remembered = remembered(visit, &request, session.as_ref(), now)
        .map_err(|error| Refusal::to(&destination, error))?;

    let binding = match Kind::Binding.read(settings, &visit.cookies) {
        Some(value) => value,
        None => fresh_value(app.entropy())?,
    };
    let session_id = match session.filter(|_| remembered.is_some()) {
        Some(session) => session.id,
        None => app.entropy().uuid()?.to_string(),
    };
    let flow = Flow {
        challenge: app.entropy().token(24)?,
        consent_challenge: None,
        verifier: None,
        request,
        request_url: settings.public_url(&format!("/oauth2/auth?{}", visit.query)),
        browser: digest(&binding),
        session_id,
        remembered,
        requested_at: now,
        expires_at: now.saturating_add(settings.ttl.login_consent_request.0),
        stage: Stage::Login,
        revision: 0,
    };
    let mut tx = app.storage().begin().await?;
    tx.insert_flow(&flow).await?;
    tx.commit().await?;

    let page = settings
        .urls
        .login
        .clone()
        .unwrap_or_else(|| settings.public_url("/login"));
    let cookies = Kind::Binding.set(settings, visit.cookies.clone(), &binding, None);
    Ok((
        cookies,
        redirect(&with_query(&page, &[("login_challenge", flow.challenge)])),
    )
        .into_response())
}

/// The client, and what the browser remembers. While our own login page is used, the identity's own session is the
/// only memory: two memories would disagree after a sign-out.
async fn load(
    visit: &Visit<'_>,
    now: OffsetDateTime,
) -> Result<(Client, Option<LoginSession>), Refusal> {
    let settings = visit.app.settings();
    let id = ClientId::new(visit.params.required("client_id").map_err(Refusal::Page)?);
    let mut tx = visit.app.storage().read().await?;
    let client = tx.client(&id).await?.ok_or_else(|| {
        Refusal::Page(OAuthError::InvalidClient {
            hint: "the client is unknown".into(),
            basic: false,
        })
    })?;
    let cookie = Kind::Session
        .read(settings, &visit.cookies)
        .filter(|_| settings.urls.login.is_some());
    let session = match cookie {
        Some(cookie) => tx
            .login_session(&digest(&cookie))
            .await?
            .filter(|session| now < session.expires_at),
        None => None,
    };
    Ok((client, session))
}

fn rules(settings: &Settings) -> RequestRules {
    RequestRules {
        scope_strategy: settings.strategies.scope,
        pkce_enforced: settings.oauth2.pkce.enforced,
        pkce_enforced_for_public_clients: settings.oauth2.pkce.enforced_for_public_clients,
        dev: settings.dev,
    }
}

/// The sign-in that will do without asking. `prompt=none` needs one (our own login page decides that for itself).
fn remembered(
    visit: &Visit<'_>,
    request: &AuthorizationRequest,
    session: Option<&LoginSession>,
    now: OffsetDateTime,
) -> Result<Option<RememberedLogin>, OAuthError> {
    let expected = match &request.unverified_id_token_hint {
        None => None,
        Some(hint) => Some(
            id_token::subject_of_hint(visit.app, hint, request.client_id.as_str(), now)
                .ok_or_else(|| {
                    OAuthError::InvalidRequest(
                        "id_token_hint is not an ID token that this server issued to the client"
                            .into(),
                    )
                })?,
        ),
    };
    let good = session.filter(|session| {
        !request.prompt.login
            && request
                .max_age
                .is_none_or(|max_age| is_recent(session.authenticated_at, max_age, now))
            && expected
                .as_ref()
                .is_none_or(|expected| *expected == session.subject)
    });
    let external_page = visit.app.settings().urls.login.is_some();
    if good.is_none() && request.prompt.none && external_page {
        return Err(OAuthError::LoginRequired(
            "nobody is signed in who would do for this request".into(),
        ));
    }
    Ok(good.map(|session| RememberedLogin {
        subject: session.subject.clone(),
        authenticated_at: session.authenticated_at,
    }))
}
