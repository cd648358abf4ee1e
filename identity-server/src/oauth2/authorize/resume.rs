//! The browser comes back with a page's decision.
//!
//! A verifier works once, in the browser that started the flow, and before the flow has expired.

use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use time::{Duration, OffsetDateTime};

use super::Visit;
use super::browser::{Kind, fresh_value};
use super::refusal::Refusal;
use super::request::AuthorizationRequest;
use super::response::{redirect, with_query};
use crate::oauth2::client::Client;
use crate::oauth2::error::OAuthError;
use crate::oauth2::flow::{Consent, ConsentStage, Decision, Flow, Login};
use crate::oauth2::redirect_uri;
use crate::oauth2::tokens::{Code, Grant, GrantDetails, LoginSession};
use crate::oidc::id_token;
use crate::secret::digest;
use crate::storage::Transaction;

/// Brings back the login page's decision: on to the consent page, or the client learns why not.
pub(super) async fn after_login(visit: &Visit<'_>, verifier: &str) -> Result<Response, Refusal> {
    let (app, settings, now) = (visit.app, visit.app.settings(), visit.app.clock().now());
    let mut tx = app.storage().begin().await?;
    let before = find(visit, &mut *tx, verifier, now).await?;
    let (decision, flow) = before.clone().take_login().map_err(|_| out_of_turn())?;
    let login = match decision {
        Decision::Accepted(login) => login,
        Decision::Rejected(rejection) => return end(tx, &before, &flow, rejection.into()).await,
    };
    if let Err(error) = check_hint(visit, &flow.request, &login, now) {
        return end(tx, &before, &flow, error).await;
    }
    let client = client_of(&mut *tx, &flow).await?;
    let skip = may_skip_consent(&mut *tx, &client, &flow.request, &login, now).await?;
    if flow.request.prompt.none && !skip {
        let error = OAuthError::ConsentRequired("the person has to agree first".into());
        return end(tx, &before, &flow, error).await;
    }
    let cookies = remember(visit, &mut *tx, &flow, &login, now).await?;
    let consent_request_id = app.entropy().uuid()?.to_string();
    let challenge = app.entropy().token(24)?;
    let flow = flow.await_consent(
        challenge.clone(),
        ConsentStage {
            login,
            skip,
            consent_request_id,
        },
    );
    save(&mut *tx, &before, &flow).await?;
    tx.commit().await?;
    let page = settings
        .urls
        .consent
        .clone()
        .unwrap_or_else(|| settings.public_url("/consent"));
    Ok((
        cookies,
        redirect(&with_query(&page, &[("consent_challenge", challenge)])),
    )
        .into_response())
}

/// Brings back the consent page's decision: the client gets its code, or learns why not.
pub(super) async fn after_consent(visit: &Visit<'_>, verifier: &str) -> Result<Response, Refusal> {
    let (app, settings, now) = (visit.app, visit.app.settings(), visit.app.clock().now());
    let mut tx = app.storage().begin().await?;
    let before = find(visit, &mut *tx, verifier, now).await?;
    let (stage, decision, flow) = before.clone().take_consent().map_err(|_| out_of_turn())?;
    let consent = match decision {
        Decision::Accepted(consent) => consent,
        Decision::Rejected(rejection) => return end(tx, &before, &flow, rejection.into()).await,
    };
    let code = format!("ory_ac_{}", app.entropy().token(32)?);
    let code_ends = now.saturating_add(settings.ttl.auth_code.0);
    let scope = consent.scope.join(" ");
    let grant = grant(&flow, stage, consent, now, code_ends);
    let destination = &flow.request.destination;
    tx.insert_grant(&grant).await?;
    tx.insert_code(&Code {
        digest: digest(&code),
        grant_id: grant.id,
        redirect_uri: destination
            .redirect_uri_was_sent
            .then(|| destination.redirect_uri.clone()),
        challenge: flow.request.code_challenge.clone(),
        expires_at: code_ends,
        used_at: None,
    })
    .await?;
    save(&mut *tx, &before, &flow).await?;
    tx.commit().await?;
    Ok(destination.send(vec![("code", code), ("scope", scope)], &settings.issuer))
}

/// The flow that a verifier belongs to, if this browser may go on with it.
async fn find(
    visit: &Visit<'_>,
    tx: &mut dyn Transaction,
    verifier: &str,
    now: OffsetDateTime,
) -> Result<Flow, Refusal> {
    let flow = tx
        .flow_of_verifier(&digest(verifier))
        .await?
        .ok_or_else(out_of_turn)?;
    let binding = Kind::Binding.read(visit.app.settings(), &visit.cookies);
    if binding.is_none_or(|binding| digest(&binding) != flow.browser) {
        return Err(Refusal::Page(OAuthError::RequestForbidden(
            "this sign-in was started in another browser, or cookies are blocked; start again"
                .into(),
        )));
    }
    if flow.is_expired(now) {
        return Err(Refusal::Page(OAuthError::RequestUnauthorized(
            "the sign-in took too long; start again".into(),
        )));
    }
    Ok(flow)
}

fn out_of_turn() -> Refusal {
    Refusal::Page(OAuthError::RequestForbidden(
        "this step has been taken already; start again".into(),
    ))
}

