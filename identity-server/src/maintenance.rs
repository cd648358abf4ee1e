//! What has to be done now and then, without anybody asking: rooms list their chores here.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::app::App;
use crate::flows::chores::RemoveExpiredFlows;
use crate::keys;

/// Every chore of every room.
fn chores() -> Vec<Box<dyn Chore>> {
    vec![
        Box::new(RefreshKeys),
        Box::new(RemoveExpiredKeys),
        Box::new(RemoveExpiredGrants),
        Box::new(RemoveExpiredFlows),
    ]
}

/// Something to be done from time to time.
#[async_trait]
pub trait Chore: Send + Sync {
    /// Its name, for the log.
    fn name(&self) -> &'static str;

    /// How long to rest between two runs.
    fn every(&self) -> Duration;

    /// Does a small part of it, in a transaction of its own: a few hundred rows, so that requests need not wait.
    async fn step(&self, app: &App) -> Result<Progress, anyhow::Error>;
}

/// Whether a chore is finished for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing left.
    Done,
    /// There is more; go on after everybody else had a turn.
    More,
}

/// Rows that one step should touch at most.
pub const BATCH: i64 = 500;

/// Runs every chore until `stop` turns true. A chore that fails is tried again next time.
pub async fn run(app: App, stop: watch::Receiver<bool>) {
    let mut running = tokio::task::JoinSet::new();
    for chore in chores() {
        running.spawn(repeat(chore, app.clone(), stop.clone()));
    }
    running.join_all().await;
}

/// Does every chore once, to its end; for tests and for `gatepost` commands.
///
/// # Errors
/// That of the first chore to fail.
pub async fn run_once(app: &App) -> Result<(), anyhow::Error> {
    for chore in chores() {
        while chore.step(app).await? == Progress::More {}
    }
    Ok(())
}

async fn repeat(chore: Box<dyn Chore>, app: App, mut stop: watch::Receiver<bool>) {
    loop {
        let rest = match chore.step(&app).await {
            Ok(Progress::More) => Duration::ZERO,
            Ok(Progress::Done) => chore.every(),
            Err(cause) => {
                tracing::warn!(chore = chore.name(), %cause, "a chore failed; it will be tried again");
                chore.every()
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Notices keys that another process (`gatepost keys rotate`) made. `keys.publish_ahead` leaves room for the delay.
struct RefreshKeys;

#[async_trait]
impl Chore for RefreshKeys {
    fn name(&self) -> &'static str {
        "refresh keys"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn step(&self, app: &App) -> Result<Progress, anyhow::Error> {
        app.keys().refresh(app.storage()).await?;
        Ok(Progress::Done)
    }
}

/// Forgets keys whose last token has expired.
struct RemoveExpiredKeys;

#[async_trait]
impl Chore for RemoveExpiredKeys {
    fn name(&self) -> &'static str {
        "remove expired keys"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(3600)
    }

    async fn step(&self, app: &App) -> Result<Progress, anyhow::Error> {
        let removed = keys::remove_expired(app.storage(), app.clock().now()).await?;
        if removed > 0 {
            tracing::info!(removed, "removed expired signing keys");
        }
        Ok(Progress::Done)
    }
}

/// Forgets authorization requests, grants, codes and tokens that have ended.
struct RemoveExpiredGrants;

#[async_trait]
impl Chore for RemoveExpiredGrants {
    fn name(&self) -> &'static str {
        "remove expired grants and tokens"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn step(&self, app: &App) -> Result<Progress, anyhow::Error> {
        let mut tx = app.storage().begin().await?;
        let removed = tx.delete_expired_oauth2(app.clock().now(), BATCH).await?;
        tx.commit().await?;
        // Each kind of row is removed by the batch, so less than one batch in all means that none is left over.
        let more = removed >= BATCH.unsigned_abs();
        Ok(if more { Progress::More } else { Progress::Done })
    }
}
