//! Whether the person behind a grant is still there.
//!
//! A grant outlives sessions, so tokens must not go on flowing to whoever has been disabled or deleted since.

use std::str::FromStr as _;

use super::tokens::Grant;
use crate::config::Settings;
use crate::id::IdentityId;
use crate::identity::IdentityState;
use crate::storage::{StorageError, Transaction};

/// The grant with this id, if it still carries its tokens: not revoked, and its subject may go on.
///
/// # Errors
/// [`StorageError`].
pub async fn live_grant(
    tx: &mut dyn Transaction,
    settings: &Settings,
    id: &str,
) -> Result<Option<Grant>, StorageError> {
    let Some(grant) = tx.grant(id).await? else {
        return Ok(None);
    };
    let alive = grant.revoked_at.is_none() && may_go_on(tx, settings, &grant).await?;
    Ok(alive.then_some(grant))
}

/// Whether more tokens may be issued under `grant`, as far as its subject goes. With a login page of somebody else we
/// cannot know whom it means, unless the subject is one of our identities.
///
/// # Errors
/// [`StorageError`].
pub async fn may_go_on(
    tx: &mut dyn Transaction,
    settings: &Settings,
    grant: &Grant,
) -> Result<bool, StorageError> {
    let Ok(id) = IdentityId::from_str(&grant.subject) else {
        return Ok(true);
    };
    let identity = tx.identity(&id).await?;
    let external = settings.urls.login.is_some();
    Ok(identity.map_or(external, |identity| identity.state == IdentityState::Active))
}
