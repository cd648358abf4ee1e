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

/// The body of a request, or why there is none to be had.
pub(super) enum Content {
    /// It is yet to be read.
    Coming(Body),
    /// It came with the question.
    Whole(Vec<u8>),
    /// The proxy keeps it, or some of it, to itself. Rules that do not need it are not concerned.
    Withheld(Trouble),
}

/// The room that a body takes up, as long as this is kept.
pub(super) struct Parked {
    room: OwnedSemaphorePermit,
}

/// Reads what nobody needs and keeps nothing of it: a proxy that is still sending when its connection is closed may
/// never see the answer.
pub(super) async fn discard(mut body: Body) {
    let reading = async {
        let mut count: usize = 0;
        while let Some(Ok(frame)) = body.frame().await {
            count = count.saturating_add(frame.data_ref().map_or(0, |data| data.len()));
            if count > MAX_BODY {
                return;
            }
        }
    };
    // Who does not come to an end gets the answer all the same.
    let _ = timeout(MAX_PAUSE, reading).await;
}

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_PARKED)))
    }
}

impl Room {
    /// Room for a body of so many bytes.
    pub(super) fn take(&self, bytes: usize) -> Result<Parked, Trouble> {
        let count = u32::try_from(bytes).map_err(|_| Trouble::LargeBody)?;
        let room = Arc::clone(&self.0).try_acquire_many_owned(count);
        let room = room.map_err(|_| Trouble::Crowded)?;
        Ok(Parked { room })
    }

    /// Reads `body` to its end.
    pub(super) async fn read(&self, mut body: Body) -> Result<(Vec<u8>, Parked), Trouble> {
        let mut bytes = Vec::new();
        let mut parked = self.take(0)?;
        loop {
            let frame = timeout(MAX_PAUSE, body.frame()).await;
            let Some(frame) = frame.map_err(|_| Trouble::SlowBody)? else {
                return Ok((bytes, parked));
            };
            // What breaks off was not read whole; judged by a part of itself it could say something else.
            let frame = frame.map_err(|_| Trouble::SlowBody)?;
            if let Ok(data) = frame.into_data() {
                if bytes.len().saturating_add(data.len()) > MAX_BODY {
                    return Err(Trouble::LargeBody);
                }
                parked.room.merge(self.take(data.len())?.room);
                bytes.extend(data);
            }
        }
    }
}
