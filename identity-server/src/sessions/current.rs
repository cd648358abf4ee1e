//! From a request to its session.

use axum::http::{HeaderMap, header};
use axum_extra::extract::CookieJar;

use super::Session;
use super::token::SessionToken;
use crate::App;
use crate::identity::Identity;
use crate::storage::{StorageError, Transaction};

/// A valid session, its owner, and the token that the request named it by.
#[derive(Debug, Clone)]
pub struct Current {
    /// The session.
    pub session: Session,
    /// Who is signed in.
    pub identity: Identity,
    /// What the request named it by.
    pub token: SessionToken,
}

/// The request's valid session, if it has one. Reads once, and not at all for a request without credentials.
///
/// # Errors
/// [`StorageError`].
pub async fn current(app: &App, headers: &HeaderMap) -> Result<Option<Current>, StorageError> {
    match token_in(app, headers) {
        Some(token) => current_in(app, token, &mut *app.storage().read().await?).await,
        None => Ok(None),
    }
}

/// As [`current`], inside a transaction.
///
/// # Errors
/// [`StorageError`].
pub async fn current_in(
    app: &App,
    token: SessionToken,
    transaction: &mut dyn Transaction,
) -> Result<Option<Current>, StorageError> {
    let found = transaction.session_by_token(&token.digest()).await?;
    let now = app.clock().now();
    Ok(found
        .filter(|(session, identity)| session.is_valid(identity, now))
        .map(|(session, identity)| Current {
            session,
            identity,
            token,
        }))
}

/// The token that a request carries: in `X-Session-Token`, else the session cookie, else as a bearer token.
///
/// The first that is there decides; a bad one does not make way for the next.
#[must_use]
pub fn token_in(app: &App, headers: &HeaderMap) -> Option<SessionToken> {
    let header = headers
        .get("x-session-token")
        .and_then(|value| value.to_str().ok())
        .filter(|text| !text.is_empty());
    header
        .map(SessionToken::from_client)
        .or_else(|| cookie_token(app, headers))
        .or_else(|| bearer_token(headers))
}

/// The token in the session cookie.
#[must_use]
pub fn cookie_token(app: &App, headers: &HeaderMap) -> Option<SessionToken> {
    let jar = CookieJar::from_headers(headers);
    let value = jar.get(&app.settings().session.cookie.name)?.value();
    (!value.is_empty()).then(|| SessionToken::from_client(value))
}

fn bearer_token(headers: &HeaderMap) -> Option<SessionToken> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
        .then(|| SessionToken::from_client(token))
}
