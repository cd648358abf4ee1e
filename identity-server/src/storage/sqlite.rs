//! SQLite: one writer, a few readers, write-ahead log.
//!
//! - `journal_mode = WAL`: readers do not wait for the writer.
//! - `synchronous = FULL`: a commit has reached the disk when it returns. `NORMAL` would be faster and lose the last
//!   answered writes in a power cut.
//! - All writes go through one connection with `BEGIN IMMEDIATE`. Our own tasks queue in order for it, instead of
//!   colliding inside SQLite and sleeping; `busy_timeout` is for other processes (the command line).
//! - `foreign_keys` on: a row that refers to another cannot outlive it unnoticed.
//!
//! The `memory` database is a single connection for everything: the data lives and dies with it.

mod clients;
mod flows;
mod identities;
mod keys;
mod oauth2_flows;
mod oauth2_grants;
mod row;
mod sessions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::{Storage, StorageError, Transaction};

static MIGRATOR: Migrator = sqlx::migrate!();

/// How long a task waits for a connection, and SQLite for a lock that another process holds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Readers of a file database. Reading is short and mostly cached; more would only cost memory.
const READERS: u32 = 4;

/// A database in one file, or in memory.
#[derive(Debug)]
pub struct SqliteStorage {
    writer: SqlitePool,
    /// The same pool as `writer` for a database in memory.
    readers: SqlitePool,
}

impl SqliteStorage {
    /// Opens the database in `file`. Tables are not touched: see [`Storage::migrate`].
    ///
    /// # Errors
    /// [`OpenError`] names the file.
    pub async fn open(file: &Path, missing: Missing) -> Result<Self, OpenError> {
        let fail = |reason: String| OpenError {
            file: file.to_owned(),
            reason,
        };
        if missing == Missing::Create {
            create(file).map_err(|error| fail(error.to_string()))?;
        }
        let options = options()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal);
        let connected = pool(1).connect_with(options.clone()).await;
        let writer = connected.map_err(|error| fail(reason(&error)))?;
        let readers = pool(READERS).connect_lazy_with(options);
        Ok(Self { writer, readers })
    }

    /// A fresh, empty database in memory.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`], when memory is short.
    pub async fn in_memory() -> Result<Self, StorageError> {
        let writer = pool(1)
            .connect_with(options().in_memory(true))
            .await
            .map_err(failure)?;
        Ok(Self {
            readers: writer.clone(),
            writer,
        })
    }
}

/// What to do about a file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it.
    Create,
    /// Say so.
    Refuse,
}

/// Makes the file, readable for its owner only: it holds password hashes. SQLite gives its companions the same mode.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

/// A database file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database file `{}`: {reason}; check that it is a Gatepost database and that its folder exists and is writable, or change `dsn`", file.display())]
pub struct OpenError {
    file: PathBuf,
    reason: String,
}

fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
}

fn pool(size: u32) -> SqlitePoolOptions {
    // Connections never expire: the one of a database in memory *is* the database.
    SqlitePoolOptions::new()
        // A connection to a file does not go away; asking it each time would only cost a round trip.
        .test_before_acquire(false)
        .max_connections(size)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
}

#[async_trait]
impl Storage for SqliteStorage {
    async fn read(&self) -> Result<Box<dyn Transaction + '_>, StorageError> {
        // `query_only` makes writing through a reading transaction an error instead of a lock upgrade that may fail.
        let inner = self
            .readers
            .begin_with("PRAGMA query_only = 1; BEGIN DEFERRED")
            .await
            .map_err(failure)?;
        Ok(Box::new(SqliteTransaction { inner }))
    }

    async fn begin(&self) -> Result<Box<dyn Transaction + '_>, StorageError> {
        let inner = self
            .writer
            .begin_with("PRAGMA query_only = 0; BEGIN IMMEDIATE")
            .await
            .map_err(failure)?;
        Ok(Box::new(SqliteTransaction { inner }))
    }

    async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT 1")
            .execute(&self.readers)
            .await
            .map_err(failure)
            .map(drop)
    }

    async fn migrate(&self) -> Result<(), StorageError> {
        sqlx::query("PRAGMA query_only = 0")
            .execute(&self.writer)
            .await
            .map_err(failure)?;
        MIGRATOR
            .run(&self.writer)
            .await
            .map_err(|error| match error {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                    failure(error)
                }
                other => StorageError::Corrupt(format!(
                    "{other}; was the database made by another version of gatepost?"
                )),
            })
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A transaction on one connection. The rooms' traits are implemented in the files below `storage/sqlite/`.
pub struct SqliteTransaction {
    inner: sqlx::Transaction<'static, Sqlite>,
}

impl SqliteTransaction {
    /// The connection that the transaction runs on, for a room's queries.
    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }
}

#[async_trait]
impl Transaction for SqliteTransaction {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.inner.commit().await.map_err(failure)
    }
}

/// What a failed query means.
fn failure(error: sqlx::Error) -> StorageError {
    match error {
        sqlx::Error::Database(error)
            if error.is_unique_violation() || error.is_foreign_key_violation() =>
        {
            StorageError::Conflict
        }
        sqlx::Error::Database(error) if error.is_check_violation() => {
            StorageError::Corrupt(error.to_string())
        }
        sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::ColumnNotFound(_) => StorageError::Corrupt(error.to_string()),
        other => StorageError::Unavailable(reason(&other)),
    }
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
