//! Queries for OAuth 2.0 clients.

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;

use super::row::{Columns, json};
use super::{SqliteTransaction, failure};
use crate::id::ClientId;
use crate::oauth2::client::{Client, StoredSecret};
use crate::oauth2::store::{ClientFilter, ClientStore};
use crate::storage::{StorageError, to_micros};

#[async_trait]
impl ClientStore for SqliteTransaction {
    async fn client(&mut self, id: &ClientId) -> Result<Option<Client>, StorageError> {
        sqlx::query("SELECT * FROM oauth2_clients WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn clients(
        &mut self,
        filter: &ClientFilter,
        after: Option<&ClientId>,
        limit: u32,
    ) -> Result<Vec<Client>, StorageError> {
        sqlx::query(
            "SELECT * FROM oauth2_clients WHERE id > $1 AND ($2 IS NULL OR name = $2) AND ($3 IS NULL OR owner = $3) \
             ORDER BY id LIMIT $4",
        )
        .bind(after.map_or("", ClientId::as_str))
        .bind(&filter.name)
        .bind(&filter.owner)
        .bind(limit)
        .fetch_all(self.connection())
        .await
        .map_err(failure)?
        .iter()
        .map(read)
        .collect()
    }

    async fn insert_client(&mut self, client: &Client) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO oauth2_clients (id, name, owner, profile, secret, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(client.id.as_str())
        .bind(&client.profile.client_name)
        .bind(&client.profile.owner)
        .bind(json(&client.profile)?)
        .bind(client.secret.as_ref().map(StoredSecret::as_str))
        .bind(to_micros(client.created_at))
        .bind(to_micros(client.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn update_client(&mut self, client: &Client) -> Result<bool, StorageError> {
        sqlx::query(
            "UPDATE oauth2_clients SET name = $2, owner = $3, profile = $4, secret = $5, updated_at = $6 WHERE id = $1",
        )
        .bind(client.id.as_str())
        .bind(&client.profile.client_name)
        .bind(&client.profile.owner)
        .bind(json(&client.profile)?)
        .bind(client.secret.as_ref().map(StoredSecret::as_str))
        .bind(to_micros(client.updated_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(|done| done.rows_affected() > 0)
    }

    async fn delete_client(&mut self, id: &ClientId) -> Result<bool, StorageError> {
        sqlx::query("DELETE FROM oauth2_clients WHERE id = $1")
            .bind(id.as_str())
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }
}

fn read(row: &SqliteRow) -> Result<Client, StorageError> {
    let row = Columns(row);
    Ok(Client {
        id: ClientId::new(row.text("id")?),
        profile: row.json("profile")?,
        secret: row.optional_text("secret")?.map(StoredSecret::from_stored),
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
