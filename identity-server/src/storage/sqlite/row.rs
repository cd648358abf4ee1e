//! Reading columns of the OAuth2 room's tables; a value that cannot be read names its column.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use time::OffsetDateTime;

use super::failure;
use crate::storage::{StorageError, from_micros};

/// A row, with typed access by column name.
pub(super) struct Columns<'r>(pub(super) &'r SqliteRow);

impl Columns<'_> {
    pub(super) fn text(&self, name: &'static str) -> Result<String, StorageError> {
        self.0.try_get(name).map_err(failure)
    }

    pub(super) fn optional_text(&self, name: &'static str) -> Result<Option<String>, StorageError> {
        self.0.try_get(name).map_err(failure)
    }

    pub(super) fn number(&self, name: &'static str) -> Result<i64, StorageError> {
        self.0.try_get(name).map_err(failure)
    }

    pub(super) fn time(&self, name: &'static str) -> Result<OffsetDateTime, StorageError> {
        from_micros(self.number(name)?)
    }

    pub(super) fn optional_time(
        &self,
        name: &'static str,
    ) -> Result<Option<OffsetDateTime>, StorageError> {
        self.0
            .try_get::<Option<i64>, _>(name)
            .map_err(failure)?
            .map(from_micros)
            .transpose()
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, StorageError> {
        serde_json::from_str(&self.text(name)?)
            .map_err(|error| StorageError::Corrupt(format!("`{name}`: {error}")))
    }
}

/// JSON for a column.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StorageError> {
    serde_json::to_string(value).map_err(|error| {
        StorageError::Corrupt(format!("a value cannot be written as JSON: {error}"))
    })
}
