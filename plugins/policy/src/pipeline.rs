//! The one place that states the order of stages, and how a driver steps through them.

use crate::{Call, Decision, FetchId, Reply, Request, UnixTime};

/// A compiled policy: rules, handlers, patterns and templates, ready to use. Made once at
/// load time.
#[derive(Debug)]
pub struct Policy {}

/// A policy and what it remembers between requests: key sets and verified tokens, all bounded.
#[derive(Debug)]
pub struct Engine {}

/// Where a request stands after a step.
#[derive(Debug)]
pub enum Step {
    /// Decided.
    Done(Decision),
    /// The driver makes this call and hands the reply to [`Engine::resume`].
    Call(Call, Pending),
    /// The request waits for a shared background fetch. The driver makes what [`Engine::due`]
    /// lists now, and once [`Engine::fetched`] was told of this fetch calls [`Engine::retry`].
    Wait(FetchId, Pending),
}

/// A request half decided. Owns nothing of the request itself: the driver lends that to each step.
#[derive(Debug)]
pub struct Pending {}

impl Engine {
    /// An engine that knows no keys yet.
    #[must_use]
    pub fn new(_policy: Policy) -> Self {
        Self {}
    }

    /// Begins to decide `request`.
    pub fn decide(&mut self, _request: &Request, _now: UnixTime) -> Step {
        Step::Done(Decision {
            rule: None,
            verdict: crate::Verdict::Deny {
                reason: crate::Denial::NoRule,
                response: crate::Response::default(),
            },
        })
    }

    /// Goes on with a request whose [`Step::Call`] was answered.
    pub fn resume(&mut self, _: Pending, request: &Request, _reply: Reply, now: UnixTime) -> Step {
        self.decide(request, now)
    }

    /// Goes on with a request whose [`Step::Wait`] is over.
    pub fn retry(&mut self, _: Pending, request: &Request, now: UnixTime) -> Step {
        self.decide(request, now)
    }

    /// The background fetches (key sets) to make now: those that requests wait for, and those due
    /// for a refresh. Each is handed out once until [`Engine::fetched`] is told its end.
    pub fn due(&mut self, _now: UnixTime) -> Vec<(FetchId, Call)> {
        Vec::new()
    }

    /// Takes in the answer to a background fetch.
    pub fn fetched(&mut self, _fetch: FetchId, _reply: Reply, _now: UnixTime) {}
}
