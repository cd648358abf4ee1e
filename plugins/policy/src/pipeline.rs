//! The one place that states the order of stages, and how a driver steps through them.

use std::{sync::Arc, time::Duration};

use crate::{
    Call, Changes, Decision, Denial, FetchId, Policy, Reply, Request, UnixTime,
    answers::{Answers, Question},
    ask::{Answer, Ask, is_worth_a_retry},
    decision::Stage,
    entropy::Entropy,
    jose::{Minter, Verifier},
    matching::Lookup,
    path::Url,
    policy::Refusal,
    session::MatchContext,
    trace::{Event, Trace},
};

#[cfg(feature = "rules")]
use crate::authenticate::CheckedPasswords;

mod course;
mod memory;

use self::{
    course::{Answered, Course, Turn},
    memory::{minter, verifier},
};

/// A policy and what it remembers between requests, all bounded.
#[derive(Debug)]
pub struct Engine {
    policy: Policy,
    memory: Memory,
    /// Counts the policies, to know a request that was begun under a former one.
    generation: u32,
    /// What the first fetch of this policy is called. No name is used again under another policy: a
    /// late answer must not be taken for that to another fetch.
    first_fetch: u32,
}

/// What an engine remembers between requests.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Key sets and verified tokens.
    pub(crate) tokens: Verifier,
    /// Keys that sign tokens of our own, and those tokens.
    pub(crate) minter: Minter,
    /// Answers to side calls.
    pub(crate) answers: Answers,
    /// Passwords that were checked.
    #[cfg(feature = "rules")]
    pub(crate) passwords: CheckedPasswords,
    /// Where handlers draw unpredictable bytes from.
    pub(crate) entropy: Entropy,
}

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
    /// The request's body decides. The driver reads it, up to [`crate::request::MAX_BODY`] bytes,
    /// puts it into [`Request::body`] and calls [`Engine::retry`].
    Body(Pending),
}

/// A request half decided. Owns nothing of the request itself: the driver lends that to each step.
#[derive(Debug)]
pub struct Pending {
    course: Course,
    generation: u32,
    asked: Option<Asked>,
}

/// The call that a request waits for.
#[derive(Debug)]
struct Asked {
    leg: crate::ask::Leg,
    /// How the answer is remembered, and for how long at most.
    remember: Option<(Question, Duration)>,
    retry: Option<Retry>,
}

/// A call that may be made again.
#[derive(Debug)]
struct Retry {
    call: Call,
    until: UnixTime,
    tries: u8,
}

/// What the handlers of a stage may know of a request.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) request: &'a Request,
    pub(crate) method: &'a str,
    pub(crate) url: &'a Url,
    pub(crate) captures: &'a [String],
    pub(crate) now: UnixTime,
}

impl<'a> Facts<'a> {
    /// What templates see of the match.
    pub(crate) const fn match_context(&self) -> MatchContext<'a> {
        MatchContext {
            captures: self.captures,
            url: self.url,
            method: self.method,
            headers: &self.request.headers,
        }
    }
}

/// How often a call is made at most. The tries follow each other at once: the engine cannot wait, and
/// what the client waits for is bounded by the handler's `give_up_after`.
const MAX_TRIES: u8 = 3;

/// How many turns one step may take. A rule has a handful of handlers, each with at most two calls.
const MAX_TURNS: usize = 256;

impl Engine {
    /// An engine that knows no keys yet. `seed` is what its random values come from: 32 bytes that
    /// nobody can guess, drawn anew for each engine.
    #[must_use]
    pub fn new(policy: Policy, seed: [u8; 32]) -> Self {
        let entropy = Entropy::new(seed);
        let secret = |purpose: &[u8]| entropy.derive(purpose, &[]);
        Self {
            memory: Memory {
                tokens: verifier(&policy, secret(b"proofs of possession")),
                minter: minter(&policy),
                answers: Answers::default(),
                #[cfg(feature = "rules")]
                passwords: CheckedPasswords::new(&secret(b"passwords")),
                entropy,
            },
            policy,
            generation: 0,
            first_fetch: 0,
        }
    }

    /// The policy that is enforced.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Puts another policy in force. Requests that are being decided begin anew under it at their
    /// next step; those that wait for a fetch are to be woken with [`Engine::retry`]. Keys that were
    /// fetched stay where the new policy has them from the same place.
    pub fn reload(&mut self, policy: Policy) {
        let fetches = self.memory.fetches();
        self.first_fetch = self.first_fetch.wrapping_add(fetches);
        self.memory.reload(&policy);
        self.policy = policy;
        self.generation = self.generation.wrapping_add(1);
    }

