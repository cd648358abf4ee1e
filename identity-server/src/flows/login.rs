//! The step of a login: check a password, issue a session.

use super::exchange::Exchange;
use super::form::FormState;
use super::message::{self, Message};
use super::refusal::Refusal;
use super::submission::Submission;
use super::{Flow, Outcome, SignedIn};
use crate::App;
use crate::identity::password::Verdict;
use crate::identity::{
    Credential, CredentialConfig, CredentialKind, Identity, IdentityState, identifier,
};
use crate::secret::SecretText;
use crate::sessions::Session;
use crate::sessions::current::Current;
use crate::sessions::token::SessionToken;

/// The only method so far.
pub const METHOD: &str = "password";

/// What was filled in.
struct Filled {
    /// As written, to be shown again.
    written: String,
    /// Its canonical form; `None` if no account can have it.
    identifier: Option<String>,
    password: SecretText,
}

/// Takes a submission of a login form. `signed_in` is the session that a refreshing login confirms.
///
/// # Errors
/// [`Refusal`] when it cannot be decided, not when the password is wrong.
pub async fn submit(
    exchange: &Exchange,
    flow: Flow,
    submission: &Submission,
    signed_in: Option<Current>,
) -> Result<Outcome, Refusal> {
    let now = exchange.app.clock().now();
    let filled = match read(submission) {
        Ok(filled) => filled,
        Err(form) => return Ok(Outcome::Again(Box::new(flow.again(form, METHOD, now)))),
    };
    match authenticate(exchange, &filled).await? {
        Ok(proven) => sign_in(exchange, flow, proven, signed_in).await,
        Err(message) => {
            let mut form = FormState::default();
            form.fill("identifier", filled.written);
            form.messages.push(message);
            Ok(Outcome::Again(Box::new(flow.again(form, METHOD, now))))
        }
    }
}

/// Somebody whose password was right.
struct Proven {
    identity: Identity,
    /// What to store in place of a hash of outdated cost.
    rehashed: Option<CredentialConfig>,
}

/// The fields, or the form as it is to be shown again.
fn read(submission: &Submission) -> Result<Filled, FormState> {
    let mut form = FormState::default();
    let written = submission
        .text("identifier")
        .or_else(|| submission.text("password_identifier"))
        .unwrap_or_default();
    form.fill("identifier", shown(written));
    let method = submission.text("method");
    if method.is_some_and(|method| method != METHOD)
        || (method.is_none() && submission.text("password").is_none())
    {
        form.messages.push(message::no_login_method());
        return Err(form);
    }
    if written.is_empty() {
        form.complain("identifier", message::required("identifier"));
    }
    let password = submission.secret("password");
    if password.is_none() {
        form.complain("password", message::required("password"));
    }
    match password {
        Some(password) if form.is_clean() => Ok(Filled {
            written: shown(written),
            identifier: identifier::canonical(written),
            password,
        }),
        _ => Err(form),
    }
}

/// What is shown again is stored, so it is bounded.
fn shown(written: &str) -> String {
    written.chars().take(identifier::MAX_BYTES).collect()
}

/// Who it is, or what to tell them. Unknown account and wrong password cost and say the same.
async fn authenticate(
    exchange: &Exchange,
    filled: &Filled,
) -> Result<Result<Proven, Message>, Refusal> {
    let (app, ip) = (&exchange.app, &exchange.origin.ip);
    let rooms = app.flows();
    let identifier = filled.identifier.as_deref().unwrap_or(&filled.written);
    let known = find(app, filled.identifier.as_deref()).await?;
    let hash = known
        .as_ref()
        .and_then(|(_, credential)| credential.config.hashed_password());
    // The turn comes before the count, and nothing is waited for in between: what is counted is also hashed.
    let turn = rooms.passwords.turn().await?;
    if let Err(throttled) = rooms.throttle.attempt(identifier, ip, app.clock().now()) {
        tracing::warn!(%ip, "sign-in attempts are throttled");
        return Ok(Err(message::too_many_attempts(
            throttled.wait.whole_seconds(),
        )));
    }
    let verdict = rooms
        .passwords
        .check_in_turn(turn, &filled.password, hash)
        .await?;
    let (Some((identity, _)), Verdict::Right { outdated }) = (known, verdict) else {
        return Ok(Err(message::invalid_credentials()));
    };
    rooms.throttle.succeeded(identifier, ip);
    if identity.state != IdentityState::Active {
        return Ok(Err(message::account_disabled()));
    }
    let rehashed = if outdated {
        Some(rehash(app, &filled.password).await?)
    } else {
        None
    };
    Ok(Ok(Proven { identity, rehashed }))
}

async fn find(
    app: &App,
    identifier: Option<&str>,
) -> Result<Option<(Identity, Credential)>, Refusal> {
    let Some(identifier) = identifier else {
        return Ok(None);
    };
    let mut transaction = app.storage().read().await?;
    Ok(transaction
        .credential_by_identifier(CredentialKind::Password, identifier)
        .await?)
}

async fn rehash(app: &App, password: &SecretText) -> Result<CredentialConfig, Refusal> {
    let hash = app.flows().passwords.hash(password, app.entropy()).await?;
    Ok(CredentialConfig::password(&hash))
}

/// Issues the session and completes the flow, in one transaction.
async fn sign_in(
    exchange: &Exchange,
    flow: Flow,
    proven: Proven,
    signed_in: Option<Current>,
) -> Result<Outcome, Refusal> {
    let app = &exchange.app;
    let now = app.clock().now();
    let identity = proven.identity;
    let flow = flow.completed(METHOD, now);
    let token = SessionToken::random(app.entropy())?;
    let mut transaction = app.storage().begin().await?;
    // Somebody may have disabled or removed the account while the password was being checked.
    let current = transaction.identity(&identity.id).await?;
    if current.is_none_or(|current| current.state != IdentityState::Active) {
        return Err(Refusal::forbidden("The account has been disabled"));
    }
    if let Some(config) = proven.rehashed {
        transaction
            .update_credential_config(&identity.id, CredentialKind::Password, &config, now)
            .await?;
    }
    let lifespan = app.settings().session.lifespan.0;
    let session = match confirmed(&flow, &identity, signed_in.as_ref()) {
        Some(session) => {
            // The same session, but under a new token: whatever knew the old one knows nothing now.
            let session = session.refreshed(lifespan, now);
            transaction
                .update_session(&session, &token.digest())
                .await?;
            session
        }
        None => {
            if let Some(replaced) = signed_in {
                transaction.revoke_session(&replaced.session.id).await?;
            }
            let session =
                Session::issue(identity.id, lifespan, &exchange.origin, now, app.entropy())?;
            transaction
                .insert_session(&session, &token.digest())
                .await?;
            session
        }
    };
    transaction.update_self_service_flow(&flow).await?;
    transaction.commit().await?;
    Ok(Outcome::SignedIn(Box::new(SignedIn {
        flow,
        identity,
        session,
        token,
    })))
}

/// The session that this login confirms, if it is the same person's.
fn confirmed(flow: &Flow, identity: &Identity, signed_in: Option<&Current>) -> Option<Session> {
    let current =
        signed_in.filter(|current| flow.refresh.is_some() && current.identity.id == identity.id)?;
    Some(current.session.clone())
}
