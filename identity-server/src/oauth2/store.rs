//! What the OAuth2 room needs kept.
//!
//! Every method that decides something by what it finds (`use_code`, `rotate_refresh_token`, `update_flow`) says so in
//! its result, so that two transactions that raced cannot both believe they won.

use async_trait::async_trait;
use time::OffsetDateTime;

use super::client::Client;
use super::flow::Flow;
use super::tokens::{AccessToken, Code, Grant, LoginSession, RefreshToken, Rotation};
use crate::id::ClientId;
use crate::storage::StorageError;

/// Which clients to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// Only with this `client_name`.
    pub name: Option<String>,
    /// Only with this `owner`.
    pub owner: Option<String>,
}

/// The registered clients.
#[async_trait]
pub trait ClientStore {
    /// One client.
    async fn client(&mut self, id: &ClientId) -> Result<Option<Client>, StorageError>;

    /// At most `limit` clients in the order of their ids, starting behind `after`.
    async fn clients(
        &mut self,
        filter: &ClientFilter,
        after: Option<&ClientId>,
        limit: u32,
    ) -> Result<Vec<Client>, StorageError>;

    /// Adds a client; [`StorageError::Conflict`] if its id is taken.
    async fn insert_client(&mut self, client: &Client) -> Result<(), StorageError>;

    /// Replaces a client. `false` if there is none with its id.
    async fn update_client(&mut self, client: &Client) -> Result<bool, StorageError>;

    /// Removes a client and everything issued to it. `false` if there is none.
    async fn delete_client(&mut self, id: &ClientId) -> Result<bool, StorageError>;
}

/// Authorization requests under way.
#[async_trait]
pub trait FlowStore {
    /// Adds a flow.
    async fn insert_flow(&mut self, flow: &Flow) -> Result<(), StorageError>;

    /// The flow of a login challenge.
    async fn flow(&mut self, challenge: &str) -> Result<Option<Flow>, StorageError>;

    /// The flow of a consent challenge.
    async fn flow_of_consent(
        &mut self,
        consent_challenge: &str,
    ) -> Result<Option<Flow>, StorageError>;

    /// The flow that waits for a verifier.
    async fn flow_of_verifier(&mut self, digest: &str) -> Result<Option<Flow>, StorageError>;

    /// Replaces `before` by `after`. `false` if the row is no longer as it was in `before`.
    async fn update_flow(&mut self, before: &Flow, after: &Flow) -> Result<bool, StorageError>;
}

/// Grants, and the codes and tokens issued under them.
#[async_trait]
pub trait GrantStore {
    /// Adds a grant.
    async fn insert_grant(&mut self, grant: &Grant) -> Result<(), StorageError>;

    /// A grant, revoked or not. Within a transaction from `begin` it cannot change until that ends.
    async fn grant(&mut self, id: &str) -> Result<Option<Grant>, StorageError>;

    /// The grants of a subject that were not revoked or are still remembered, newest first; of one session if named. At
    /// most 500.
    async fn grants_of(
        &mut self,
        subject: &str,
        session_id: Option<&str>,
    ) -> Result<Vec<Grant>, StorageError>;

    /// The remembered consents of a subject for a client, newest first.
    async fn remembered_consents(
        &mut self,
        client: &ClientId,
        subject: &str,
        now: OffsetDateTime,
    ) -> Result<Vec<Grant>, StorageError>;

    /// Notes that something issued under the grant lives until `ends_at`.
    async fn extend_grant(&mut self, id: &str, ends_at: OffsetDateTime)
    -> Result<(), StorageError>;

    /// Revokes a grant and removes its access and refresh tokens. A remembered consent stays remembered.
    async fn revoke_grant(&mut self, id: &str, now: OffsetDateTime) -> Result<(), StorageError>;

    /// Forgets that a consent was to be remembered.
    async fn forget_consent(&mut self, id: &str) -> Result<(), StorageError>;

    /// Ends every grant of a subject, or those to one client: revoked, its tokens removed, its consent forgotten.
    async fn end_grants_of(
        &mut self,
        subject: &str,
        client: Option<&ClientId>,
        now: OffsetDateTime,
    ) -> Result<(), StorageError>;

    /// Adds a code.
    async fn insert_code(&mut self, code: &Code) -> Result<(), StorageError>;

    /// A code, used or not.
    async fn code(&mut self, digest: &str) -> Result<Option<Code>, StorageError>;

    /// Marks a code as used. `false` if it was before.
    async fn use_code(&mut self, digest: &str, now: OffsetDateTime) -> Result<bool, StorageError>;

    /// Adds an access token.
    async fn insert_access_token(&mut self, token: &AccessToken) -> Result<(), StorageError>;

    /// An access token, expired or not. Those of revoked grants are gone.
    async fn access_token(&mut self, digest: &str) -> Result<Option<AccessToken>, StorageError>;

    /// Removes one access token.
    async fn delete_access_token(&mut self, digest: &str) -> Result<(), StorageError>;

    /// Removes all access tokens of a client.
    async fn delete_access_tokens_of(&mut self, client: &ClientId) -> Result<(), StorageError>;

    /// Adds a refresh token.
    async fn insert_refresh_token(&mut self, token: &RefreshToken) -> Result<(), StorageError>;

    /// A refresh token, used, expired or not. Those of revoked grants are gone.
    async fn refresh_token(&mut self, digest: &str) -> Result<Option<RefreshToken>, StorageError>;

    /// Marks a refresh token as exchanged. `false` if it was before, or is gone.
    async fn rotate_refresh_token(
        &mut self,
        digest: &str,
        rotation: &Rotation,
    ) -> Result<bool, StorageError>;
}

/// Remembered sign-ins.
#[async_trait]
pub trait LoginSessionStore {
    /// Adds a session, or replaces the one with its id.
    async fn save_login_session(&mut self, session: &LoginSession) -> Result<(), StorageError>;

    /// The session of a cookie.
    async fn login_session(&mut self, cookie: &str) -> Result<Option<LoginSession>, StorageError>;

    /// Removes the session with this `sid`.
    async fn delete_login_session(&mut self, id: &str) -> Result<(), StorageError>;

    /// Removes every session of a subject.
    async fn delete_login_sessions_of(&mut self, subject: &str) -> Result<(), StorageError>;

    /// Removes the sessions behind which an identity provider's session stands.
    async fn delete_login_sessions_behind(
        &mut self,
        identity_session_id: &str,
    ) -> Result<(), StorageError>;
}

/// Everything of this room.
#[async_trait]
pub trait OAuth2Store: ClientStore + FlowStore + GrantStore + LoginSessionStore {
    /// Removes at most `limit` rows of each kind that have ended before `now`; how many went.
    async fn delete_expired_oauth2(
        &mut self,
        now: OffsetDateTime,
        limit: i64,
    ) -> Result<u64, StorageError>;
}
