//! The step of a registration: check traits and password, make the account, sign it in.
//!
//! The new account is signed in at once, as with the reference's `session` hook, which is off there unless configured.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::exchange::Exchange;
use super::form::FormState;
use super::message;
use super::refusal::Refusal;
use super::submission::Submission;
use super::{Flow, Outcome, SignedIn};
use crate::App;
use crate::id::IdentityId;
use crate::identity::schema::IdentitySchema;
use crate::identity::{
    Credential, CredentialConfig, CredentialKind, Identity, IdentityState, policy, traits,
};
use crate::secret::SecretText;
use crate::sessions::Session;
use crate::sessions::token::SessionToken;
use crate::storage::StorageError;

/// The only method so far.
pub const METHOD: &str = "password";

/// What was filled in, and is in order.
struct Filled {
    traits: Value,
    identifiers: Vec<String>,
    password: SecretText,
}

/// Takes a submission of a registration form.
///
/// # Errors
/// [`Refusal`] when it cannot be decided, not when something is filled in wrongly.
pub async fn submit(
    exchange: &Exchange,
    mut flow: Flow,
    submission: &Submission,
) -> Result<Outcome, Refusal> {
    let app = &exchange.app;
    let now = app.clock().now();
    let schema = app.flows().schemas.get(&flow.schema_id);
    let schema = schema.ok_or_else(|| {
        Refusal::internal(&"the flow's identity schema is not configured any more")
    })?;
    if let Some(payload) = submission
        .value("transient_payload")
        .filter(|payload| payload.is_object())
    {
        flow.transient_payload = Some(payload.clone());
    }
    let (form, filled) = read(schema, submission);
    let Some(filled) = filled else {
        return Ok(Outcome::Again(Box::new(flow.again(form, METHOD, now))));
    };
    let (rooms, ip) = (app.flows(), &exchange.origin.ip);
    // The turn comes before the count: what is counted is also hashed.
    let turn = rooms.passwords.turn().await?;
    if let Err(throttled) = rooms.throttle.registration(ip, now) {
        tracing::warn!(%ip, "registrations are throttled; behind a proxy, list it in `serve.public.trusted_proxies`");
        let mut form = form;
        form.messages
            .push(message::too_many_attempts(throttled.wait.whole_seconds()));
        return Ok(Outcome::Again(Box::new(flow.again(form, METHOD, now))));
    }
    let hash = rooms
        .passwords
        .hash_in_turn(turn, &filled.password, app.entropy())
        .await?;
    match create(exchange, flow.clone(), filled, &hash, now).await? {
        Some(signed_in) => Ok(Outcome::SignedIn(Box::new(signed_in))),
        None => {
            let mut form = form;
            form.messages.push(message::duplicate_identifier());
            Ok(Outcome::Again(Box::new(flow.again(form, METHOD, now))))
        }
    }
}

/// The form as it would be shown again, and what was filled in if nothing is wrong with it.
fn read(schema: &IdentitySchema, submission: &Submission) -> (FormState, Option<Filled>) {
    let mut form = FormState::default();
    let mut given = submission
        .value("traits")
        .cloned()
        .unwrap_or_else(|| json!({}));
    if submission.is_form() {
        traits::coerce_form_values(schema, &mut given);
    }
    keep_values(&mut form, schema, &given);
    let password = submission.secret("password");
    let method = submission.text("method");
    if method.is_some_and(|method| method != METHOD) || (method.is_none() && password.is_none()) {
        form.messages.push(message::no_registration_method());
        return (form, None);
    }
    for problem in traits::problems(schema, &given) {
        match problem.field {
            Some(field) => form.complain(&field, problem.message),
            None => form.messages.push(problem.message),
        }
    }
    let identifiers = traits::password_identifiers(schema, &given);
    match &password {
        None => form.complain("password", message::required("password")),
        Some(password) => {
            if let Some(objection) = policy::objection(password.expose(), &identifiers) {
                form.complain("password", objection);
            }
        }
    }
    if form.is_clean() && identifiers.is_empty() {
        form.messages.push(message::invalid(
            "A password needs something to sign in with, such as an e-mail address.",
        ));
    }
    let filled = password.filter(|_| form.is_clean()).map(|password| Filled {
        traits: given,
        identifiers,
        password,
    });
    (form, filled)
}

/// The longest text that is kept to be shown again.
const KEPT_CHARS: usize = 1024;

fn keep_values(form: &mut FormState, schema: &IdentitySchema, traits: &Value) {
    for spec in schema.traits() {
        match spec.value_in(traits) {
            Some(Value::String(text)) => form.fill(
                &spec.field(),
                text.chars().take(KEPT_CHARS).collect::<String>(),
            ),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => {
                form.fill(&spec.field(), value.clone());
            }
            _ => {}
        }
    }
}

/// Account, session and completed flow in one transaction; `None` if the identifier is taken.
async fn create(
    exchange: &Exchange,
    flow: Flow,
    filled: Filled,
    hash: &str,
    now: OffsetDateTime,
) -> Result<Option<SignedIn>, Refusal> {
    let app = &exchange.app;
    let identity = new_identity(app, &flow.schema_id, filled.traits, now)?;
    let credential = password_credential(identity.id, filled.identifiers, hash, now);
    let lifespan = app.settings().session.lifespan.0;
    let session = Session::issue(identity.id, lifespan, &exchange.origin, now, app.entropy())?;
    let token = SessionToken::random(app.entropy())?;
    let flow = flow.completed(METHOD, now);
    let mut transaction = app.storage().begin().await?;
    transaction.insert_identity(&identity).await?;
    match transaction.insert_credential(&credential).await {
        Err(StorageError::Conflict) => return Ok(None),
        other => other?,
    }
    transaction
        .insert_session(&session, &token.digest())
        .await?;
    transaction.update_self_service_flow(&flow).await?;
    transaction.commit().await?;
    Ok(Some(SignedIn {
        flow,
        identity,
        session,
        token,
    }))
}

/// A fresh, active identity.
///
/// # Errors
/// [`Refusal`], when no randomness is to be had.
pub fn new_identity(
    app: &App,
    schema_id: &str,
    traits: Value,
    now: OffsetDateTime,
) -> Result<Identity, Refusal> {
    Ok(Identity {
        id: IdentityId::random(app.entropy())?,
        schema_id: schema_id.to_owned(),
        state: IdentityState::Active,
        state_changed_at: now,
        traits,
        metadata_public: None,
        metadata_admin: None,
        external_id: None,
        created_at: now,
        updated_at: now,
    })
}

/// A password credential with this hash.
#[must_use]
pub fn password_credential(
    identity: IdentityId,
    identifiers: Vec<String>,
    hash: &str,
    now: OffsetDateTime,
) -> Credential {
    Credential {
        identity,
        kind: CredentialKind::Password,
        identifiers,
        config: CredentialConfig::password(hash),
        created_at: now,
        updated_at: now,
    }
}
