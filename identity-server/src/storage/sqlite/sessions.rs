//! Queries of the sessions room.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use time::OffsetDateTime;

use super::identities::read_identity;
use super::{SqliteTransaction, failure};
use crate::id::{IdentityId, SessionId};
use crate::identity::Identity;
use crate::sessions::store::SessionStore;
use crate::sessions::{Aal, Session};
use crate::storage::{StorageError, from_micros, to_micros};

/// The columns of `sessions` under names that `identities` does not have.
const COLUMNS: &str = "sessions.id AS session_id, sessions.identity_id, sessions.active, sessions.aal, \
                       sessions.methods, sessions.devices, sessions.issued_at, sessions.authenticated_at, \
                       sessions.expires_at";

/// Owner, time at which it has to be live, and the one to leave out.
const MATCHING: &str = "identity_id = $1 AND ($2 IS NULL OR (active = 1 AND expires_at > $2)) \
                        AND ($3 IS NULL OR id <> $3)";

#[async_trait]
impl SessionStore for SqliteTransaction {
    async fn insert_session(
        &mut self,
        session: &Session,
        token_digest: &str,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO sessions (id, identity_id, token_digest, active, aal, methods, devices, issued_at, \
             authenticated_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(session.id.to_string())
        .bind(session.identity.to_string())
        .bind(token_digest)
        .bind(i64::from(session.active))
        .bind(aal_name(session.aal))
        .bind(json_text(&session.methods)?)
        .bind(json_text(&session.devices)?)
        .bind(to_micros(session.issued_at))
        .bind(to_micros(session.authenticated_at))
        .bind(to_micros(session.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn session_by_token(
        &mut self,
        token_digest: &str,
    ) -> Result<Option<(Session, Identity)>, StorageError> {
        let query = format!(
            "SELECT {COLUMNS}, identities.* FROM sessions JOIN identities ON identities.id = sessions.identity_id \
             WHERE token_digest = $1"
        );
        sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(token_digest)
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?
            .map(|row| Ok((read_session(&row)?, read_identity(&row)?)))
            .transpose()
    }

    async fn session(&mut self, id: &SessionId) -> Result<Option<Session>, StorageError> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM sessions WHERE id = $1"
        )))
        .bind(id.to_string())
        .fetch_optional(self.connection())
        .await
        .map_err(failure)?
        .as_ref()
        .map(read_session)
        .transpose()
    }

    async fn sessions_of(
        &mut self,
        identity: &IdentityId,
        live_at: Option<OffsetDateTime>,
        except: Option<&SessionId>,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Session>, StorageError> {
        let query = format!(
            "SELECT {COLUMNS} FROM sessions WHERE {MATCHING} ORDER BY issued_at DESC, id LIMIT $4 OFFSET $5"
        );
        sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(identity.to_string())
            .bind(live_at.map(to_micros))
            .bind(except.map(SessionId::to_string))
            .bind(i64::from(limit))
            .bind(i64::from(offset))
            .fetch_all(self.connection())
            .await
            .map_err(failure)?
            .iter()
            .map(read_session)
            .collect()
    }

    async fn count_sessions_of(
        &mut self,
        identity: &IdentityId,
        live_at: Option<OffsetDateTime>,
        except: Option<&SessionId>,
    ) -> Result<u64, StorageError> {
        let query = format!("SELECT COUNT(*) FROM sessions WHERE {MATCHING}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .bind(identity.to_string())
            .bind(live_at.map(to_micros))
            .bind(except.map(SessionId::to_string))
            .fetch_one(self.connection())
            .await
            .map_err(failure)?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn update_session(
        &mut self,
        session: &Session,
        token_digest: &str,
    ) -> Result<bool, StorageError> {
        sqlx::query(
            "UPDATE sessions SET token_digest = $2, active = $3, aal = $4, methods = $5, devices = $6, \
             authenticated_at = $7, expires_at = $8 WHERE id = $1",
        )
        .bind(session.id.to_string())
        .bind(token_digest)
        .bind(i64::from(session.active))
        .bind(aal_name(session.aal))
        .bind(json_text(&session.methods)?)
        .bind(json_text(&session.devices)?)
        .bind(to_micros(session.authenticated_at))
        .bind(to_micros(session.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected() > 0)
    }

    async fn revoke_session(&mut self, id: &SessionId) -> Result<bool, StorageError> {
        sqlx::query("UPDATE sessions SET active = 0 WHERE id = $1 AND active = 1")
            .bind(id.to_string())
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn revoke_sessions_of(
        &mut self,
        identity: &IdentityId,
        except: Option<&SessionId>,
    ) -> Result<u64, StorageError> {
        sqlx::query(
            "UPDATE sessions SET active = 0 WHERE identity_id = $1 AND active = 1 AND id <> $2",
        )
        .bind(identity.to_string())
        .bind(except.map(SessionId::to_string).unwrap_or_default())
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected())
    }

    async fn delete_expired_sessions(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError> {
        sqlx::query("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 LIMIT $2)")
            .bind(to_micros(before))
            .bind(i64::from(limit))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected())
    }
}

fn read_session(row: &SqliteRow) -> Result<Session, StorageError> {
    let text = |name: &'static str| row.try_get::<String, _>(name).map_err(failure);
    let number = |name: &'static str| row.try_get::<i64, _>(name).map_err(failure);
    let instant = |name: &'static str| number(name).and_then(from_micros);
    Ok(Session {
        id: text("session_id")?.parse().map_err(|_| corrupt("id"))?,
        identity: text("identity_id")?
            .parse()
            .map_err(|_| corrupt("identity_id"))?,
        active: number("active")? != 0,
        aal: aal(&text("aal")?)?,
        methods: json(&text("methods")?, "methods")?,
        devices: json(&text("devices")?, "devices")?,
        issued_at: instant("issued_at")?,
        authenticated_at: instant("authenticated_at")?,
        expires_at: instant("expires_at")?,
    })
}

fn aal_name(aal: Aal) -> &'static str {
    match aal {
        Aal::Aal1 => "aal1",
        Aal::Aal2 => "aal2",
    }
}

fn aal(name: &str) -> Result<Aal, StorageError> {
    match name {
        "aal1" => Ok(Aal::Aal1),
        "aal2" => Ok(Aal::Aal2),
        _ => Err(corrupt("aal")),
    }
}

fn json<T: DeserializeOwned>(text: &str, column: &str) -> Result<T, StorageError> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

fn json_text<T: serde::Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| StorageError::Corrupt(error.to_string()))
}

fn corrupt(column: &str) -> StorageError {
    StorageError::Corrupt(format!("`sessions.{column}` makes no sense"))
}
