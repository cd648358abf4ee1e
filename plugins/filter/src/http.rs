//! One request: read it, step through the engine, act on what it says.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use gatepost_policy::{
    Changes, Decision, Engine, Pending, Reply, Request, Response, Step, UnixTime, Verdict,
    decision_log::Observed, headers::are_aliases, request::MAX_BODY,
};
use proxy_wasm::{
    traits::{Context, HttpContext},
    types::Action,
};

use crate::{
    host::{self, HostError},
    root::{Parked, Shared},
};

/// How many calls and waits one request may cost. A chain of handlers needs a handful.
const MAX_STEPS: u8 = 32;

/// How long nothing of a body may come. A paused request costs the proxy memory.
const MAX_BODY_PAUSE: Duration = Duration::from_secs(30);

/// The same, as long as this VM never saw a part of a paused request's body: then the host likely shows
/// none.
const MAX_FIRST_PAUSE: Duration = Duration::from_secs(5);

/// Where a request stands. Only `Allowed` lets anything through.
enum State {
    /// Nothing decided and nothing under way.
    Undecided,
    /// Paused until the reply under this token.
    Calling(u32, Pending),
    /// Paused until a fetch is over.
    Waiting(Pending),
    /// Paused until the body is there.
    Reading(Pending),
    /// On its way upstream.
    Allowed,
    /// The client has, or is getting, a response; what comes in now is late.
    Answered,
}

/// In whose callback a step is made: replies to its calls come back to the same place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Request,
    Root,
}

/// Why a request was refused without the engine's word.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("the plugin's state is in use")]
    Busy,
    #[error("too many requests wait for an answer")]
    Crowded,
    #[error("no decision after {MAX_STEPS} calls")]
    NoEnd,
    #[error("a body of more than {MAX_BODY} bytes cannot be judged")]
    LargeBody,
    #[error("the client does not send the rest of the body")]
    SlowBody,
    #[error(
        "the rule needs the request's body, and the proxy shows none: set \
         `allow_on_headers_stop_iteration: true` in the plugin's configuration in Envoy, beside \
         `vm_config` (see docs/request-bodies.md)"
    )]
    NoBody,
}

/// A request and how far its decision has come.
pub(crate) struct Exchange {
    id: u32,
    me: Weak<RefCell<Self>>,
    shared: Rc<RefCell<Shared>>,
    request: Request,
    parked: Option<Parked>,
    state: State,
    /// When its first step was made.
    began: Option<UnixTime>,
    steps: u8,
    body: Body,
    /// What lets the request pass where the rule that is deciding it is only tried.
    unchanged: Option<Changes>,
    /// The headers that the decision set.
    set: Vec<Arc<str>>,
}

/// What the host has shown of the body, which it keeps meanwhile.
#[derive(Clone, Copy, Default)]
struct Body {
    size: usize,
    is_whole: bool,
    /// When it was first noticed that nothing more had come.
    quiet_since: Option<UnixTime>,
}

impl Exchange {
    fn new(id: u32, shared: Rc<RefCell<Shared>>) -> Rc<RefCell<Self>> {
        Rc::new_cyclic(|me| {
            RefCell::new(Self {
                id,
                me: Weak::clone(me),
                shared,
                request: Request::default(),
                parked: None,
                state: State::Undecided,
                began: None,
                steps: 0,
                body: Body::default(),
                unchanged: None,
                set: Vec::new(),
            })
        })
    }

    /// The id of its context in the host.
    pub(crate) const fn id(&self) -> u32 {
        self.id
    }

    /// Itself, for those who keep lists of requests.
    pub(crate) fn me(&self) -> Weak<RefCell<Self>> {
        Weak::clone(&self.me)
    }

    /// The reply to a call has come. Does nothing if nobody waits for it any more.
    pub(crate) fn replied(&mut self, token: u32, reply: Reply, within: Within) {
        match std::mem::replace(&mut self.state, State::Undecided) {
            State::Calling(expected, pending) if expected == token => {
                self.go_on(within, |engine, request, now| {
                    engine.resume(pending, request, reply, now)
                });
            }
            other => self.state = other,
        }
    }

