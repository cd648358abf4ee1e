//! What the sessions room needs kept.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::Session;
use crate::id::{IdentityId, SessionId};
use crate::identity::Identity;
use crate::storage::StorageError;

/// Sessions, found by the digest of their token ([`crate::secret::digest`]).
#[async_trait]
pub trait SessionStore {
    /// Adds a session. [`StorageError::Conflict`] if there is no such identity.
    async fn insert_session(
        &mut self,
        session: &Session,
        token_digest: &str,
    ) -> Result<(), StorageError>;

    /// The session with this token and its owner, in one read. It may be revoked or expired: ask
    /// [`Session::is_valid`].
    async fn session_by_token(
        &mut self,
        token_digest: &str,
    ) -> Result<Option<(Session, Identity)>, StorageError>;

    /// The session with this id.
    async fn session(&mut self, id: &SessionId) -> Result<Option<Session>, StorageError>;

    /// Sessions of an identity but `except`, the newest first, after skipping `offset`. With `live_at`, only those
    /// that are neither revoked nor expired then.
    async fn sessions_of(
        &mut self,
        identity: &IdentityId,
        live_at: Option<OffsetDateTime>,
        except: Option<&SessionId>,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Session>, StorageError>;

    /// How many [`sessions_of`](Self::sessions_of) there are on all pages.
    async fn count_sessions_of(
        &mut self,
        identity: &IdentityId,
        live_at: Option<OffsetDateTime>,
        except: Option<&SessionId>,
    ) -> Result<u64, StorageError>;

    /// Replaces everything about the session `session.id` but its owner, and its token. `false` if there is none.
    async fn update_session(
        &mut self,
        session: &Session,
        token_digest: &str,
    ) -> Result<bool, StorageError>;

    /// Ends a session. `false` if there is none, or it had ended.
    async fn revoke_session(&mut self, id: &SessionId) -> Result<bool, StorageError>;

    /// Ends all live sessions of an identity but `except`; answers how many.
    async fn revoke_sessions_of(
        &mut self,
        identity: &IdentityId,
        except: Option<&SessionId>,
    ) -> Result<u64, StorageError>;

    /// Removes up to `limit` sessions that expired before `before`; answers how many.
    async fn delete_expired_sessions(
        &mut self,
        before: OffsetDateTime,
        limit: u32,
    ) -> Result<u64, StorageError>;
}
