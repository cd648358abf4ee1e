//! The clusters that a module calls: each is a script from call to answer.

use std::{collections::BTreeMap, time::Duration};

use crate::exchange::{Fields, Response, first};

/// A call that the module made.
#[derive(Clone, Debug)]
pub struct CallOut {
    /// The cluster it went to.
    pub cluster: String,
    /// Its header fields with pseudo-header fields.
    pub headers: Fields,
    /// Its body.
    pub body: Vec<u8>,
    /// When the host gives up on it.
    pub timeout: Duration,
    /// When it was made, since the host's start.
    pub at: Duration,
}

impl CallOut {
    /// The first field `name`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        first(&self.headers, name)
    }

    /// Path with query.
    #[must_use]
    pub fn path(&self) -> String {
        self.header(":path").unwrap_or_default()
    }
}

/// How a cluster answers a call.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) delay: Duration,
    pub(crate) end: End,
}

#[derive(Clone, Debug)]
pub(crate) enum End {
    Response(Response),
    Failure,
    Refusal,
    /// Until the test says more, or the call's timeout.
    Held,
}

impl Answer {
    /// 200 with this body.
    #[must_use]
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200, body)
    }

    /// This status and body.
    #[must_use]
    pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::end(End::Response(Response {
            status,
            headers: Vec::new(),
            body: body.into(),
        }))
    }

    /// The connection fails: the module gets a reply without header fields.
    #[must_use]
    pub const fn failure() -> Self {
        Self::end(End::Failure)
    }

    /// The host does not take the call.
    #[must_use]
    pub const fn refusal() -> Self {
        Self::end(End::Refusal)
    }

    /// None, until the test hands one to [`crate::Host::reply`] or the call's timeout is over.
    #[must_use]
    pub const fn held() -> Self {
        Self::end(End::Held)
    }

    const fn end(end: End) -> Self {
        Self {
            delay: Duration::ZERO,
            end,
        }
    }

    /// With one more header field, where it is a response.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        if let End::Response(response) = &mut self.end {
            response.headers.push((name.to_lowercase(), value.into()));
        }
        self
    }

    /// After this long. Later than the call's timeout, it becomes a failure at that time.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Script = Box<dyn FnMut(&CallOut) -> Answer + Send>;

/// Every cluster that the host knows, and the calls made so far.
#[derive(Default)]
pub(crate) struct Upstreams {
    scripts: BTreeMap<String, Script>,
    pub(crate) calls: Vec<CallOut>,
}

impl Upstreams {
    pub(crate) fn add(&mut self, cluster: &str, script: Script) {
        self.scripts.insert(cluster.to_owned(), script);
    }

    /// The answer to a call; `None` for a cluster that is not known.
    pub(crate) fn call(&mut self, call: CallOut) -> Option<Answer> {
        let mut answer = self.scripts.get_mut(&call.cluster)?(&call);
        if matches!(answer.end, End::Held) {
            answer.delay = call.timeout;
        } else if answer.delay > call.timeout {
            answer.delay = call.timeout;
            answer.end = End::Failure;
        }
        self.calls.push(call);
        Some(answer)
    }
}
