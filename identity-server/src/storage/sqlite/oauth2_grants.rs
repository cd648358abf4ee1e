//! Queries for grants, codes and tokens.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use time::OffsetDateTime;

use super::row::{Columns, json};
use super::{SqliteTransaction, failure};
use crate::id::ClientId;
use crate::oauth2::store::{GrantStore, OAuth2Store};
use crate::oauth2::tokens::{AccessToken, Code, Grant, RefreshToken, Rotation};
use crate::storage::{StorageError, to_micros};

#[async_trait]
impl GrantStore for SqliteTransaction {
    async fn insert_grant(&mut self, grant: &Grant) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_grants (id, client_id, subject, session_id, details, created_at, ends_at, remember, \
             remember_until, revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(&grant.id)
        .bind(grant.client_id.as_str())
        .bind(&grant.subject)
        .bind(&grant.session_id)
        .bind(json(&grant.details)?)
        .bind(to_micros(grant.created_at))
        .bind(to_micros(grant.ends_at))
        .bind(i64::from(grant.remember))
        .bind(grant.remember_until.map(to_micros))
        .bind(grant.revoked_at.map(to_micros))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn grant(&mut self, id: &str) -> Result<Option<Grant>, StorageError> {
        let row = one(self, "SELECT * FROM oauth2_grants WHERE id = $1", id).await?;
        row.as_ref().map(read_grant).transpose()
    }

    async fn grants_of(
        &mut self,
        subject: &str,
        session_id: Option<&str>,
    ) -> Result<Vec<Grant>, StorageError> {
        sqlx::query(
            "SELECT * FROM oauth2_grants WHERE subject = $1 AND ($2 IS NULL OR session_id = $2) \
             AND (revoked_at IS NULL OR remember = 1) ORDER BY created_at DESC, id LIMIT 500",
        )
        .bind(subject)
        .bind(session_id)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?
        .iter()
        .map(read_grant)
        .collect()
    }

    async fn remembered_consents(
        &mut self,
        client: &ClientId,
        subject: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<Grant>, StorageError> {
        sqlx::query(
            "SELECT * FROM oauth2_grants WHERE client_id = $1 AND subject = $2 AND remember = 1 \
             AND (remember_until IS NULL OR remember_until > $3) ORDER BY created_at DESC LIMIT 20",
        )
        .bind(client.as_str())
        .bind(subject)
        .bind(to_micros(now))
        .fetch_all(self.connection())
        .await
        .map_err(failure)?
        .iter()
        .map(read_grant)
        .collect()
    }

    async fn extend_grant(
        &mut self,
        id: &str,
        ends_at: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE oauth2_grants SET ends_at = $2 WHERE id = $1 AND ends_at < $2")
            .bind(id)
            .bind(to_micros(ends_at))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(drop)
    }

    async fn revoke_grant(&mut self, id: &str, now: OffsetDateTime) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE oauth2_grants SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(to_micros(now))
        .execute(self.connection())
        .await
        .map_err(failure)?;
        run(
            self,
            "DELETE FROM oauth2_access_tokens WHERE grant_id = $1",
            id,
        )
        .await?;
        run(
            self,
            "DELETE FROM oauth2_refresh_tokens WHERE grant_id = $1",
            id,
        )
        .await
    }

    async fn forget_consent(&mut self, id: &str) -> Result<(), StorageError> {
        run(
            self,
            "UPDATE oauth2_grants SET remember = 0 WHERE id = $1",
            id,
        )
        .await
    }

    async fn end_grants_of(
        &mut self,
        subject: &str,
        client: Option<&ClientId>,
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let client = client.map(ClientId::as_str);
        for sql in DELETE_TOKENS_OF {
            sqlx::query(sql)
                .bind(subject)
                .bind(client)
                .execute(self.connection())
                .await
                .map_err(failure)?;
        }
        sqlx::query(
            "UPDATE oauth2_grants SET remember = 0, revoked_at = COALESCE(revoked_at, $3) \
             WHERE subject = $1 AND ($2 IS NULL OR client_id = $2)",
        )
        .bind(subject)
        .bind(client)
        .bind(to_micros(now))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn insert_code(&mut self, code: &Code) -> Result<(), StorageError> {
        let challenge = code.challenge.as_ref().map(json).transpose()?;
        sqlx::query(
            "INSERT INTO oauth2_codes (digest, grant_id, redirect_uri, challenge, expires_at, used_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&code.digest)
        .bind(&code.grant_id)
        .bind(&code.redirect_uri)
        .bind(challenge)
        .bind(to_micros(code.expires_at))
        .bind(code.used_at.map(to_micros))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn code(&mut self, digest: &str) -> Result<Option<Code>, StorageError> {
        let row = one(self, "SELECT * FROM oauth2_codes WHERE digest = $1", digest).await?;
        row.as_ref().map(read_code).transpose()
    }

    async fn use_code(&mut self, digest: &str, now: OffsetDateTime) -> Result<bool, StorageError> {
        sqlx::query("UPDATE oauth2_codes SET used_at = $2 WHERE digest = $1 AND used_at IS NULL")
            .bind(digest)
            .bind(to_micros(now))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn insert_access_token(&mut self, token: &AccessToken) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_access_tokens (digest, grant_id, client_id, subject, scope, audience, extra, issued_at, \
             expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&token.digest)
        .bind(&token.grant_id)
        .bind(token.client_id.as_str())
        .bind(&token.subject)
        .bind(json(&token.scope)?)
        .bind(json(&token.audience)?)
        .bind(json(&token.extra)?)
        .bind(to_micros(token.issued_at))
        .bind(to_micros(token.expires_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn access_token(&mut self, digest: &str) -> Result<Option<AccessToken>, StorageError> {
        let row = one(
            self,
            "SELECT * FROM oauth2_access_tokens WHERE digest = $1",
            digest,
        )
        .await?;
        row.as_ref().map(read_access_token).transpose()
    }

    async fn delete_access_token(&mut self, digest: &str) -> Result<(), StorageError> {
        run(
            self,
            "DELETE FROM oauth2_access_tokens WHERE digest = $1",
            digest,
        )
        .await
    }

    async fn delete_access_tokens_of(&mut self, client: &ClientId) -> Result<(), StorageError> {
        run(
            self,
            "DELETE FROM oauth2_access_tokens WHERE client_id = $1",
            client.as_str(),
        )
        .await
    }

    async fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_refresh_tokens (digest, grant_id, issued_at, expires_at, rotated_at, successor, \
             sealed_successor) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&token.digest)
        .bind(&token.grant_id)
        .bind(to_micros(token.issued_at))
        .bind(token.expires_at.map(to_micros))
        .bind(token.rotation.as_ref().map(|rotation| to_micros(rotation.at)))
        .bind(token.rotation.as_ref().map(|rotation| rotation.successor.as_str()))
        .bind(token.rotation.as_ref().map(|rotation| rotation.sealed_successor.as_str()))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn refresh_token(&mut self, digest: &str) -> Result<Option<RefreshToken>, StorageError> {
        let row = one(
            self,
            "SELECT * FROM oauth2_refresh_tokens WHERE digest = $1",
            digest,
        )
        .await?;
        row.as_ref().map(read_refresh_token).transpose()
    }

    async fn rotate_refresh_token(
        &mut self,
        digest: &str,
        rotation: &Rotation,
    ) -> Result<bool, StorageError> {
        sqlx::query(
            "UPDATE oauth2_refresh_tokens SET rotated_at = $2, successor = $3, sealed_successor = $4 \
             WHERE digest = $1 AND rotated_at IS NULL",
        )
        .bind(digest)
        .bind(to_micros(rotation.at))
        .bind(&rotation.successor)
        .bind(&rotation.sealed_successor)
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected() > 0)
    }
}

/// The tokens under the grants of a subject (`$1`), all of them or those to one client (`$2`).
const DELETE_TOKENS_OF: [&str; 2] = [
    "DELETE FROM oauth2_access_tokens WHERE grant_id IN \
     (SELECT id FROM oauth2_grants WHERE subject = $1 AND ($2 IS NULL OR client_id = $2))",
    "DELETE FROM oauth2_refresh_tokens WHERE grant_id IN \
     (SELECT id FROM oauth2_grants WHERE subject = $1 AND ($2 IS NULL OR client_id = $2))",
];

/// What has ended, per table. Grants go last and take their codes along; those whose consent is still remembered stay.
const ENDED: [&str; 5] = [
    "DELETE FROM oauth2_flows WHERE challenge IN (SELECT challenge FROM oauth2_flows WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM oauth2_login_sessions WHERE id IN \
     (SELECT id FROM oauth2_login_sessions WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM oauth2_access_tokens WHERE digest IN \
     (SELECT digest FROM oauth2_access_tokens WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM oauth2_refresh_tokens WHERE digest IN \
     (SELECT digest FROM oauth2_refresh_tokens WHERE expires_at < $1 LIMIT $2)",
    "DELETE FROM oauth2_grants WHERE id IN (SELECT id FROM oauth2_grants WHERE ends_at < $1 \
     AND (remember = 0 OR remember_until < $1) LIMIT $2)",
];

#[async_trait]
impl OAuth2Store for SqliteTransaction {
    async fn delete_expired_oauth2(
        &mut self,
        now: OffsetDateTime,
        limit: i64,
    ) -> Result<u64, StorageError> {
        let mut gone: u64 = 0;
        for sql in ENDED {
            let done = sqlx::query(sql)
                .bind(to_micros(now))
                .bind(limit)
                .execute(self.connection())
                .await
                .map_err(failure)?;
            gone = gone.saturating_add(done.rows_affected());
        }
        Ok(gone)
    }
}

async fn one(
    tx: &mut SqliteTransaction,
    sql: &'static str,
    key: &str,
) -> Result<Option<SqliteRow>, StorageError> {
    sqlx::query(sql)
        .bind(key)
        .fetch_optional(tx.connection())
        .await
        .map_err(failure)
}

async fn run(tx: &mut SqliteTransaction, sql: &'static str, key: &str) -> Result<(), StorageError> {
    sqlx::query(sql)
        .bind(key)
        .execute(tx.connection())
        .await
        .map_err(failure)
        .map(drop)
}

fn read_grant(row: &SqliteRow) -> Result<Grant, StorageError> {
    let row = Columns(row);
    Ok(Grant {
        id: row.text("id")?,
        client_id: ClientId::new(row.text("client_id")?),
        subject: row.text("subject")?,
        session_id: row.text("session_id")?,
        details: row.json("details")?,
        created_at: row.time("created_at")?,
        ends_at: row.time("ends_at")?,
        remember: row.number("remember")? != 0,
        remember_until: row.optional_time("remember_until")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}

fn read_code(row: &SqliteRow) -> Result<Code, StorageError> {
    let row = Columns(row);
    Ok(Code {
        digest: row.text("digest")?,
        grant_id: row.text("grant_id")?,
        redirect_uri: row.optional_text("redirect_uri")?,
        challenge: row
            .optional_text("challenge")?
            .map(|_| row.json("challenge"))
            .transpose()?,
        expires_at: row.time("expires_at")?,
        used_at: row.optional_time("used_at")?,
    })
}

fn read_access_token(row: &SqliteRow) -> Result<AccessToken, StorageError> {
    let row = Columns(row);
    Ok(AccessToken {
        digest: row.text("digest")?,
        grant_id: row.optional_text("grant_id")?,
        client_id: ClientId::new(row.text("client_id")?),
        subject: row.text("subject")?,
        scope: row.json("scope")?,
        audience: row.json("audience")?,
        extra: row.json("extra")?,
        issued_at: row.time("issued_at")?,
        expires_at: row.time("expires_at")?,
    })
}

fn read_refresh_token(row: &SqliteRow) -> Result<RefreshToken, StorageError> {
    let row = Columns(row);
    let rotation = match (
        row.optional_time("rotated_at")?,
        row.optional_text("successor")?,
    ) {
        (Some(at), Some(successor)) => {
            let sealed_successor = row.optional_text("sealed_successor")?.unwrap_or_default();
            Some(Rotation {
                at,
                successor,
                sealed_successor,
            })
        }
        _ => None,
    };
    Ok(RefreshToken {
        digest: row.text("digest")?,
        grant_id: row.text("grant_id")?,
        issued_at: row.time("issued_at")?,
        expires_at: row.optional_time("expires_at")?,
        rotation,
    })
}
