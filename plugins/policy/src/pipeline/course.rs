//! One request's way through the handlers of its rule.

use std::time::Duration;

use crate::{
    Denial, FetchId, Policy, Request, Session, UnixTime,
    answers::Question,
    ask::{Answer, Ask, Progress, Told},
    authenticate::Authentication,
    decision::{Decision, Stage},
    path::Url,
    policy::{Refusal, Rule},
    trace::{Event, Trace},
};

use super::{Facts, Memory, method};

/// How often one request may wait for keys: for each of a few sets that were never fetched, and for
/// keys that appeared since.
const MAX_WAITS: u8 = 8;

/// A request that a rule matched, and how far it has come.
#[derive(Debug)]
pub(crate) struct Course {
    pub(super) rule: usize,
    url: Url,
    captures: Vec<String>,
    position: Position,
    session: Session,
    /// Why an authenticator refused that was allowed to be stepped over.
    setback: Option<Denial>,
    waits: u8,
    /// What happened so far, for a request that is to be explained.
    pub(super) trace: Option<Box<Trace>>,
}

/// The handler whose turn it is.
#[derive(Clone, Copy, Debug)]
enum Position {
    Authenticator(usize),
    Authorizer(usize),
    Mutator(usize),
}

impl Position {
    const fn stage(self) -> Stage {
        match self {
            Self::Authenticator(_) => Stage::Authenticate,
            Self::Authorizer(_) => Stage::Authorize,
            Self::Mutator(_) => Stage::Mutate,
        }
    }
}

/// The outcome of one handler's turn.
#[derive(Debug)]
pub(super) enum Turn {
    /// It is the next one's turn.
    Next,
    /// All have agreed.
    Over,
    Refused(Denial),
    Ask(Box<Ask>),
    Await(FetchId),
    NeedsBody,
}

/// An answer, and how it is to be remembered if the handler likes it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    pub(super) remember: Option<(Question, Duration)>,
}

impl Course {
    pub(super) fn new(rule: usize, url: Url, captures: Vec<String>) -> Self {
        Self {
            rule,
            url,
            captures,
            position: Position::Authenticator(0),
            session: Session::default(),
            setback: None,
            waits: 0,
            trace: None,
        }
    }

    /// All have agreed.
    pub(super) fn allowed(self, policy: &Policy, request: &Request) -> Decision {
        Decision {
            trace: self.trace,
            ..policy.allow(self.rule, self.session, &self.url, request)
        }
    }

    /// One has refused.
    pub(super) fn refused(
        mut self,
        policy: &Policy,
        denial: Denial,
        request: &Request,
    ) -> Decision {
        self.note(policy, || Event::refused(&denial, false));
        let decision = policy.refuse(denial, &self.refusal(), request);
        Decision {
            trace: self.trace,
            ..decision
        }
    }

    /// Notes what the handler does whose turn it is.
    pub(super) fn note(&mut self, policy: &Policy, event: impl FnOnce() -> Event) {
        if self.trace.is_some()
            && let Some(rule) = policy.rules.get(self.rule)
        {
            self.note_of(rule, event);
        }
    }

