//! Answers the engine's calls by making them.

use std::time::Duration;

use gatepost_policy::{Call, FailedCall, Reply, call::Response};
use reqwest::{Client, Method, redirect::Policy};
use tokio::{runtime::Handle, task::block_in_place};

use super::Answers;

/// The largest answer that is read, in bytes: what the proxy's module takes over.
pub const MAX_ANSWER: usize = 256 * 1024;

/// Makes calls over the network.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
}

impl Caller {
    /// Redirects are not followed: no proxy does, and where they lead no rule says.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10));
        Ok(Self {
            client: client.build()?,
        })
    }

    /// Makes `call`, and reads at most `limit` bytes of the answer's body.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send(&self, call: &Call, limit: usize) -> Reply {
        let method: Method = call.method.parse().map_err(|_| FailedCall::NotSent)?;
        let mut request = self
            .client
            .request(method, format!("{}{}", call.origin, call.path))
            .timeout(call.timeout.max(Duration::from_millis(1)))
            .body(call.body.clone());
        for (name, value) in &call.headers {
            request = request.header(name, value.as_slice());
        }
        let mut answer = request.send().await.map_err(|error| failure(&error))?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
            body.extend(chunk);
            if body.len() >= limit {
                body.truncate(limit);
                break;
            }
        }
        let fields = answer.headers().iter();
        Ok(Response {
            status: answer.status().as_u16(),
            headers: fields
                .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                .collect(),
            body,
        })
    }
}

/// Makes the calls of a command line. Needs tokio's runtime with several threads.
#[derive(Debug)]
pub struct Network {
    caller: Caller,
    runtime: Handle,
}

impl Network {
    /// As [`Caller::new`].
    ///
    /// # Errors
    /// If there is no runtime, or TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            caller: Caller::new()?,
            runtime: Handle::try_current()?,
        })
    }
}

impl Answers for Network {
    fn answer(&mut self, call: &Call) -> Option<Reply> {
        let reply = self.caller.send(call, MAX_ANSWER);
        Some(block_in_place(|| self.runtime.block_on(reply)))
    }
}

fn failure(error: &reqwest::Error) -> FailedCall {
    if error.is_timeout() {
        FailedCall::TimedOut
    } else if error.is_builder() {
        FailedCall::NotSent
    } else {
        FailedCall::Unreachable
    }
}
