//! `/admin/oauth2/auth/sessions/*`: what people have granted and where they are remembered, to look at and to end.

use std::collections::HashMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::client::Client;
use super::params::Params;
use super::tokens::Grant;
use crate::app::App;
use crate::error::ApiError;
use crate::id::ClientId;
use crate::storage::{StorageError, Transaction};

/// `GET …/consent?subject=`: the grants of a person, newest first, at most 500; of one login session if
/// `login_session_id` names it.
///
/// # Errors
/// 400 without `subject`.
pub async fn list_consents(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = parse(query)?;
    let subject = params
        .get("subject")
        .ok_or_else(|| ApiError::malformed("the query parameter 'subject' is missing"))?;
    let mut tx = app.storage().read().await?;
    let grants = tx
        .grants_of(subject, params.get("login_session_id"))
        .await?;
    let mut clients: HashMap<ClientId, Client> = HashMap::new();
    for grant in &grants {
        if !clients.contains_key(&grant.client_id)
            && let Some(client) = tx.client(&grant.client_id).await?
        {
            clients.insert(grant.client_id.clone(), client);
        }
    }
    let body: Vec<Value> = grants
        .iter()
        .map(|grant| entry(grant, clients.get(&grant.client_id)))
        .collect();
    Ok(Json(body).into_response())
}

/// `DELETE …/consent`: forgets consents and revokes what was issued because of them. Exactly one of
/// `consent_request_id`; `subject` and `client`; `subject` and `all=true`.
///
/// # Errors
/// 400 for any other combination.
pub async fn revoke_consents(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    let params = parse(query)?;
    let now = app.clock().now();
    let mut tx = app.storage().begin().await?;
    let get = |name| params.get(name);
    match (
        get("consent_request_id"),
        get("subject"),
        get("client"),
        get("all"),
    ) {
        (Some(id), None, None, None) => end(&mut *tx, id, now).await?,
        (None, Some(subject), Some(client), None) => {
            tx.end_grants_of(subject, Some(&ClientId::new(client)), now)
                .await?;
        }
        (None, Some(subject), None, Some("true")) => {
            tx.end_grants_of(subject, None, now).await?;
        }
        _ => {
            return Err(ApiError::malformed(
                "name exactly one of: consent_request_id; subject and client; subject and all=true",
            ));
        }
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE …/login`: browsers that remember a sign-in forget it, the one with the `sid` or all of a `subject`. Tokens
/// stay; revoke the consents to end these.
///
/// # Errors
/// 400 unless exactly one of `sid` and `subject` is named.
pub async fn revoke_logins(
    State(app): State<App>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, ApiError> {
    let params = parse(query)?;
    let mut tx = app.storage().begin().await?;
    match (params.get("sid"), params.get("subject")) {
        (Some(sid), None) => tx.delete_login_session(sid).await?,
        (None, Some(subject)) => tx.delete_login_sessions_of(subject).await?,
        _ => return Err(ApiError::malformed("name exactly one of sid and subject")),
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn end(
    tx: &mut dyn Transaction,
    grant: &str,
    now: OffsetDateTime,
) -> Result<(), StorageError> {
    tx.forget_consent(grant).await?;
    tx.revoke_grant(grant, now).await
}

fn entry(grant: &Grant, client: Option<&Client>) -> Value {
    let details = &grant.details;
    json!({
        "consent_request_id": grant.id,
        "grant_scope": details.scope,
        "grant_access_token_audience": details.audience,
        "session": details.claims,
        "remember": grant.remember,
        "remember_for": details.remember_for,
        "handled_at": grant.created_at.format(&Rfc3339).unwrap_or_default(),
        "context": details.context,
        "consent_request": {
            "challenge": "",
            "consent_request_id": grant.id,
            "requested_scope": details.scope,
            "requested_access_token_audience": details.audience,
            "subject": grant.subject,
            "login_session_id": grant.session_id,
            "acr": details.acr.as_deref().unwrap_or_default(),
            "amr": details.amr,
            "client": client.map(|client| client.to_json(None)),
        },
    })
}

fn parse(query: Option<String>) -> Result<Params, ApiError> {
    Params::parse(query.unwrap_or_default().as_bytes())
        .map_err(|error| ApiError::malformed(error.to_string()))
}