    fn note_of(&mut self, rule: &Rule, event: impl FnOnce() -> Event) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        let (number, handler) = match self.position {
            Position::Authenticator(number) => {
                let entry = rule.authenticators.get(number);
                (number, entry.map(|entry| entry.handler.name()))
            }
            Position::Authorizer(number) => {
                (number, rule.authorizers.get(number).map(|it| it.name()))
            }
            Position::Mutator(number) => (number, rule.mutators.get(number).map(|it| it.name())),
        };
        if let Some(handler) = handler {
            trace.note(self.position.stage(), number, handler, event());
        }
    }

    /// What a refusal at this point says of the request.
    fn refusal(&self) -> Refusal<'_> {
        let stage = self.position.stage();
        Refusal {
            rule: Some(self.rule),
            stage,
            url: Some(&self.url),
            subject: (stage != Stage::Authenticate).then_some(self.session.subject.as_str()),
        }
    }

    /// Lets the handler whose turn it is begin, or go on with the answer to its call.
    pub(super) fn turn(
        &mut self,
        policy: &Policy,
        memory: &mut Memory,
        answered: Option<Answered>,
        request: &Request,
        now: UnixTime,
    ) -> Turn {
        let Some(rule) = policy.rules.get(self.rule) else {
            return Turn::Refused(Denial::Internal("the rule is no longer there".to_owned()));
        };
        if rule.fault.is_some() {
            // What is wrong with it stands in the log of loading, and may quote its configuration.
            return Turn::Refused(Denial::Internal(
                "the rule is broken, see the log of loading it".to_owned(),
            ));
        }
        match self.position {
            Position::Authenticator(number) => {
                self.authenticate(rule, number, memory, answered, request, now)
            }
            Position::Authorizer(number) => {
                self.authorize(rule, number, memory, answered, request, now)
            }
            Position::Mutator(number) => self.mutate(rule, number, memory, answered, request, now),
        }
    }

    fn authenticate(
        &mut self,
        rule: &Rule,
        number: usize,
        memory: &mut Memory,
        answered: Option<Answered>,
        request: &Request,
        now: UnixTime,
    ) -> Turn {
        let Some(entry) = rule.authenticators.get(number) else {
            return Turn::Refused(self.setback.take().unwrap_or_else(nobody_responsible));
        };
        let facts = facts(&self.url, &self.captures, request, now);
        let outcome = match answered {
            None => entry.handler.authenticate(&facts, memory),
            Some(answered) => {
                let told = entry.handler.resume(&facts, memory, &answered.answer);
                answered.keep(told, memory, now)
            }
        };
        match outcome {
            Authentication::NotResponsible => {
                self.note_of(rule, || Event::NotResponsible);
                self.position = Position::Authenticator(number.saturating_add(1));
                Turn::Next
            }
            Authentication::Known(session) if !is_distinct(&session.subject) => {
                Turn::Refused(Denial::Unauthorized(
                    "the subject begins or ends with a blank, or holds control characters"
                        .to_owned(),
                ))
            }
            Authentication::Known(session) => {
                self.note_of(rule, || Event::known(&session));
                self.session = session;
                self.position = Position::Authorizer(0);
                Turn::Next
            }
            Authentication::Refused(denial)
                if entry.continue_on_failure && denial.is_of_credentials() =>
            {
                self.note_of(rule, || Event::refused(&denial, true));
                self.setback.get_or_insert(denial);
                self.position = Position::Authenticator(number.saturating_add(1));
                Turn::Next
            }
            Authentication::Refused(denial) => Turn::Refused(denial),
            Authentication::Ask(ask) => Turn::Ask(ask),
            Authentication::Await(fetch) => self.wait(fetch),
        }
    }

    fn authorize(
        &mut self,
        rule: &Rule,
        number: usize,
        memory: &mut Memory,
        answered: Option<Answered>,
        request: &Request,
        now: UnixTime,
    ) -> Turn {
        let Some(handler) = rule.authorizers.get(number) else {
            self.position = Position::Mutator(0);
            return Turn::Next;
        };
        let facts = facts(&self.url, &self.captures, request, now);
        let session = &mut self.session;
        let progress = match answered {
            None => handler.authorize(session, &facts),
            Some(answered) => {
                let told = handler.resume(session, &facts, &answered.answer);
                answered.keep(told, memory, now)
            }
        };
        self.proceed(
            rule,
            progress,
            Position::Authorizer(number.saturating_add(1)),
        )
    }

    fn mutate(
        &mut self,
        rule: &Rule,
        number: usize,
        memory: &mut Memory,
        answered: Option<Answered>,
        request: &Request,
        now: UnixTime,
    ) -> Turn {
        let Some(handler) = rule.mutators.get(number) else {
            return Turn::Over;
        };
        let facts = facts(&self.url, &self.captures, request, now);
        let session = &mut self.session;
        let progress = match answered {
            None => handler.mutate(session, &facts, memory),
            Some(answered) => {
                let told = handler.resume(session, &facts, &answered.answer);
                answered.keep(told, memory, now)
            }
        };
        self.proceed(rule, progress, Position::Mutator(number.saturating_add(1)))
    }

    fn proceed(&mut self, rule: &Rule, progress: Progress, next: Position) -> Turn {
        match progress {
            Progress::Done => {
                self.note_of(rule, || Event::Passed);
                self.position = next;
                Turn::Next
            }
            Progress::Refused(denial) => Turn::Refused(denial),
            Progress::Ask(ask) => Turn::Ask(ask),
            Progress::Await(fetch) => self.wait(fetch),
            Progress::NeedsBody => Turn::NeedsBody,
        }
    }

    fn wait(&mut self, fetch: FetchId) -> Turn {
        if self.waits >= MAX_WAITS {
            let reason = "the keys could not be had".to_owned();
            return Turn::Refused(match self.position {
                Position::Authenticator(_) => Denial::Unauthorized(reason),
                Position::Authorizer(_) | Position::Mutator(_) => Denial::Internal(reason),
            });
        }
        self.waits = self.waits.saturating_add(1);
        Turn::Await(fetch)
    }
}

impl Answered {
    /// Remembers the answer as long as both the configuration and the handler allow. One that neither
    /// of them puts an end to is not remembered: a caller whose rights were taken away must lose them
    /// some day.
    fn keep<T>(self, told: Told<T>, memory: &mut Memory, now: UnixTime) -> T {
        if let (Some((question, longest)), Ok(response)) = (self.remember, self.answer.reply) {
            let good_for = told.good_for.min(longest);
            if good_for < Duration::MAX {
                memory.answers.keep(question, response, good_for, now);
            }
        }
        told.outcome
    }
}

fn facts<'a>(
    url: &'a Url,
    captures: &'a [String],
    request: &'a Request,
    now: UnixTime,
) -> Facts<'a> {
    Facts {
        request,
        method: method(request).unwrap_or_default(),
        url,
        captures,
        now,
    }
}

fn nobody_responsible() -> Denial {
    Denial::Unauthorized("no authenticator is responsible for the request's credentials".to_owned())
}

/// Whether a subject stays what it is in a header field: receivers take the blanks around a value
/// away (RFC 9110 section 5.5), which would make ` admin` an `admin`.
fn is_distinct(subject: &str) -> bool {
    subject.trim() == subject && !subject.contains(char::is_control)
}