    /// Begins to decide `request`.
    pub fn decide(&mut self, request: &Request, now: UnixTime) -> Step {
        self.begin(request, now, None)
    }

    /// Begins to decide `request` and notes what happens: [`Decision::trace`], and until there is one
    /// [`Pending::trace`].
    pub fn explain(&mut self, request: &Request, now: UnixTime) -> Step {
        self.begin(request, now, Some(Box::default()))
    }

    fn begin(&mut self, request: &Request, now: UnixTime, mut trace: Option<Box<Trace>>) -> Step {
        match self.matched(request, trace.as_deref_mut()) {
            Ok(mut course) => {
                course.trace = trace;
                self.run(course, None, request, now)
            }
            Err(decision) => Step::Done(Decision { trace, ..*decision }),
        }
    }

    /// Goes on with a request whose [`Step::Call`] was answered.
    pub fn resume(
        &mut self,
        pending: Pending,
        request: &Request,
        reply: Reply,
        now: UnixTime,
    ) -> Step {
        if pending.generation != self.generation {
            return self.begin_anew(&pending, request, now);
        }
        let mut pending = pending;
        pending
            .course
            .note(&self.policy, || Event::answered(&reply));
        let Some(mut asked) = pending.asked else {
            // Nothing was asked: the driver mixes up requests. The handler starts over.
            return self.run(pending.course, None, request, now);
        };
        if is_worth_a_retry(&reply)
            && let Some(call) = asked.retry.as_mut().and_then(|retry| retry.again(now))
        {
            pending
                .course
                .note(&self.policy, || Event::asked(&call, false));
            return Step::Call(
                call,
                Pending {
                    asked: Some(asked),
                    ..pending
                },
            );
        }
        let answered = Answered {
            answer: Answer {
                leg: asked.leg,
                reply,
            },
            remember: asked.remember,
        };
        self.run(pending.course, Some(answered), request, now)
    }

    /// Goes on with a request whose [`Step::Wait`] or [`Step::Body`] is over.
    pub fn retry(&mut self, pending: Pending, request: &Request, now: UnixTime) -> Step {
        if pending.generation != self.generation {
            return self.begin_anew(&pending, request, now);
        }
        self.run(pending.course, None, request, now)
    }

    fn begin_anew(&mut self, pending: &Pending, request: &Request, now: UnixTime) -> Step {
        let trace = pending.trace().map(|_| Box::default());
        self.begin(request, now, trace)
    }

    /// What lets a request pass that the driver cannot go on with (its body is too large, nobody
    /// answers in time), where the rule that is deciding it is only tried. `None` where it is enforced:
    /// such a request is refused.
    #[must_use]
    pub fn let_pass(&self, pending: &Pending, request: &Request) -> Option<Changes> {
        let is_known = pending.generation == self.generation;
        is_known
            .then(|| self.policy.passing(pending.course.rule, request))
            .flatten()
    }

    /// The background fetches (key sets) to make now: those that requests wait for, and those due
    /// for a refresh. Each is handed out once until [`Engine::fetched`] is told its end.
    pub fn due(&mut self, now: UnixTime) -> Vec<(FetchId, Call)> {
        let first = self.first_fetch;
        let due = self.memory.due(now).into_iter();
        due.map(|(fetch, call)| (fetch.after(first), call))
            .collect()
    }

    /// Takes in the answer to a background fetch.
    pub fn fetched(&mut self, fetch: FetchId, reply: Reply, now: UnixTime) {
        let fetch = fetch.before(self.first_fetch);
        self.memory.fetched(fetch, reply, now);
    }

    /// Why the latest fetch of a key set failed, for the operator's log; `None` if it did not.
    #[must_use]
    pub fn fetch_fault(&self, fetch: FetchId) -> Option<String> {
        let fetch = fetch.before(self.first_fetch);
        let fault = self.memory.fault(fetch)?;
        let what = match self.memory.signing_source(fetch) {
            Some(source) => self.policy.signing_keys.get(source)?.to_string(),
            None => {
                let number = usize::try_from(fetch.0).ok()?;
                self.policy.key_sets.get(number)?.to_string()
            }
        };
        Some(format!("{what}: {fault}"))
    }

