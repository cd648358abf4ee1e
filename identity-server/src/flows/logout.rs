//! Signing out.
//!
//! A browser gets a link with a token that belongs to its session, and follows it; so no other site can sign anybody
//! out with a plain image or link. Everything else sends its session token.

use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::csrf::CsrfSecret;
use super::exchange::{Exchange, see_other, with_cookies};
use super::refusal::Refusal;
use super::submission::Submission;
use crate::sessions::cookie;
use crate::sessions::current::{self, Current};
use crate::sessions::token::{SESSION_PREFIX, SessionToken};

/// `GET /self-service/logout/browser`: the link that signs this browser out.
///
/// # Errors
/// 401 without a session; 400 if `return_to` is not allowed.
pub async fn prepare(exchange: Exchange) -> Result<Json<serde_json::Value>, Refusal> {
    let current = browser_session(&exchange)
        .await?
        .ok_or_else(Refusal::no_session)?;
    let token = current.token.logout_token();
    let return_to = exchange.query("return_to");
    if let Some(return_to) = &return_to {
        exchange
            .app
            .flows()
            .return_rules
            .check(return_to)
            .map_err(|_| Refusal::return_to())?;
    }
    Ok(Json(
        json!({ "logout_url": link(&exchange, &token, return_to.as_deref()), "logout_token": token }),
    ))
}

/// The link that signs the browser out that has this logout token.
#[must_use]
pub fn link(exchange: &Exchange, logout_token: &str, return_to: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("token", logout_token);
    if let Some(return_to) = return_to {
        query.append_pair("return_to", return_to);
    }
    exchange
        .app
        .settings()
        .public_url(&format!("/self-service/logout?{}", query.finish()))
}

/// `GET /self-service/logout?token=`: signs the browser out.
pub async fn browser(exchange: Exchange) -> Response {
    match sign_out(&exchange).await {
        Ok(response) => response,
        Err(refusal) => exchange.refuse(refusal).await,
    }
}

async fn sign_out(exchange: &Exchange) -> Result<Response, Refusal> {
    let rules = &exchange.app.flows().return_rules;
    let next = match exchange.query("return_to") {
        Some(written) => rules
            .check(&written)
            .map_err(|_| Refusal::return_to())?
            .into(),
        None => exchange.app.settings().public_url("/"),
    };
    if let Some(current) = browser_session(exchange).await? {
        let given = exchange.query("token").unwrap_or_default();
        if !current.token.has_logout_token(&given) {
            return Err(Refusal::forbidden(
                "The logout token does not belong to this session",
            ));
        }
        let mut transaction = exchange.app.storage().begin().await?;
        transaction.revoke_session(&current.session.id).await?;
        transaction.commit().await?;
    }
    let settings = exchange.app.settings();
    let cookies = [
        cookie::clear(settings),
        CsrfSecret::random(exchange.app.entropy())?.cookie(settings),
    ];
    let response = if exchange.wants_json() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        see_other(&next)
    };
    Ok(with_cookies(response, cookies))
}

/// `DELETE /self-service/logout/api`: ends the session with the token in the body; ending it twice is fine.
///
/// # Errors
/// 400 without a token, 403 for one that never was.
pub async fn api(exchange: Exchange, body: Bytes) -> Result<StatusCode, Refusal> {
    let body = Submission::parse(&exchange.headers, &body)?;
    let token = body
        .text("session_token")
        .ok_or_else(|| Refusal::bad_request("`session_token` is missing"))?;
    let unknown = || Refusal::forbidden("The session token is malformed or unknown");
    if !token.starts_with(SESSION_PREFIX) {
        return Err(unknown());
    }
    let digest = SessionToken::from_client(token).digest();
    let mut transaction = exchange.app.storage().begin().await?;
    let (session, _) = transaction
        .session_by_token(&digest)
        .await?
        .ok_or_else(unknown)?;
    transaction.revoke_session(&session.id).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The session of the cookie; other credentials are not a browser's.
async fn browser_session(exchange: &Exchange) -> Result<Option<Current>, Refusal> {
    let Some(token) = current::cookie_token(&exchange.app, &exchange.headers) else {
        return Ok(None);
    };
    let mut transaction = exchange.app.storage().read().await?;
    Ok(current::current_in(&exchange.app, token, &mut *transaction).await?)
}
