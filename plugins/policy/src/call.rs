//! Side calls: what the engine asks its driver to fetch, and what comes back.

use std::{sync::Arc, time::Duration};

/// An HTTP request that the engine needs answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Scheme, host and port: `https://id.example.test` or `http://127.0.0.1:4444`. A proxy maps it
    /// to one of its clusters; every origin is known and checked when the policy is compiled.
    pub origin: Arc<str>,
    /// The request method.
    pub method: String,
    /// Path with query, beginning with `/`.
    pub path: String,
    /// Header fields, without `Host` (that is the origin's).
    pub headers: Vec<(String, Vec<u8>)>,
    /// The request body, empty for none.
    pub body: Vec<u8>,
    /// After this long the driver gives up and replies [`FailedCall::TimedOut`].
    pub timeout: Duration,
}

/// The answer to a [`Call`].
pub type Reply = Result<Response, FailedCall>;

/// An HTTP response to a [`Call`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields; names in any case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, cut by the driver at the engine's limit at the latest.
    pub body: Vec<u8>,
}

/// Why a [`Call`] has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailedCall {
    /// The host refused to send it: an unknown cluster, or out of resources.
    #[error("the proxy could not send the call")]
    NotSent,
    /// No connection, or it broke.
    #[error("the connection failed")]
    Unreachable,
    /// No answer within [`Call::timeout`].
    #[error("no answer in time")]
    TimedOut,
}

/// Names a background fetch that requests may wait for: one key set, shared by all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FetchId(pub u32);
