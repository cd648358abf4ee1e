//! What the identity room needs kept.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::{Credential, CredentialConfig, CredentialKind, Identity};
use crate::id::IdentityId;
use crate::storage::StorageError;

/// Identities and their credentials.
#[async_trait]
pub trait IdentityStore {
    /// Adds an identity. [`StorageError::Conflict`] if its id or `external_id` exists.
    async fn insert_identity(&mut self, identity: &Identity) -> Result<(), StorageError>;

    /// Adds a credential. [`StorageError::Conflict`] if another identity has one of its identifiers, or this one has
    /// a credential of this kind.
    async fn insert_credential(&mut self, credential: &Credential) -> Result<(), StorageError>;

    /// The identity with this id.
    async fn identity(&mut self, id: &IdentityId) -> Result<Option<Identity>, StorageError>;

    /// The identities after `after` in the order of ids, at most `limit`.
    async fn identities(
        &mut self,
        after: Option<&IdentityId>,
        limit: u32,
    ) -> Result<Vec<Identity>, StorageError>;

    /// The identity that has this canonical identifier in any credential.
    async fn identity_by_identifier(
        &mut self,
        identifier: &str,
    ) -> Result<Option<Identity>, StorageError>;

    /// The identity and its credential of this kind with this canonical identifier.
    async fn credential_by_identifier(
        &mut self,
        kind: CredentialKind,
        identifier: &str,
    ) -> Result<Option<(Identity, Credential)>, StorageError>;

    /// The credentials of an identity.
    async fn credentials(&mut self, identity: &IdentityId)
    -> Result<Vec<Credential>, StorageError>;

    /// Replaces what a credential is made of. `false` if there is none.
    async fn update_credential_config(
        &mut self,
        identity: &IdentityId,
        kind: CredentialKind,
        config: &CredentialConfig,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError>;

    /// Sets whether the identity may sign in. `false` if there is none.
    async fn update_identity_state(
        &mut self,
        id: &IdentityId,
        state: super::IdentityState,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError>;

    /// Removes an identity with its credentials and sessions. `false` if there is none.
    async fn delete_identity(&mut self, id: &IdentityId) -> Result<bool, StorageError>;
}
