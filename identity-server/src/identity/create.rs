//! Making an identity as an operator: traits are checked, the password policy is not applied.

use serde::Deserialize;
use serde_json::Value;

use super::schema::IdentitySchema;
use super::{
    Credential, CredentialConfig, CredentialKind, Identity, IdentityState, password, traits,
};
use crate::App;
use crate::flows::refusal::Refusal;
use crate::id::IdentityId;
use crate::secret::SecretText;
use crate::storage::StorageError;

/// What an operator sends. Unknown members are refused: a misspelt one would silently do nothing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewIdentity {
    schema_id: Option<String>,
    traits: Value,
    state: Option<String>,
    external_id: Option<String>,
    metadata_public: Option<Value>,
    metadata_admin: Option<Value>,
    credentials: Option<NewCredentials>,
    /// Accepted for the sake of clients that always send it; there is one organization.
    #[serde(rename = "organization_id")]
    _organization: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCredentials {
    password: Option<NewPassword>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    config: Option<NewPasswordConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPasswordConfig {
    password: Option<SecretText>,
    hashed_password: Option<SecretText>,
}

/// What was made.
#[derive(Debug)]
pub struct Created {
    /// The identity.
    pub identity: Identity,
    /// Its credentials.
    pub credentials: Vec<Credential>,
}

/// Makes the identity with its credentials, in one transaction.
///
/// # Errors
/// 400 for traits that the schema refuses, 409 for an identifier or `external_id` that is taken.
pub async fn create(app: &App, new: NewIdentity) -> Result<Created, Refusal> {
    let now = app.clock().now();
    let schemas = &app.flows().schemas;
    let schema_id = new
        .schema_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .unwrap_or(schemas.default_id());
    let schema = schemas.get(schema_id).ok_or_else(|| {
        Refusal::bad_request(format!("there is no identity schema `{schema_id}`"))
    })?;
    check_traits(schema, &new.traits)?;
    let state = new
        .state
        .as_deref()
        .filter(|state| !state.is_empty())
        .unwrap_or("active");
    let state = IdentityState::from_name(state).ok_or_else(|| {
        Refusal::bad_request(format!(
            "`state` is `{state}`; it must be `active` or `inactive`"
        ))
    })?;
    let identifiers = traits::password_identifiers(schema, &new.traits);
    let hash = password_hash(app, new.credentials).await?;
    let identity = Identity {
        id: IdentityId::random(app.entropy())?,
        schema_id: schema_id.to_owned(),
        state,
        state_changed_at: now,
        traits: new.traits,
        metadata_public: new.metadata_public,
        metadata_admin: new.metadata_admin,
        external_id: new.external_id.filter(|id| !id.is_empty()),
        created_at: now,
        updated_at: now,
    };
    let credentials: Vec<Credential> = hash
        .map(|hash| Credential {
            identity: identity.id,
            kind: CredentialKind::Password,
            identifiers,
            config: CredentialConfig::password(&hash),
            created_at: now,
            updated_at: now,
        })
        .into_iter()
        .collect();
    insert(app, &identity, &credentials).await?;
    Ok(Created {
        identity,
        credentials,
    })
}

fn check_traits(schema: &IdentitySchema, given: &Value) -> Result<(), Refusal> {
    match traits::problems(schema, given).into_iter().next() {
        None => Ok(()),
        Some(problem) => {
            let field = problem.field.unwrap_or_else(|| "traits".into());
            Err(Refusal::bad_request(format!(
                "`{field}`: {}",
                problem.message.text
            )))
        }
    }
}

async fn password_hash(
    app: &App,
    credentials: Option<NewCredentials>,
) -> Result<Option<String>, Refusal> {
    let Some(config) = credentials
        .and_then(|given| given.password)
        .and_then(|given| given.config)
    else {
        return Ok(None);
    };
    match (config.password, config.hashed_password) {
        (Some(_), Some(_)) => Err(Refusal::bad_request(
            "give either `password` or `hashed_password`, not both",
        )),
        (Some(plain), None) => Ok(Some(
            app.flows().passwords.hash(&plain, app.entropy()).await?,
        )),
        (None, Some(hash)) if password::is_acceptable_hash(hash.expose()) => {
            Ok(Some(hash.expose().to_owned()))
        }
        (None, Some(_)) => Err(Refusal::bad_request(
            "`hashed_password` is not an argon2 hash within bounds (m up to 1 GiB, t up to 10, p up to 16); other \
             algorithms are not supported yet",
        )),
        (None, None) => Ok(None),
    }
}

async fn insert(app: &App, identity: &Identity, credentials: &[Credential]) -> Result<(), Refusal> {
    let mut transaction = app.storage().begin().await?;
    match transaction.insert_identity(identity).await {
        Err(StorageError::Conflict) => {
            return Err(Refusal::conflict("another identity has this `external_id`"));
        }
        other => other?,
    }
    for credential in credentials {
        match transaction.insert_credential(credential).await {
            Err(StorageError::Conflict) => {
                let kind = credential.kind.name();
                let reason = format!(
                    "another identity has a {kind} credential with one of these identifiers"
                );
                return Err(Refusal::conflict(reason));
            }
            other => other?,
        }
    }
    Ok(transaction.commit().await?)
}