    /// The fetch that the request waited for is over.
    pub(crate) fn retry(&mut self, within: Within) {
        match std::mem::replace(&mut self.state, State::Undecided) {
            State::Waiting(pending) => {
                self.go_on(within, |engine, request, now| {
                    engine.retry(pending, request, now)
                });
            }
            other => self.state = other,
        }
    }

    /// The configuration under which the request was being decided is gone.
    pub(crate) fn abandon(&mut self) {
        if matches!(
            self.state,
            State::Calling(..) | State::Waiting(_) | State::Reading(_)
        ) {
            self.answer(&refusal(503));
        }
    }

    fn begin(&mut self, is_whole: bool) -> Action {
        match self.read(is_whole) {
            Ok(request) => self.request = request,
            Err(trouble) => return self.refuse(&trouble),
        }
        self.step(Within::Request, Engine::decide)
    }

    fn read(&self, is_whole: bool) -> Result<Request, Trouble> {
        let shared = self.shared.try_borrow().map_err(|_| Trouble::Busy)?;
        let policy = shared.engine.policy();
        Ok(Request {
            headers: host::request_headers()?,
            client_address: policy
                .needs_client_address()
                .then(|| host::client_address(shared.trust_forwarded_address))
                .flatten(),
            peer_certificate: policy
                .needs_peer_certificate()
                .then(host::peer_certificate)
                .flatten(),
            body: is_whole.then(Vec::new),
        })
    }

    /// A part of the body has come; the host keeps all of it, `size` bytes so far.
    fn take_body(&mut self, size: usize, is_whole: bool) -> Action {
        self.body = Body {
            size,
            is_whole,
            quiet_since: None,
        };
        if !matches!(self.state, State::Allowed | State::Answered)
            && let Ok(mut shared) = self.shared.try_borrow_mut()
        {
            shared.bodies_come = true;
        }
        match std::mem::replace(&mut self.state, State::Undecided) {
            State::Reading(_) if size > MAX_BODY => self.refuse(&Trouble::LargeBody),
            State::Reading(pending) if is_whole => match self.read_body() {
                Ok(()) => self.step(Within::Request, |engine, request, now| {
                    engine.retry(pending, request, now)
                }),
                Err(trouble) => self.refuse(&trouble),
            },
            other => {
                self.state = other;
                self.pass_if_allowed()
            }
        }
    }

    /// Takes over the whole body from the host.
    fn read_body(&mut self) -> Result<(), Trouble> {
        if self.body.size > MAX_BODY {
            return Err(Trouble::LargeBody);
        }
        let body = host::request_body(self.body.size)?;
        if let Some(parked) = &mut self.parked
            && !parked.grow(body.len())
        {
            return Err(Trouble::Crowded);
        }
        self.request.body = Some(body);
        Ok(())
    }

    /// Whether the body is still awaited. A request whose body does not come is refused.
    pub(crate) fn awaits_body(&mut self, bodies_come: bool, now: UnixTime) -> bool {
        if !matches!(self.state, State::Reading(_)) {
            return false;
        }
        let quiet = now.since(*self.body.quiet_since.get_or_insert(now));
        let trouble = if bodies_come && quiet >= MAX_BODY_PAUSE {
            Some(Trouble::SlowBody)
        } else if !bodies_come && quiet >= MAX_FIRST_PAUSE {
            Some(Trouble::NoBody)
        } else {
            None
        };
        if let Some(trouble) = trouble
            && self.refuse(&trouble) == Action::Continue
        {
            resume();
        }
        matches!(self.state, State::Reading(_))
    }

    const fn pass_if_allowed(&self) -> Action {
        match self.state {
            State::Allowed => Action::Continue,
            _ => Action::Pause,
        }
    }