async fn client_of(tx: &mut dyn Transaction, flow: &Flow) -> Result<Client, Refusal> {
    tx.client(&flow.request.client_id)
        .await?
        .ok_or_else(out_of_turn)
}

async fn save(tx: &mut dyn Transaction, before: &Flow, after: &Flow) -> Result<(), Refusal> {
    if tx.update_flow(before, after).await? {
        Ok(())
    } else {
        Err(out_of_turn())
    }
}

/// Ends the flow and tells the client why.
async fn end(
    mut tx: Box<dyn Transaction + '_>,
    before: &Flow,
    after: &Flow,
    error: OAuthError,
) -> Result<Response, Refusal> {
    save(&mut *tx, before, after).await?;
    tx.commit().await?;
    Err(Refusal::to(&after.request.destination, error))
}

/// The client expected somebody in particular.
fn check_hint(
    visit: &Visit<'_>,
    request: &AuthorizationRequest,
    login: &Login,
    now: OffsetDateTime,
) -> Result<(), OAuthError> {
    let Some(hint) = &request.unverified_id_token_hint else {
        return Ok(());
    };
    let expected = id_token::subject_of_hint(visit.app, hint, request.client_id.as_str(), now);
    if expected.as_deref() == Some(&login.subject) {
        return Ok(());
    }
    Err(OAuthError::LoginRequired(
        "somebody else has signed in than id_token_hint names".into(),
    ))
}

/// Whether the question can be skipped: the client is trusted with everything, or the person agreed before to all that
/// is asked. Not for a public client with a redirect URI of a custom scheme, which any application can claim.
async fn may_skip_consent(
    tx: &mut dyn Transaction,
    client: &Client,
    request: &AuthorizationRequest,
    login: &Login,
    now: OffsetDateTime,
) -> Result<bool, Refusal> {
    let target = request.destination.redirect_uri.as_str();
    let is_web = target.starts_with("https://") || target.starts_with("http://");
    let provable = !client.is_public() || (is_web && redirect_uri::is_secure(target, false));
    if request.prompt.consent || !provable {
        return Ok(false);
    }
    if client.profile.skip_consent {
        return Ok(true);
    }
    let remembered = tx
        .remembered_consents(&client.id, &login.subject, now)
        .await?;
    Ok(remembered.iter().any(|grant| {
        request
            .scope
            .iter()
            .all(|scope| grant.details.scope.contains(scope))
            && request
                .audience
                .iter()
                .all(|audience| grant.details.audience.contains(audience))
    }))
}

/// Remembers the sign-in in this browser if the login page asked for it, and forgets an earlier one if it did not. Our
/// own login page keeps its own memory.
async fn remember(
    visit: &Visit<'_>,
    tx: &mut dyn Transaction,
    flow: &Flow,
    login: &Login,
    now: OffsetDateTime,
) -> Result<CookieJar, Refusal> {
    let (settings, cookies) = (visit.app.settings(), visit.cookies.clone());
    if settings.urls.login.is_none() || (login.skipped && !login.extend_session_lifespan) {
        return Ok(cookies);
    }
    let old = Kind::Session.read(settings, &visit.cookies);
    let known = match &old {
        Some(cookie) => tx.login_session(&digest(cookie)).await?,
        None => None,
    };
    if let Some(known) = known.filter(|known| known.id != flow.session_id) {
        tx.delete_login_session(&known.id).await?;
    }
    if !login.remember {
        return Ok(if old.is_some() {
            Kind::Session.clear(settings, cookies)
        } else {
            cookies
        });
    }
    let lasting = match login.remember_for {
        0 => settings.ttl.authentication_session.0,
        seconds => Duration::seconds(seconds),
    };
    // A new value at every sign-in: one that somebody planted before is worth nothing afterwards.
    let value = fresh_value(visit.app.entropy())?;
    tx.save_login_session(&LoginSession {
        id: flow.session_id.clone(),
        cookie: digest(&value),
        subject: login.subject.clone(),
        authenticated_at: login.authenticated_at,
        identity_session_id: login.identity_session_id.clone(),
        expires_at: now.saturating_add(lasting),
    })
    .await?;
    Ok(Kind::Session.set(settings, cookies, &value, Some(lasting)))
}

fn grant(
    flow: &Flow,
    stage: ConsentStage,
    consent: Consent,
    now: OffsetDateTime,
    ends_at: OffsetDateTime,
) -> Grant {
    let login = stage.login;
    // A client that asked for an acr gets an answer, if only that none was reached.
    let unmet = || (!flow.request.hints.acr_values.is_empty()).then(|| "0".to_owned());
    Grant {
        id: stage.consent_request_id,
        client_id: flow.request.client_id.clone(),
        subject: login.subject,
        session_id: flow.session_id.clone(),
        details: GrantDetails {
            scope: consent.scope,
            audience: consent.audience,
            claims: consent.claims,
            nonce: flow.request.nonce.clone(),
            authenticated_at: login.authenticated_at,
            requested_at: flow.requested_at,
            acr: login.acr.or_else(unmet),
            amr: login.amr,
            remember_for: consent.remember_for,
            context: consent.context,
        },
        created_at: now,
        ends_at,
        remember: consent.remember,
        remember_until: (consent.remember_for > 0)
            .then(|| now.saturating_add(Duration::seconds(consent.remember_for))),
        revoked_at: None,
    }
}
