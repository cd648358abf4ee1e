//! What the flows room needs kept.

use async_trait::async_trait;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Flow;
use crate::id::FlowId;
use crate::storage::StorageError;

/// An error that a browser was sent to the error page for.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowError {
    /// Its name in the page's address.
    pub id: Uuid,
    /// The `error` object as the API shows it.
    pub error: Value,
    /// When it happened.
    pub created_at: OffsetDateTime,
}

/// Flows under way, and the errors of browsers.
#[async_trait]
pub trait FlowStore {
    /// Adds a flow. [`StorageError::Conflict`] if its id exists.
    async fn insert_self_service_flow(&mut self, flow: &Flow) -> Result<(), StorageError>;

    /// The flow with this id, expired or not.
    async fn self_service_flow(&mut self, id: &FlowId) -> Result<Option<Flow>, StorageError>;

    /// Replaces the flow `flow.id`. `false` if there is none.
    async fn update_self_service_flow(&mut self, flow: &Flow) -> Result<bool, StorageError>;

    /// Removes up to `limit` flows that expired before `before`; answers how many.
    async fn delete_expired_self_service_flows(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError>;

    /// Adds an error.
    async fn insert_flow_error(&mut self, error: &FlowError) -> Result<(), StorageError>;

    /// The error with this id.
    async fn flow_error(&mut self, id: &Uuid) -> Result<Option<FlowError>, StorageError>;

    /// Removes up to `limit` errors older than `before`; answers how many.
    async fn delete_flow_errors(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError>;
}