    /// Takes the headers that rules set out of the trailers too.
    fn scrub_trailers(&self) -> Result<(), Trouble> {
        let shared = self.shared.try_borrow().map_err(|_| Trouble::Busy)?;
        Ok(host::scrub_trailers(|name| {
            let is_set = || self.set.iter().any(|set| are_aliases(set.as_bytes(), name));
            shared.engine.policy().reserves(name) || is_set()
        })?)
    }

    /// A step of a paused request: it goes on if that allows it.
    fn go_on(&mut self, within: Within, ask: impl FnOnce(&mut Engine, &Request, UnixTime) -> Step) {
        if self.step(within, ask) == Action::Continue {
            resume();
        }
    }

    fn step(
        &mut self,
        within: Within,
        ask: impl FnOnce(&mut Engine, &Request, UnixTime) -> Step,
    ) -> Action {
        self.try_step(within, ask)
            .unwrap_or_else(|trouble| self.refuse(&trouble))
    }

    fn try_step(
        &mut self,
        within: Within,
        ask: impl FnOnce(&mut Engine, &Request, UnixTime) -> Step,
    ) -> Result<Action, Trouble> {
        let shared = Rc::clone(&self.shared);
        let mut shared = shared.try_borrow_mut().map_err(|_| Trouble::Busy)?;
        let now = host::now()?;
        self.began.get_or_insert(now);
        let mut step = ask(&mut shared.engine, &self.request, now);
        while self.steps < MAX_STEPS {
            self.steps = self.steps.saturating_add(1);
            self.unchanged = match &step {
                Step::Call(_, pending) | Step::Wait(_, pending) | Step::Body(pending) => {
                    shared.engine.let_pass(pending, &self.request)
                }
                Step::Done(_) => None,
            };
            match step {
                Step::Done(decision) => return self.act(&mut shared, decision, now),
                Step::Wait(fetch, pending) => {
                    self.park(&shared)?;
                    if !shared.wait(fetch, Weak::clone(&self.me)) {
                        return Err(Trouble::Crowded);
                    }
                    self.state = State::Waiting(pending);
                    return Ok(Action::Pause);
                }
                Step::Body(pending) => {
                    self.park(&shared)?;
                    if self.body.is_whole {
                        // It came while the request waited for something else.
                        self.read_body()?;
                        step = shared.engine.retry(pending, &self.request, now);
                        continue;
                    }
                    if !shared.read(Weak::clone(&self.me)) {
                        return Err(Trouble::Crowded);
                    }
                    self.state = State::Reading(pending);
                    return Ok(Action::Pause);
                }
                Step::Call(call, pending) => match shared.send(&call) {
                    Ok(token) => {
                        if within == Within::Root {
                            shared.adopt(token, Weak::clone(&self.me));
                        }
                        self.park(&shared)?;
                        self.state = State::Calling(token, pending);
                        return Ok(Action::Pause);
                    }
                    Err(failed) => {
                        step = shared
                            .engine
                            .resume(pending, &self.request, Err(failed), now);
                    }
                },
            }
        }
        Err(Trouble::NoEnd)
    }

    /// Counts the request among those that wait. The count ends with the request.
    fn park(&mut self, shared: &Shared) -> Result<(), Trouble> {
        if self.parked.is_none() {
            let parked = Parked::new(&shared.parked_bytes, self.request.headers.bytes());
            self.parked = Some(parked.ok_or(Trouble::Crowded)?);
        }
        Ok(())
    }

    fn act(
        &mut self,
        shared: &mut Shared,
        decision: Decision,
        now: UnixTime,
    ) -> Result<Action, Trouble> {
        let Shared {
            reporter, engine, ..
        } = shared;
        reporter.decided(&Observed {
            decision: &decision,
            request: &self.request,
            policy: engine.policy(),
            began: self.began.unwrap_or(now),
            decided: now,
        });
        if shared.decision_metadata
            && let Some(rule) = &decision.rule
        {
            host::publish_rule(rule);
        }
        match decision.verdict {
            Verdict::Allow(changes) => {
                self.pass(changes)?;
                Ok(Action::Continue)
            }
            Verdict::Deny { response, .. } => Ok(self.answer(&response)),
        }
    }

