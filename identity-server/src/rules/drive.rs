//! Drives the engine through one request, with whoever answers its calls.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context as _;
use gatepost_cases::{CallSpec, RequestSpec, SpecReply};
use gatepost_policy::{
    Call, Decision, Engine, FailedCall, FetchId, Headers, Policy, Reply, Request, Step, Trace,
    UnixTime, call, trace::ShownCall,
};

/// More steps than any rule takes.
const MAX_STEPS: usize = 64;

/// A request to be decided, and when.
#[derive(Clone, Debug)]
pub struct Subject {
    request: Request,
    body: Vec<u8>,
    at: UnixTime,
}

impl Subject {
    /// The request that `spec` describes, arriving at `at`.
    ///
    /// # Errors
    /// A URL or an address that is none.
    pub fn new(spec: &RequestSpec, at: UnixTime) -> anyhow::Result<Self> {
        let address = spec.client_address.as_deref();
        let client_address = address
            .map(|address| {
                address
                    .parse()
                    .with_context(|| format!("`{address}` is no IP address"))
            })
            .transpose()?;
        Ok(Self {
            request: Request {
                headers: fields(spec)?,
                client_address,
                ..Request::default()
            },
            body: spec.body.clone().unwrap_or_default().into_bytes(),
            at,
        })
    }

    /// Its header fields as the client sent them.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.request.headers
    }
}

/// The fields as a proxy hands them over: `Host` becomes the authority, an empty path `/`.
fn fields(spec: &RequestSpec) -> anyhow::Result<Headers> {
    let mut fields = spec
        .fields()
        .with_context(|| format!("`{}` is no URL such as `http://host/path`", spec.url))?;
    let is_host = |(name, _): &(String, String)| name.eq_ignore_ascii_case("host");
    let host = fields
        .iter()
        .find(|field| is_host(field))
        .map(|(_, value)| value.clone());
    fields.retain(|field| !is_host(field));
    for (name, value) in &mut fields {
        match name.as_str() {
            ":authority" => *value = host.clone().unwrap_or_else(|| std::mem::take(value)),
            ":path" if !value.starts_with('/') => value.insert(0, '/'),
            _ => {}
        }
    }
    Ok(fields.into_iter().collect())
}

/// Whoever answers the engine's calls.
pub trait Answers {
    /// The answer to a call; `None` if this one does not know.
    fn answer(&mut self, call: &Call) -> Option<Reply>;
}

/// Answers nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Answers for Nobody {
    fn answer(&mut self, _call: &Call) -> Option<Reply> {
        None
    }
}

/// Answers as a file says: by method and URL, each answer once, the last one for good.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    replies: Vec<CallSpec>,
    used: HashSet<usize>,
}

impl Scripted {
    /// Answers as `replies` say.
    #[must_use]
    pub fn new(replies: Vec<CallSpec>) -> Self {
        Self {
            replies,
            used: HashSet::new(),
        }
    }
}

impl Answers for Scripted {
    fn answer(&mut self, call: &Call) -> Option<Reply> {
        let url = format!("{}{}", call.origin, call.path);
        let bare = url.split('?').next().unwrap_or_default();
        let numbered = self.replies.iter().enumerate();
        let mut last = None;
        for (number, spec) in numbered.filter(|(_, spec)| spec.method == call.method) {
            if spec.url != url && spec.url != bare {
                continue;
            }
            last = Some(number);
            if self.used.insert(number) {
                break;
            }
        }
        Some(reply(&self.replies.get(last?)?.reply))
    }
}

/// A scripted answer as the engine takes it.
pub(super) fn reply(spec: &SpecReply) -> Reply {
    if spec.fails {
        return Err(FailedCall::Unreachable);
    }
    let fields = spec.headers.iter();
    Ok(call::Response {
        status: spec.status,
        headers: fields
            .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
            .collect(),
        body: spec.body(),
    })
}

/// How it ends.
#[derive(Debug)]
pub enum End {
    /// With a decision.
    Decided(Box<Decision>),
    /// At a call that nobody answers.
    Stopped {
        /// The call.
        call: Box<ShownCall>,
        /// What happened before.
        trace: Option<Box<Trace>>,
    },
}

/// An engine, and the fetches that it waits for in vain.
#[derive(Debug)]
pub struct Driver {
    engine: Engine,
    unanswered: BTreeMap<FetchId, ShownCall>,
}

impl Driver {
    /// An engine for `policy`. What is drawn from its randomness is for nobody to see.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            engine: Engine::new(policy, [7; 32]),
            unanswered: BTreeMap::new(),
        }
    }

    /// Decides `subject`. The decision comes with its trace.
    ///
    /// # Errors
    /// If the engine comes to no end.
    pub fn decide(&mut self, subject: &Subject, answers: &mut dyn Answers) -> anyhow::Result<End> {
        let now = subject.at;
        let mut request = subject.request.clone();
        let mut step = self.engine.explain(&request, now);
        for _ in 0..MAX_STEPS {
            step = match step {
                Step::Done(decision) => return Ok(End::Decided(Box::new(decision))),
                Step::Body(pending) => {
                    request.body = Some(subject.body.clone());
                    self.engine.retry(pending, &request, now)
                }
                Step::Call(call, pending) => match answers.answer(&call) {
                    Some(reply) => self.engine.resume(pending, &request, reply, now),
                    None => return Ok(stopped(ShownCall::of(&call), pending.trace())),
                },
                Step::Wait(fetch, pending) => {
                    self.fetch(answers, now);
                    if let Some(call) = self.unanswered.get(&fetch) {
                        return Ok(stopped(call.clone(), pending.trace()));
                    }
                    self.engine.retry(pending, &request, now)
                }
            };
        }
        anyhow::bail!("no decision after {MAX_STEPS} steps")
    }

    /// Makes the fetches that are due. One that nobody answers stays under way: a failure would be
    /// an answer too.
    fn fetch(&mut self, answers: &mut dyn Answers, now: UnixTime) {
        for (fetch, call) in self.engine.due(now) {
            match answers.answer(&call) {
                Some(reply) => self.engine.fetched(fetch, reply, now),
                None => drop(self.unanswered.insert(fetch, ShownCall::of(&call))),
            }
        }
    }
}

fn stopped(call: ShownCall, trace: Option<&Trace>) -> End {
    End::Stopped {
        call: Box::new(call),
        trace: trace.map(|trace| Box::new(trace.clone())),
    }
}
