//! `authorization_code` (RFC 6749 §4.1.3): a code becomes tokens, once.
//!
//! A code is bound to the client, the redirect URI and the PKCE challenge of its authorization request; all three must
//! fit. A second attempt means that the code has leaked, and revokes whatever the first one got (RFC 9700 §2.1.1).

use super::issue::{Spans, ends_at, response};
use super::{ATTEMPTS, Request, too_busy};
use crate::oauth2::error::OAuthError;
use crate::oauth2::pkce;
use crate::oauth2::subject;
use crate::oauth2::token::TokenResponse;
use crate::oauth2::tokens::{Code, Grant};
use crate::secret::digest;

/// Redeems a code.
///
/// # Errors
/// `invalid_grant` in all its ways, `invalid_request` without a code.
pub async fn exchange(request: Request<'_>) -> Result<TokenResponse, OAuthError> {
    let digest = digest(request.params.required("code")?);
    for _ in 0..ATTEMPTS {
        let (code, grant) = load(request, &digest).await?;
        match decide(request, &code, &grant) {
            Verdict::Good => {}
            Verdict::Refused(error) => return Err(error),
            Verdict::Replayed => return revoke(request, &grant).await,
        }
        if let Some(response) = issue(request, &code, &grant).await? {
            return Ok(response);
        }
    }
    Err(too_busy())
}

enum Verdict {
    Good,
    Refused(OAuthError),
    Replayed,
}

async fn load(request: Request<'_>, digest: &str) -> Result<(Code, Grant), OAuthError> {
    let unknown = || refusal("the code is unknown");
    let mut tx = request.app.storage().read().await?;
    let code = tx.code(digest).await?.ok_or_else(unknown)?;
    let grant = tx.grant(&code.grant_id).await?.ok_or_else(unknown)?;
    if !subject::may_go_on(&mut *tx, request.app.settings(), &grant).await? {
        return Err(refusal("the person has been disabled or deleted"));
    }
    Ok((code, grant))
}

fn decide(request: Request<'_>, code: &Code, grant: &Grant) -> Verdict {
    // First of all: somebody else's code tells nothing and changes nothing.
    if grant.client_id != request.client.id {
        return Verdict::Refused(refusal("the code is unknown"));
    }
    if code.used_at.is_some() {
        return Verdict::Replayed;
    }
    if grant.revoked_at.is_some() {
        return Verdict::Refused(refusal("the grant has been revoked"));
    }
    if request.now >= code.expires_at {
        return Verdict::Refused(refusal("the code has expired"));
    }
    if let Some(bound) = &code.redirect_uri
        && request.params.get("redirect_uri") != Some(bound)
    {
        return Verdict::Refused(refusal(
            "redirect_uri is not that of the authorization request",
        ));
    }
    match pkce::check(code.challenge.as_ref(), request.params.get("code_verifier")) {
        Ok(()) => Verdict::Good,
        Err(error) => Verdict::Refused(error),
    }
}

/// `None` if another request was faster.
async fn issue(
    request: Request<'_>,
    code: &Code,
    grant: &Grant,
) -> Result<Option<TokenResponse>, OAuthError> {
    let lifespans = request.client.profile.lifespans;
    let spans = Spans {
        access: lifespans.authorization_code_grant_access_token_lifespan,
        id: lifespans.authorization_code_grant_id_token_lifespan,
        refresh: lifespans.authorization_code_grant_refresh_token_lifespan,
    };
    let scope = &grant.details.scope;
    let access = request.access_of(grant, scope, spans)?;
    let id_token = request.id_token_of(grant, scope, &access.token, spans)?;
    let wants_refresh = grant.is_offline() && request.client.may_use_grant("refresh_token");
    let refresh = wants_refresh
        .then(|| request.refresh_token_of(grant, spans))
        .transpose()?;

    let mut tx = request.app.storage().begin().await?;
    let alive = tx
        .grant(&grant.id)
        .await?
        .is_some_and(|grant| grant.revoked_at.is_none());
    if !alive || !tx.use_code(&code.digest, request.now).await? {
        return Ok(None);
    }
    tx.insert_access_token(&access.record).await?;
    if let Some((_, record)) = &refresh {
        tx.insert_refresh_token(record).await?;
    }
    tx.extend_grant(
        &grant.id,
        ends_at(&access.record, refresh.as_ref().map(|(_, record)| record)),
    )
    .await?;
    tx.commit().await?;
    Ok(Some(response(
        &access,
        id_token,
        refresh.map(|(token, _)| token),
    )))
}

/// Always an error; the revocation is durable before it is answered.
async fn revoke(request: Request<'_>, grant: &Grant) -> Result<TokenResponse, OAuthError> {
    let mut tx = request.app.storage().begin().await?;
    tx.revoke_grant(&grant.id, request.now).await?;
    tx.commit().await?;
    tracing::warn!(client = %grant.client_id, "an authorization code was used twice; its tokens are revoked");
    Err(refusal(
        "the code has been used before; everything issued for it is revoked",
    ))
}

fn refusal(hint: &str) -> OAuthError {
    OAuthError::InvalidGrant(hint.to_owned())
}
