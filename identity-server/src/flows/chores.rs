//! Forgetting what is over: flows, their errors, and sessions.

use std::time::Duration;

use async_trait::async_trait;

use crate::App;
use crate::maintenance::{BATCH, Chore, Progress};

/// For how long an expired flow still answers "expired, use this one instead" before it is forgotten.
const GRACE: time::Duration = time::Duration::hours(1);

/// For how long an error page can be reloaded.
const ERRORS_KEPT: time::Duration = time::Duration::days(1);

/// For how long operators can still look at a session that has expired.
const SESSIONS_KEPT: time::Duration = time::Duration::days(7);

/// Removes flows, errors and sessions that nobody needs any more.
pub struct RemoveExpiredFlows;

#[async_trait]
impl Chore for RemoveExpiredFlows {
    fn name(&self) -> &'static str {
        "remove expired flows and sessions"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn step(&self, app: &App) -> Result<Progress, anyhow::Error> {
        let now = app.clock().now();
        let limit = u32::try_from(BATCH).unwrap_or(500);
        let mut transaction = app.storage().begin().await?;
        let removed = [
            transaction
                .delete_expired_self_service_flows(now - GRACE, limit)
                .await?,
            transaction
                .delete_flow_errors(now - ERRORS_KEPT, limit)
                .await?,
            transaction
                .delete_expired_sessions(now - SESSIONS_KEPT, limit)
                .await?,
        ];
        transaction.commit().await?;
        let full = removed.iter().any(|count| *count >= u64::from(limit));
        Ok(if full { Progress::More } else { Progress::Done })
    }
}
