//! Conformance: what every storage must do, run over every backend. A room adds a generic function over
//! `&dyn Storage` in a module of its own, and a line in `conformance!` below.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "test code"
)]

mod flows;
mod identities;
mod keys;
mod oauth2;
mod sessions;
mod transactions;

use std::sync::Arc;

use gatepost::storage::Storage;
use gatepost::storage::sqlite::{Missing, SqliteStorage};

/// A migrated, empty storage, and whatever must live as long as it does.
pub struct Backend {
    pub storage: Arc<dyn Storage>,
    _folder: Option<tempfile::TempDir>,
}

impl Backend {
    pub async fn sqlite_memory() -> Self {
        let storage = SqliteStorage::in_memory().await.unwrap();
        storage.migrate().await.unwrap();
        Self {
            storage: Arc::new(storage),
            _folder: None,
        }
    }

    pub async fn sqlite_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let storage = SqliteStorage::open(&folder.path().join("test.sqlite"), Missing::Create)
            .await
            .unwrap();
        storage.migrate().await.unwrap();
        Self {
            storage: Arc::new(storage),
            _folder: Some(folder),
        }
    }
}

/// One test per backend and case: `conformance!(keys::a_key_is_kept_as_it_was, …)`.
macro_rules! conformance {
    ($($room:ident :: $case:ident),+ $(,)?) => {
        mod sqlite_memory {
            $(#[tokio::test]
            async fn $case() {
                let backend = crate::Backend::sqlite_memory().await;
                crate::$room::$case(&*backend.storage).await;
                backend.storage.close().await;
            })+
        }

        mod sqlite_file {
            $(#[tokio::test]
            async fn $case() {
                let backend = crate::Backend::sqlite_file().await;
                crate::$room::$case(&*backend.storage).await;
                backend.storage.close().await;
            })+
        }
    };
}

conformance!(
    transactions::a_committed_write_is_seen_by_the_next_reader,
    transactions::a_dropped_transaction_leaves_no_trace,
    transactions::a_reading_transaction_cannot_write,
    transactions::writers_take_turns_and_lose_nothing,
    transactions::migrating_again_changes_nothing,
    transactions::a_closed_storage_is_unavailable,
    keys::a_key_is_kept_as_it_was,
    keys::the_same_key_twice_is_a_conflict,
    keys::only_the_times_of_a_key_change,
    keys::resealing_changes_the_box_only,
    keys::a_deleted_key_is_gone,
    oauth2::a_client_is_kept_as_it_was,
    oauth2::clients_are_listed_in_pages,
    oauth2::a_deleted_client_takes_everything_along,
    oauth2::nothing_is_issued_to_nobody,
    oauth2::a_flow_changes_only_from_what_it_was,
    oauth2::a_code_is_used_once,
    oauth2::a_refresh_token_is_rotated_once,
    oauth2::grants_and_tokens_are_kept_as_they_were,
    oauth2::a_revoked_grant_has_no_tokens_but_its_consent_is_remembered,
    oauth2::consents_are_remembered_for_as_long_as_was_said,
    oauth2::login_sessions_are_found_by_cookie_and_end_together,
    oauth2::what_has_ended_is_removed_and_nothing_else,
    identities::an_identity_is_kept_as_it_was,
    identities::identifiers_and_external_ids_are_unique,
    identities::a_credential_and_a_state_are_changed,
    identities::a_deleted_identity_takes_everything_along,
    identities::identities_are_listed_by_pages,
    sessions::a_session_is_found_with_its_owner,
    sessions::a_session_needs_an_owner_and_a_token_of_its_own,
    sessions::a_session_moves_to_a_new_token,
    sessions::revoked_and_expired_sessions_are_told_apart_from_live_ones,
    sessions::expired_sessions_are_removed_in_portions,
    flows::a_flow_is_kept_as_it_was_and_changed,
    flows::expired_flows_are_removed_in_portions,
    flows::errors_are_kept_for_a_while,
);
