//! Queries for authorization requests under way, and for remembered sign-ins.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::{Columns, json};
use super::{SqliteTransaction, failure};
use crate::oauth2::flow::Flow;
use crate::oauth2::store::{FlowStore, LoginSessionStore};
use crate::oauth2::tokens::LoginSession;
use crate::storage::{StorageError, to_micros};

#[async_trait]
impl FlowStore for SqliteTransaction {
    async fn insert_flow(&mut self, flow: &Flow) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_flows (challenge, consent_challenge, verifier, client_id, flow, revision, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&flow.challenge)
        .bind(&flow.consent_challenge)
        .bind(&flow.verifier)
        .bind(flow.request.client_id.as_str())
        .bind(json(flow)?)
        .bind(flow.revision)
        .bind(to_micros(flow.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn flow(&mut self, challenge: &str) -> Result<Option<Flow>, StorageError> {
        find(
            self,
            "SELECT flow, revision FROM oauth2_flows WHERE challenge = $1",
            challenge,
        )
        .await
    }

    async fn flow_of_consent(
        &mut self,
        consent_challenge: &str,
    ) -> Result<Option<Flow>, StorageError> {
        find(
            self,
            "SELECT flow, revision FROM oauth2_flows WHERE consent_challenge = $1",
            consent_challenge,
        )
        .await
    }

    async fn flow_of_verifier(&mut self, digest: &str) -> Result<Option<Flow>, StorageError> {
        find(
            self,
            "SELECT flow, revision FROM oauth2_flows WHERE verifier = $1",
            digest,
        )
        .await
    }

    async fn update_flow(&mut self, before: &Flow, after: &Flow) -> Result<bool, StorageError> {
        sqlx::query(
            "UPDATE oauth2_flows SET consent_challenge = $3, verifier = $4, flow = $5, revision = revision + 1, \
             expires_at = $6 WHERE challenge = $1 AND revision = $2",
        )
        .bind(&before.challenge)
        .bind(before.revision)
        .bind(&after.consent_challenge)
        .bind(&after.verifier)
        .bind(json(after)?)
        .bind(to_micros(after.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected() > 0)
    }
}

async fn find(
    tx: &mut SqliteTransaction,
    sql: &'static str,
    key: &str,
) -> Result<Option<Flow>, StorageError> {
    let row = sqlx::query(sql)
        .bind(key)
        .fetch_optional(tx.connection())
        .await
        .map_err(failure)?;
    let Some(row) = row else { return Ok(None) };
    let row = Columns(&row);
    Ok(Some(Flow {
        revision: row.number("revision")?,
        ..row.json("flow")?
    }))
}

#[async_trait]
impl LoginSessionStore for SqliteTransaction {
    async fn save_login_session(&mut self, session: &LoginSession) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_login_sessions (id, cookie, subject, authenticated_at, identity_session_id, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET cookie = $2, subject = $3, \
             authenticated_at = $4, identity_session_id = $5, expires_at = $6",
        )
        .bind(&session.id)
        .bind(&session.cookie)
        .bind(&session.subject)
        .bind(to_micros(session.authenticated_at))
        .bind(&session.identity_session_id)
        .bind(to_micros(session.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn login_session(&mut self, cookie: &str) -> Result<Option<LoginSession>, StorageError> {
        sqlx::query("SELECT * FROM oauth2_login_sessions WHERE cookie = $1")
            .bind(cookie)
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?
            .as_ref()
            .map(read_session)
            .transpose()
    }

    async fn delete_login_session(&mut self, id: &str) -> Result<(), StorageError> {
        delete(self, "DELETE FROM oauth2_login_sessions WHERE id = $1", id).await
    }

    async fn delete_login_sessions_of(&mut self, subject: &str) -> Result<(), StorageError> {
        delete(
            self,
            "DELETE FROM oauth2_login_sessions WHERE subject = $1",
            subject,
        )
        .await
    }

    async fn delete_login_sessions_behind(
        &mut self,
        identity_session_id: &str,
    ) -> Result<(), StorageError> {
        delete(
            self,
            "DELETE FROM oauth2_login_sessions WHERE identity_session_id = $1",
            identity_session_id,
        )
        .await
    }
}

async fn delete(
    tx: &mut SqliteTransaction,
    sql: &'static str,
    key: &str,
) -> Result<(), StorageError> {
    sqlx::query(sql)
        .bind(key)
        .execute(tx.connection())
        .await
        .map_err(failure)
        .map(drop)
}

fn read_session(row: &SqliteRow) -> Result<LoginSession, StorageError> {
    let row = Columns(row);
    Ok(LoginSession {
        id: row.text("id")?,
        cookie: row.text("cookie")?,
        subject: row.text("subject")?,
        authenticated_at: row.time("authenticated_at")?,
        identity_session_id: row.optional_text("identity_session_id")?,
        expires_at: row.time("expires_at")?,
    })
}
