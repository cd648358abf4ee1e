//! Where everything is kept: one [`Storage`], whose [`Transaction`] is the sum of the rooms' own store traits.
//!
//! A room says what it needs in `<room>/store.rs` (a trait, all methods `&mut self`); a backend answers it in
//! `storage/<backend>/<room>.rs`. Nothing else in the crate contains SQL.
//!
//! # The law
//! - One handler, one transaction: read, decide, write, [`commit`](Transaction::commit), answer. A transaction that
//!   is dropped leaves no trace.
//! - **A task holds at most one transaction.** The backend may own a single connection (`memory` does), so a second
//!   one would wait for the first for ever; it gives up after five seconds.
//! - Do nothing slow (password hashing, calls out) while holding one from [`begin`](Storage::begin): there is one
//!   writer at a time.
//! - SQL is written once for SQLite and PostgreSQL: `$1` placeholders, `TEXT` and `BIGINT` columns, bytes as
//!   base64url text, JSON as text, booleans as `BIGINT` 0/1, times through [`to_micros`] and [`from_micros`].

pub mod sqlite;

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::flows::store::FlowStore;
use crate::identity::store::IdentityStore;
use crate::keys::store::KeyStore;
use crate::oauth2::store::OAuth2Store;
use crate::sessions::store::SessionStore;

/// Something that keeps rows and hands out transactions over them.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Starts a transaction that may only read, on a snapshot of its own; it does not wait for writers.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    async fn read(&self) -> Result<Box<dyn Transaction + '_>, StorageError>;

    /// Starts a transaction that may write. There is one at a time; this waits for its turn.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StorageError>;

    /// Proves that the database answers.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`].
    async fn ping(&self) -> Result<(), StorageError>;

    /// Brings the tables up to date; does nothing if they are.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`], or [`StorageError::Corrupt`] if the database was made by a newer Gatepost.
    async fn migrate(&self) -> Result<(), StorageError>;

    /// Waits for what is under way and closes the files.
    async fn close(&self);
}

/// One transaction over every room's rows. Dropping it rolls it back.
#[async_trait]
pub trait Transaction:
    Send + KeyStore + OAuth2Store + IdentityStore + SessionStore + FlowStore
{
    /// Makes all of it durable: once this returns, not even a power cut loses it.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`]; whether the writes were made is then unknown.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

/// Why the storage did not do as asked. "Not there" is no error; such methods answer an `Option`.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A row with that key or unique value exists, or a row that is referred to does not.
    #[error("a resource with that value exists already, or one it refers to does not exist")]
    Conflict,
    /// The database cannot be reached, is busy, or its disk is full.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// What is stored does not make sense.
    #[error("the database holds a value that cannot be read: {0}")]
    Corrupt(String),
}

/// A time as it is stored: microseconds since the Unix epoch. The range covers the years 1 to 9999.
#[must_use]
pub fn to_micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// The inverse of [`to_micros`].
///
/// # Errors
/// [`StorageError::Corrupt`] outside the years that a date can have.
pub fn from_micros(micros: i64) -> Result<OffsetDateTime, StorageError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .map_err(|_| StorageError::Corrupt(format!("time `{micros}` is out of range")))
}

/// A duration as it is stored: microseconds, saturating.
#[must_use]
pub fn duration_to_micros(duration: time::Duration) -> i64 {
    i64::try_from(duration.whole_microseconds()).unwrap_or(i64::MAX)
}
