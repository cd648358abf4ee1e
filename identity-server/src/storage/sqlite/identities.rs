//! Queries of the identity room.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use time::OffsetDateTime;

use super::{SqliteTransaction, failure};
use crate::id::IdentityId;
use crate::identity::store::IdentityStore;
use crate::identity::{Credential, CredentialConfig, CredentialKind, Identity, IdentityState};
use crate::storage::{StorageError, from_micros, to_micros};

#[async_trait]
impl IdentityStore for SqliteTransaction {
    async fn insert_identity(&mut self, identity: &Identity) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO identities (id, schema_id, state, state_changed_at, traits, metadata_public, \
             metadata_admin, external_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(identity.id.to_string())
        .bind(&identity.schema_id)
        .bind(identity.state.name())
        .bind(to_micros(identity.state_changed_at))
        .bind(identity.traits.to_string())
        .bind(identity.metadata_public.as_ref().map(Value::to_string))
        .bind(identity.metadata_admin.as_ref().map(Value::to_string))
        .bind(&identity.external_id)
        .bind(to_micros(identity.created_at))
        .bind(to_micros(identity.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn insert_credential(&mut self, credential: &Credential) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO identity_credentials (identity_id, kind, config, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(credential.identity.to_string())
        .bind(credential.kind.name())
        .bind(credential.config.as_json().to_string())
        .bind(to_micros(credential.created_at))
        .bind(to_micros(credential.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        for identifier in &credential.identifiers {
            sqlx::query("INSERT INTO identity_identifiers (kind, identifier, identity_id) VALUES ($1, $2, $3)")
                .bind(credential.kind.name())
                .bind(identifier)
                .bind(credential.identity.to_string())
                .execute(self.connection())
                .await
                .map_err(failure)?;
        }
        Ok(())
    }

    async fn identity(&mut self, id: &IdentityId) -> Result<Option<Identity>, StorageError> {
        sqlx::query("SELECT * FROM identities WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?
            .as_ref()
            .map(read_identity)
            .transpose()
    }

    async fn identities(
        &mut self,
        after: Option<&IdentityId>,
        limit: u32,
    ) -> Result<Vec<Identity>, StorageError> {
        sqlx::query("SELECT * FROM identities WHERE id > $1 ORDER BY id LIMIT $2")
            .bind(after.map(IdentityId::to_string).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(self.connection())
            .await
            .map_err(failure)?
            .iter()
            .map(read_identity)
            .collect()
    }

    async fn identity_by_identifier(
        &mut self,
        identifier: &str,
    ) -> Result<Option<Identity>, StorageError> {
        sqlx::query(
            "SELECT * FROM identities WHERE id = \
             (SELECT identity_id FROM identity_identifiers WHERE identifier = $1 LIMIT 1)",
        )
        .bind(identifier)
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?
        .as_ref()
        .map(read_identity)
        .transpose()
    }

    async fn credential_by_identifier(
        &mut self,
        kind: CredentialKind,
        identifier: &str,
    ) -> Result<Option<(Identity, Credential)>, StorageError> {
        let found = sqlx::query(
            "SELECT identities.* FROM identity_identifiers JOIN identities ON identities.id = identity_id \
             WHERE kind = $1 AND identifier = $2",
        )
        .bind(kind.name())
        .bind(identifier)
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?;
        let Some(row) = found else { return Ok(None) };
        let identity = read_identity(&row)?;
        let credential = self
            .credentials(&identity.id)
            .await?
            .into_iter()
            .find(|credential| credential.kind == kind);
        Ok(credential.map(|credential| (identity, credential)))
    }

    async fn credentials(
        &mut self,
        identity: &IdentityId,
    ) -> Result<Vec<Credential>, StorageError> {
        let rows =
            sqlx::query("SELECT * FROM identity_credentials WHERE identity_id = $1 ORDER BY kind")
                .bind(identity.to_string())
                .fetch_all(self.connection())
                .await
                .map_err(failure)?;
        let mut credentials = Vec::with_capacity(rows.len());
        for row in &rows {
            let mut credential = read_credential(row)?;
            credential.identifiers = self.identifiers(identity, credential.kind).await?;
            credentials.push(credential);
        }
        Ok(credentials)
    }

    async fn update_credential_config(
        &mut self,
        identity: &IdentityId,
        kind: CredentialKind,
        config: &CredentialConfig,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        sqlx::query(
            "UPDATE identity_credentials SET config = $3, updated_at = $4 WHERE identity_id = $1 AND kind = $2",
        )
        .bind(identity.to_string())
        .bind(kind.name())
        .bind(config.as_json().to_string())
        .bind(to_micros(now))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected() > 0)
    }

    async fn update_identity_state(
        &mut self,
        id: &IdentityId,
        state: IdentityState,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        sqlx::query("UPDATE identities SET state = $2, state_changed_at = $3, updated_at = $3 WHERE id = $1")
            .bind(id.to_string())
            .bind(state.name())
            .bind(to_micros(now))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn delete_identity(&mut self, id: &IdentityId) -> Result<bool, StorageError> {
        sqlx::query("DELETE FROM identities WHERE id = $1")
            .bind(id.to_string())
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }
}

impl SqliteTransaction {
    async fn identifiers(
        &mut self,
        identity: &IdentityId,
        kind: CredentialKind,
    ) -> Result<Vec<String>, StorageError> {
        sqlx::query_scalar(
            "SELECT identifier FROM identity_identifiers WHERE identity_id = $1 AND kind = $2 ORDER BY identifier",
        )
        .bind(identity.to_string())
        .bind(kind.name())
        .fetch_all(self.connection())
        .await
        .map_err(failure)
    }
}

/// Reads the columns of `identities`.
pub(super) fn read_identity(row: &SqliteRow) -> Result<Identity, StorageError> {
    let text = |name: &'static str| row.try_get::<String, _>(name).map_err(failure);
    let optional = |name: &'static str| row.try_get::<Option<String>, _>(name).map_err(failure);
    let instant = |name: &'static str| {
        row.try_get::<i64, _>(name)
            .map_err(failure)
            .and_then(from_micros)
    };
    Ok(Identity {
        id: text("id")?.parse().map_err(|_| corrupt("id"))?,
        schema_id: text("schema_id")?,
        state: IdentityState::from_name(&text("state")?).ok_or_else(|| corrupt("state"))?,
        state_changed_at: instant("state_changed_at")?,
        traits: json(&text("traits")?, "traits")?,
        metadata_public: optional("metadata_public")?
            .map(|text| json(&text, "metadata_public"))
            .transpose()?,
        metadata_admin: optional("metadata_admin")?
            .map(|text| json(&text, "metadata_admin"))
            .transpose()?,
        external_id: optional("external_id")?,
        created_at: instant("created_at")?,
        updated_at: instant("updated_at")?,
    })
}

fn read_credential(row: &SqliteRow) -> Result<Credential, StorageError> {
    let text = |name: &'static str| row.try_get::<String, _>(name).map_err(failure);
    let instant = |name: &'static str| {
        row.try_get::<i64, _>(name)
            .map_err(failure)
            .and_then(from_micros)
    };
    Ok(Credential {
        identity: text("identity_id")?
            .parse()
            .map_err(|_| corrupt("identity_id"))?,
        kind: CredentialKind::from_name(&text("kind")?).ok_or_else(|| corrupt("kind"))?,
        identifiers: Vec::new(),
        config: CredentialConfig::from_json(json(&text("config")?, "config")?),
        created_at: instant("created_at")?,
        updated_at: instant("updated_at")?,
    })
}

/// The text is never quoted in the error: it may hold a password hash or somebody's traits.
fn json(text: &str, column: &str) -> Result<Value, StorageError> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

fn corrupt(column: &str) -> StorageError {
    StorageError::Corrupt(format!("`identities`: `{column}` makes no sense"))
}
