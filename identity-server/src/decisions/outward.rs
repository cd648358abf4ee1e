//! The calls that decisions need.

use std::sync::Arc;

use async_trait::async_trait;
use gatepost_policy::{Call, FailedCall, Reply};
use tokio::{sync::Semaphore, time::timeout};

use crate::rules::Caller;

/// How many calls may be under way at once. More wait for their turn, within their own time.
const MAX_CALLS: usize = 1024;

/// Whoever makes calls.
#[async_trait]
pub trait Outward: Send + Sync {
    /// Makes `call` and reads at most `limit` bytes of the answer's body.
    async fn send(&self, call: &Call, limit: usize) -> Reply;
}

/// Makes them over the network, so many at once.
#[derive(Clone, Debug)]
pub struct Overland {
    caller: Caller,
    turns: Arc<Semaphore>,
}

impl Overland {
    /// As [`Caller::new`].
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            caller: Caller::new()?,
            turns: Arc::new(Semaphore::new(MAX_CALLS)),
        })
    }
}

#[async_trait]
impl Outward for Overland {
    async fn send(&self, call: &Call, limit: usize) -> Reply {
        let in_turn = async {
            let Ok(_turn) = self.turns.acquire().await else {
                return Err(FailedCall::NotSent);
            };
            self.caller.send(call, limit).await
        };
        timeout(call.timeout, in_turn)
            .await
            .unwrap_or(Err(FailedCall::TimedOut))
    }
}
