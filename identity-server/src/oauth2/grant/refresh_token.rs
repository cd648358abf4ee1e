//! `refresh_token` (RFC 6749 §6): a refresh token becomes an access token and its own successor.
//!
//! Each token works once. A second attempt means that two parties hold the same token, and nobody can tell which of
//! them is the thief, so the whole family is revoked (RFC 9700 §4.14.2). One exception, for answers that got lost and
//! for browsers with several tabs: for `oauth2.grant.refresh_token.rotation_grace_period` after the exchange, and only
//! while the successor has not been used, the same successor is answered again. There is never a second one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::issue::{Spans, ends_at, response};
use super::{ATTEMPTS, Request, too_busy};
use crate::oauth2::error::OAuthError;
use crate::oauth2::scope::check_scopes;
use crate::oauth2::subject;
use crate::oauth2::token::TokenResponse;
use crate::oauth2::tokens::{Grant, RefreshToken, Rotation};
use crate::secret::{Purpose, digest};

/// What successors are sealed for while the same answer may be given again.
const SUCCESSOR: Purpose = Purpose("oauth2 refresh token successor");

/// Exchanges a refresh token.
///
/// # Errors
/// `invalid_grant` in all its ways, `invalid_scope`, `invalid_request` without a token.
pub async fn refresh(request: Request<'_>) -> Result<TokenResponse, OAuthError> {
    let presented = request.params.required("refresh_token")?;
    for _ in 0..ATTEMPTS {
        let held = load(request, presented).await?;
        let done = match decide(request, &held) {
            Verdict::Rotate => rotate(request, presented, &held).await?,
            Verdict::Repeat(rotation) => repeat(request, presented, &held, rotation).await?,
            Verdict::Refused(error) => return Err(error),
            Verdict::Replayed => return revoke(request, &held.grant).await,
        };
        if let Some(response) = done {
            return Ok(response);
        }
    }
    Err(too_busy())
}

/// What is known about the token that was presented.
struct Held {
    token: RefreshToken,
    grant: Grant,
    /// Whether its successor still waits for its first use.
    successor_is_fresh: bool,
}

enum Verdict<'a> {
    Rotate,
    Repeat(&'a Rotation),
    Refused(OAuthError),
    Replayed,
}

async fn load(request: Request<'_>, presented: &str) -> Result<Held, OAuthError> {
    let unknown = || refusal("the refresh token is unknown or revoked");
    let mut tx = request.app.storage().read().await?;
    let token = tx
        .refresh_token(&digest(presented))
        .await?
        .ok_or_else(unknown)?;
    let grant = tx.grant(&token.grant_id).await?.ok_or_else(unknown)?;
    if !subject::may_go_on(&mut *tx, request.app.settings(), &grant).await? {
        return Err(refusal("the person has been disabled or deleted"));
    }
    let successor_is_fresh = match &token.rotation {
        None => false,
        Some(rotation) => tx
            .refresh_token(&rotation.successor)
            .await?
            .is_some_and(|next| next.rotation.is_none()),
    };
    Ok(Held {
        token,
        grant,
        successor_is_fresh,
    })
}

fn decide<'a>(request: Request<'_>, held: &'a Held) -> Verdict<'a> {
    // First of all: somebody else's token tells nothing and changes nothing.
    if held.grant.client_id != request.client.id || held.grant.revoked_at.is_some() {
        return Verdict::Refused(refusal("the refresh token is unknown or revoked"));
    }
    if let Some(rotation) = &held.token.rotation {
        let grace = request
            .app
            .settings()
            .oauth2
            .grant
            .refresh_token
            .rotation_grace_period
            .0;
        let in_time = request.now <= rotation.at.saturating_add(grace);
        return if in_time && held.successor_is_fresh {
            Verdict::Repeat(rotation)
        } else {
            Verdict::Replayed
        };
    }
    if held.token.expires_at.is_some_and(|end| request.now >= end) {
        return Verdict::Refused(refusal("the refresh token has expired"));
    }
    Verdict::Rotate
}