    fn pass(&mut self, changes: Changes) -> Result<(), Trouble> {
        host::apply(&changes)?;
        self.state = State::Allowed;
        self.set = changes.set.into_iter().map(|(name, _)| name).collect();
        self.forget();
        Ok(())
    }

    /// A stream may live for days; what it was judged by need not.
    fn forget(&mut self) {
        self.request = Request::default();
        self.parked = None;
    }

    fn refuse(&mut self, trouble: &Trouble) -> Action {
        host::log_error(&format!("request refused: {trouble}"));
        if let Ok(shared) = self.shared.try_borrow() {
            shared.reporter.failed();
        }
        if let Some(unchanged) = self.unchanged.take()
            && self.pass(unchanged).is_ok()
        {
            return Action::Continue;
        }
        self.answer(&refusal(match trouble {
            Trouble::Crowded => 503,
            Trouble::LargeBody => 413,
            Trouble::SlowBody => 408,
            _ => 500,
        }))
    }

    fn answer(&mut self, response: &Response) -> Action {
        self.state = State::Answered;
        self.forget();
        respond(response)
    }
}

/// Lets a paused request go on.
fn resume() {
    if let Err(error) = host::resume() {
        host::log_error(&error.to_string());
    }
}

/// Sends the client a response. Where the host will not, the request stays paused for good.
fn respond(response: &Response) -> Action {
    if let Err(error) = host::respond(response) {
        host::log_error(&error.to_string());
    }
    Action::Pause
}

/// What the client gets if something on our side failed; it learns no more than that.
fn refusal(status: u16) -> Response {
    let reason = match status {
        408 => "Request Timeout",
        413 => "Content Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    Response {
        status,
        headers: vec![("content-type", b"application/json".to_vec())],
        body: format!(r#"{{"error":{{"code":{status},"status":"{reason}"}}}}"#).into_bytes(),
    }
}

/// The context of one request in the host. Without an exchange the plugin has no configuration.
pub(crate) struct Http {
    exchange: Option<Rc<RefCell<Exchange>>>,
}

impl Http {
    pub(crate) fn new(id: u32, shared: Option<Rc<RefCell<Shared>>>) -> Self {
        Self {
            exchange: shared.map(|shared| Exchange::new(id, shared)),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Exchange) -> T) -> Option<T> {
        Some(act(&mut *self.exchange.as_ref()?.try_borrow_mut().ok()?))
    }
}

impl Context for Http {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, _: usize) {
        self.with(|exchange| {
            let reply = host::reply(headers, body, host::MAX_REPLY_BODY);
            exchange.replied(token, reply, Within::Request);
        });
    }
}

impl HttpContext for Http {
    fn on_http_request_headers(&mut self, _: usize, is_whole: bool) -> Action {
        self.with(|exchange| exchange.begin(is_whole))
            .unwrap_or_else(|| respond(&refusal(503)))
    }

    fn on_http_request_body(&mut self, size: usize, is_whole: bool) -> Action {
        self.with(|exchange| exchange.take_body(size, is_whole))
            .unwrap_or(Action::Pause)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        let judged = self.with(|exchange| {
            exchange.scrub_trailers()?;
            // The trailers end the body.
            Ok::<_, Trouble>(exchange.take_body(exchange.body.size, true))
        });
        match judged {
            Some(Ok(action)) => action,
            Some(Err(trouble)) => {
                host::log_error(&format!("request stopped at its trailers: {trouble}"));
                Action::Pause
            }
            None => Action::Pause,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.with(|exchange| {
            // A response before a decision is somebody else's: a timeout, another filter.
            if !matches!(exchange.state, State::Allowed) {
                exchange.state = State::Answered;
            }
        });
        Action::Continue
    }
}
