//! Queries of the keys room.

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use time::Duration;

use super::{SqliteTransaction, failure};
use crate::id::KeyId;
use crate::keys::store::{KeyStore, StoredKey};
use crate::storage::{StorageError, duration_to_micros, from_micros, to_micros};

#[async_trait]
impl KeyStore for SqliteTransaction {
    async fn keys(&mut self) -> Result<Vec<StoredKey>, StorageError> {
        sqlx::query("SELECT * FROM signing_keys ORDER BY created_at, id")
            .fetch_all(self.connection())
            .await
            .map_err(failure)?
            .iter()
            .map(read)
            .collect()
    }

    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO signing_keys (id, key_set, algorithm, sealed_private, public_jwk, created_at, activates_at, \
             retires_at, token_lifespan) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(key.id.as_str())
        .bind(key.set.name())
        .bind(key.algorithm.name())
        .bind(URL_SAFE_NO_PAD.encode(&key.sealed_private))
        .bind(&key.public_jwk)
        .bind(to_micros(key.created_at))
        .bind(to_micros(key.activates_at))
        .bind(key.retires_at.map(to_micros))
        .bind(duration_to_micros(key.token_lifespan))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn update_key_times(&mut self, key: &StoredKey) -> Result<bool, StorageError> {
        sqlx::query("UPDATE signing_keys SET activates_at = $2, retires_at = $3, token_lifespan = $4 WHERE id = $1")
            .bind(key.id.as_str())
            .bind(to_micros(key.activates_at))
            .bind(key.retires_at.map(to_micros))
            .bind(duration_to_micros(key.token_lifespan))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn reseal_key(&mut self, key: &StoredKey) -> Result<bool, StorageError> {
        sqlx::query("UPDATE signing_keys SET sealed_private = $2 WHERE id = $1")
            .bind(key.id.as_str())
            .bind(URL_SAFE_NO_PAD.encode(&key.sealed_private))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn delete_key(&mut self, id: &KeyId) -> Result<bool, StorageError> {
        sqlx::query("DELETE FROM signing_keys WHERE id = $1")
            .bind(id.as_str())
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }
}

fn read(row: &SqliteRow) -> Result<StoredKey, StorageError> {
    let text = |name: &'static str| row.try_get::<String, _>(name).map_err(failure);
    let number = |name: &'static str| row.try_get::<i64, _>(name).map_err(failure);
    let retires_at = row
        .try_get::<Option<i64>, _>("retires_at")
        .map_err(failure)?;
    Ok(StoredKey {
        id: KeyId::new(text("id")?),
        set: parse(&text("key_set")?)?,
        algorithm: parse(&text("algorithm")?)?,
        sealed_private: URL_SAFE_NO_PAD
            .decode(text("sealed_private")?)
            .map_err(|error| {
                StorageError::Corrupt(format!("`signing_keys.sealed_private`: {error}"))
            })?,
        public_jwk: text("public_jwk")?,
        created_at: from_micros(number("created_at")?)?,
        activates_at: from_micros(number("activates_at")?)?,
        retires_at: retires_at.map(from_micros).transpose()?,
        token_lifespan: Duration::microseconds(number("token_lifespan")?),
    })
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StorageError> {
    text.parse()
        .map_err(|error| StorageError::Corrupt(format!("`signing_keys`: {error}")))
}
