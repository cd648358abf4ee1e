//! Answers the engine's calls by making them.

use std::time::Duration;

use gatepost_policy::{Call, FailedCall, Reply, call::Response};
use reqwest::{Client, Method, redirect::Policy};
use tokio::{runtime::Handle, task::block_in_place};

use super::Answers;

/// The largest answer that is read, in bytes: what the proxy's module takes over.
const MAX_BODY: usize = 256 * 1024;

/// Makes the calls. Needs tokio's runtime with several threads.
#[derive(Debug)]
pub struct Network {
    client: Client,
    runtime: Handle,
}

impl Network {
    /// Redirects are not followed: no proxy does.
    ///
    /// # Errors
    /// If there is no runtime, or TLS cannot be set up.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::builder().redirect(Policy::none()).build()?,
            runtime: Handle::try_current()?,
        })
    }

    async fn send(&self, call: &Call) -> Reply {
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
            if body.len() >= MAX_BODY {
                body.truncate(MAX_BODY);
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

impl Answers for Network {
    fn answer(&mut self, call: &Call) -> Option<Reply> {
        Some(block_in_place(|| self.runtime.block_on(self.send(call))))
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