/// The scopes of the new access token: all that were granted, or the fewer that the client asks for. What the client
/// may no longer have is refused.
fn scope(request: Request<'_>, grant: &Grant) -> Result<Vec<String>, OAuthError> {
    let granted = &grant.details.scope;
    let asked = request.params.list("scope");
    if let Some(beyond) = asked.iter().find(|scope| !granted.contains(scope)) {
        return Err(OAuthError::InvalidScope(format!(
            "the scope '{}' was not granted",
            printable(beyond)
        )));
    }
    let scope = if asked.is_empty() {
        granted.clone()
    } else {
        asked
    };
    check_scopes(
        request.app.settings().strategies.scope,
        &request.client.profile.scope,
        &scope,
    )?;
    Ok(scope)
}

/// `None` if another request was faster.
async fn rotate(
    request: Request<'_>,
    presented: &str,
    held: &Held,
) -> Result<Option<TokenResponse>, OAuthError> {
    let (grant, spans) = (&held.grant, spans(request));
    let scope = scope(request, grant)?;
    let access = request.access_of(grant, &scope, spans)?;
    let id_token = request.id_token_of(grant, &scope, &access.token, spans)?;
    let (successor, record) = request.refresh_token_of(grant, spans)?;
    let sealing = request.app.secrets().sealing(SUCCESSOR);
    let sealed = sealing.seal(
        request.app.entropy(),
        presented.as_bytes(),
        successor.as_bytes(),
    )?;
    let rotation = Rotation {
        at: request.now,
        successor: record.digest.clone(),
        sealed_successor: URL_SAFE_NO_PAD.encode(sealed),
    };

    let mut tx = request.app.storage().begin().await?;
    // Nothing to find when the family was revoked meanwhile: its refresh tokens are gone.
    if !tx
        .rotate_refresh_token(&held.token.digest, &rotation)
        .await?
    {
        return Ok(None);
    }
    tx.insert_refresh_token(&record).await?;
    tx.insert_access_token(&access.record).await?;
    tx.extend_grant(&grant.id, ends_at(&access.record, Some(&record)))
        .await?;
    tx.commit().await?;
    Ok(Some(response(&access, id_token, Some(successor))))
}

/// The same successor once more, with an access token of its own. `None` if the family was revoked meanwhile.
async fn repeat(
    request: Request<'_>,
    presented: &str,
    held: &Held,
    rotation: &Rotation,
) -> Result<Option<TokenResponse>, OAuthError> {
    let (grant, spans) = (&held.grant, spans(request));
    let sealed = URL_SAFE_NO_PAD
        .decode(&rotation.sealed_successor)
        .unwrap_or_default();
    let opened = request
        .app
        .secrets()
        .sealing(SUCCESSOR)
        .open(presented.as_bytes(), &sealed)?;
    let successor =
        String::from_utf8(opened.to_vec()).map_err(|error| OAuthError::internal(&error))?;
    let scope = scope(request, grant)?;
    let access = request.access_of(grant, &scope, spans)?;
    let id_token = request.id_token_of(grant, &scope, &access.token, spans)?;

    let mut tx = request.app.storage().begin().await?;
    let fresh = tx
        .refresh_token(&rotation.successor)
        .await?
        .is_some_and(|next| next.rotation.is_none());
    if !fresh {
        return Ok(None);
    }
    tx.insert_access_token(&access.record).await?;
    tx.extend_grant(&grant.id, ends_at(&access.record, None))
        .await?;
    tx.commit().await?;
    Ok(Some(response(&access, id_token, Some(successor))))
}

/// Always an error; the revocation is durable before it is answered.
async fn revoke(request: Request<'_>, grant: &Grant) -> Result<TokenResponse, OAuthError> {
    let mut tx = request.app.storage().begin().await?;
    tx.revoke_grant(&grant.id, request.now).await?;
    tx.commit().await?;
    tracing::warn!(client = %grant.client_id, "a refresh token was used twice; its family is revoked");
    Err(refusal(
        "the refresh token has been used before; its whole family is revoked",
    ))
}

fn spans(request: Request<'_>) -> Spans {
    let lifespans = request.client.profile.lifespans;
    Spans {
        access: lifespans.refresh_token_grant_access_token_lifespan,
        id: lifespans.refresh_token_grant_id_token_lifespan,
        refresh: lifespans.refresh_token_grant_refresh_token_lifespan,
    }
}

fn printable(scope: &str) -> String {
    scope.chars().take(60).collect()
}

fn refusal(hint: &str) -> OAuthError {
    OAuthError::InvalidGrant(hint.to_owned())
}
