//! Reading the body of a request, for the few rules that decide by it.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use gatepost_policy::request::MAX_BODY;
use http_body_util::BodyExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::trouble::Trouble;

/// How many bytes of bodies may wait for decisions at once.
const MAX_PARKED: usize = 64 * 1024 * 1024;

/// How long nothing of a body may come.
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// Room for bodies, shared by all requests.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// The room that a body takes up, as long as this is kept.
pub(super) struct Parked {
    _room: OwnedSemaphorePermit,
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PARKED)))
    }
}

impl Room {
    /// Reads `body` to its end.
    pub(super) async fn read(&self, mut body: Body) -> Result<(Vec<u8>, Parked), Trouble> {
        let mut bytes = Vec::new();
        let take = |count: usize| {
            let count = u32::try_from(count).map_err(|_| Trouble::LargeBody)?;
            Arc::clone(&self.0)
                .try_acquire_many_owned(count)
                .map_err(|_| Trouble::Crowded)
        };
        let mut room = take(0)?;
        loop {
            let frame = timeout(MAX_PAUSE, body.frame()).await;
            let Some(frame) = frame.map_err(|_| Trouble::SlowBody)? else {
                return Ok((bytes, Parked { _room: room }));
            };
            // What breaks off was not read whole; judged by a part of itself it could say something else.
            let frame = frame.map_err(|_| Trouble::SlowBody)?;
            if let Ok(data) = frame.into_data() {
                if bytes.len().saturating_add(data.len()) > MAX_BODY {
                    return Err(Trouble::LargeBody);
                }
                room.merge(take(data.len())?);
                bytes.extend(data);
            }
        }
    }
}