    /// Finds the rule for a request.
    fn matched(
        &self,
        request: &Request,
        trace: Option<&mut Trace>,
    ) -> Result<Course, Box<Decision>> {
        let refuse = |denial, stage, rule, url| {
            let refusal = Refusal {
                rule,
                stage,
                url,
                subject: None,
            };
            Err(Box::new(self.policy.refuse(denial, &refusal, request)))
        };
        if let Some(missing) = &self.policy.missing {
            let denial = Denial::NotReady(Arc::clone(missing));
            return refuse(denial, Stage::Request, None, None);
        }
        let Some(method) = method(request) else {
            let denial = Denial::BadRequest("the request has no method");
            return refuse(denial, Stage::Request, None, None);
        };
        let (url, found) = match self.policy.locate(method, request) {
            Ok(located) => located,
            Err(bad) => {
                return refuse(Denial::BadRequest(bad.reason()), Stage::Request, None, None);
            }
        };
        if let Some(trace) = trace {
            self.policy.note_match(trace, method, &url, &found);
        }
        let denial = match found {
            Lookup::One { rule, captures } => return Ok(Course::new(rule, url, captures)),
            Lookup::None => Denial::NoRule,
            Lookup::Several(_) => Denial::SeveralRules,
            Lookup::TooManySteps(_) => Denial::Internal("matching took too many steps".to_owned()),
            Lookup::Unclear(_) => Denial::BadRequest(
                "a header or parameter that the rules go by is there several times, or is no text",
            ),
        };
        // In no rule's name: that it matches is not known, and if it is only tried the request
        // would pass.
        refuse(denial, Stage::Match, None, Some(&url))
    }

    /// Takes turns until the request is decided or has to wait.
    fn run(
        &mut self,
        mut course: Course,
        mut answered: Option<Answered>,
        request: &Request,
        now: UnixTime,
    ) -> Step {
        let Self {
            policy,
            memory,
            generation,
            first_fetch,
        } = self;
        let pending = |course, asked| Pending {
            course,
            generation: *generation,
            asked,
        };
        for _ in 0..MAX_TURNS {
            match course.turn(policy, memory, answered.take(), request, now) {
                Turn::Next => {}
                Turn::Over => return Step::Done(course.allowed(policy, request)),
                Turn::Refused(denial) => {
                    return Step::Done(course.refused(policy, denial, request));
                }
                Turn::Ask(ask) => match memory.recall(&ask, now) {
                    Some(answer) => {
                        course.note(policy, || Event::asked(&ask.call, true));
                        course.note(policy, || Event::answered(&answer.answer.reply));
                        answered = Some(answer);
                    }
                    None => {
                        course.note(policy, || Event::asked(&ask.call, false));
                        let (call, asked) = Asked::new(*ask, now);
                        return Step::Call(call, pending(course, Some(asked)));
                    }
                },
                Turn::Await(fetch) => {
                    course.note(policy, || Event::awaited_keys(policy, fetch));
                    return Step::Wait(fetch.after(*first_fetch), pending(course, None));
                }
                Turn::NeedsBody => {
                    course.note(policy, || Event::NeededBody);
                    return Step::Body(pending(course, None));
                }
            }
        }
        let denial = Denial::Internal("the rule takes too many turns".to_owned());
        Step::Done(course.refused(policy, denial, request))
    }
}

impl Pending {
    /// What happened so far; only where [`Engine::explain`] was asked.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.course.trace.as_deref()
    }
}

impl Memory {
    /// The remembered answer to a question, if it may be used.
    fn recall(&mut self, ask: &Ask, now: UnixTime) -> Option<Answered> {
        let max_age = ask.reuse?;
        let response = self.answers.get(&Question::of(&ask.call), max_age, now)?;
        Some(Answered {
            answer: Answer {
                leg: ask.leg,
                reply: Ok(response),
            },
            remember: None,
        })
    }
}

impl Asked {
    fn new(ask: Ask, now: UnixTime) -> (Call, Self) {
        let asked = Self {
            leg: ask.leg,
            remember: ask.reuse.map(|longest| (Question::of(&ask.call), longest)),
            retry: ask.give_up_after.map(|budget| Retry {
                call: ask.call.clone(),
                until: now.after(budget),
                tries: 1,
            }),
        };
        let mut call = ask.call;
        if let Some(budget) = ask.give_up_after {
            call.timeout = call.timeout.min(budget);
        }
        (call, asked)
    }
}

impl Retry {
    /// The call for another try, while there are tries and time left.
    fn again(&mut self, now: UnixTime) -> Option<Call> {
        let left = self.until.since(now);
        if self.tries >= MAX_TRIES || left.is_zero() {
            return None;
        }
        self.tries = self.tries.saturating_add(1);
        Some(Call {
            timeout: self.call.timeout.min(left),
            ..self.call.clone()
        })
    }
}

/// The request method; `None` where it is missing or not a token.
fn method(request: &Request) -> Option<&str> {
    request
        .headers
        .first_str(":method")
        .filter(|method| !method.is_empty())
}
