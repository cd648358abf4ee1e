//! Queries of the flows room.

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use sqlx::Row;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{SqliteTransaction, failure};
use crate::flows::Flow;
use crate::flows::store::{FlowError, FlowStore};
use crate::id::FlowId;
use crate::storage::{StorageError, from_micros, to_micros};

#[async_trait]
impl FlowStore for SqliteTransaction {
    async fn insert_self_service_flow(&mut self, flow: &Flow) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO self_service_flows (id, kind, document, expires_at) VALUES ($1, $2, $3, $4)")
            .bind(flow.id.to_string())
            .bind(flow.kind.name())
            .bind(text(flow)?)
            .bind(to_micros(flow.expires_at))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(drop)
    }

    async fn self_service_flow(&mut self, id: &FlowId) -> Result<Option<Flow>, StorageError> {
        sqlx::query_scalar::<_, String>("SELECT document FROM self_service_flows WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?
            .map(|document| json(&document, "self_service_flows"))
            .transpose()
    }

    async fn update_self_service_flow(&mut self, flow: &Flow) -> Result<bool, StorageError> {
        sqlx::query("UPDATE self_service_flows SET document = $2, expires_at = $3 WHERE id = $1")
            .bind(flow.id.to_string())
            .bind(text(flow)?)
            .bind(to_micros(flow.expires_at))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected() > 0)
    }

    async fn delete_expired_self_service_flows(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError> {
        sqlx::query("DELETE FROM self_service_flows WHERE id IN (SELECT id FROM self_service_flows WHERE expires_at < $1 LIMIT $2)")
            .bind(to_micros(before))
            .bind(i64::from(limit))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected())
    }

    async fn insert_flow_error(&mut self, error: &FlowError) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO self_service_errors (id, document, created_at) VALUES ($1, $2, $3)",
        )
        .bind(error.id.to_string())
        .bind(error.error.to_string())
        .bind(to_micros(error.created_at))
        .execute(self.connection())
        .await
        .map_err(failure)
        .map(drop)
    }

    async fn flow_error(&mut self, id: &Uuid) -> Result<Option<FlowError>, StorageError> {
        let row = sqlx::query("SELECT document, created_at FROM self_service_errors WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.connection())
            .await
            .map_err(failure)?;
        let Some(row) = row else { return Ok(None) };
        let document: String = row.try_get("document").map_err(failure)?;
        Ok(Some(FlowError {
            id: *id,
            error: json(&document, "self_service_errors")?,
            created_at: from_micros(row.try_get("created_at").map_err(failure)?)?,
        }))
    }

    async fn delete_flow_errors(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError> {
        sqlx::query("DELETE FROM self_service_errors WHERE id IN (SELECT id FROM self_service_errors WHERE created_at < $1 LIMIT $2)")
            .bind(to_micros(before))
            .bind(i64::from(limit))
            .execute(self.connection())
            .await
            .map_err(failure)
            .map(|done| done.rows_affected())
    }
}

fn text(flow: &Flow) -> Result<String, StorageError> {
    serde_json::to_string(flow).map_err(|error| StorageError::Corrupt(error.to_string()))
}

fn json<T: DeserializeOwned>(text: &str, table: &str) -> Result<T, StorageError> {
    serde_json::from_str(text)
        .map_err(|_| StorageError::Corrupt(format!("`{table}.document` makes no sense")))
}
