//! An engine, its rules, and the request that it is about.

use std::collections::BTreeMap;

use gatepost_policy::{
    Call, Decision, Engine, FetchId, Pending, Reply, Request, RuleSource, Sources, Trace, UnixTime,
    analysis::{lint, unreadable},
    compile,
    explain::{Explanation, near},
    pipeline, source,
};
use serde_json::Value;

use crate::{
    input,
    output::{Asked, Loaded, Seen, Step},
};

/// More steps between two calls than any rule takes.
const MAX_STEPS: usize = 64;

/// What the page works with.
#[derive(Debug)]
pub(crate) struct Session {
    seed: [u8; 32],
    engine: Option<Engine>,
    config: Value,
    rules: Vec<(String, Value)>,
    /// The request that is being decided.
    course: Option<Course>,
    /// The fetches that the engine asked for and nobody answered yet.
    fetches: BTreeMap<FetchId, Call>,
}

/// A request on its way.
#[derive(Debug)]
struct Course {
    request: Request,
    body: Vec<u8>,
    now: UnixTime,
    awaits: Option<Awaited>,
}

/// What a request waits for.
#[derive(Debug)]
enum Awaited {
    Answer(Pending),
    Fetch(FetchId, Pending),
}

impl Session {
    pub(crate) fn new(seed: &[u8]) -> Self {
        let mut whole = [0; 32];
        for (to, from) in whole.iter_mut().zip(seed) {
            *to = *from;
        }
        Self {
            seed: whole,
            engine: None,
            config: Value::Null,
            rules: Vec::new(),
            course: None,
            fetches: BTreeMap::new(),
        }
    }

    pub(crate) fn load(&mut self, sources: &input::Sources) -> Loaded {
        *self = Self::new(&self.seed);
        let mut faulty = Vec::new();
        let mut read = |file: &input::File| {
            source::parse(&file.name, file.text.as_bytes())
                .map_err(|error| faulty.push(error))
                .unwrap_or_default()
        };
        self.config = read(&sources.config);
        let files = sources.rules.iter();
        self.rules = files.map(|file| (file.name.clone(), read(file))).collect();
        if !faulty.is_empty() {
            return Loaded {
                errors: faulty.iter().map(Into::into).collect(),
                findings: unreadable(&faulty),
                ..Loaded::default()
            };
        }
        let rules = rule_sources(&self.rules);
        let mut loaded = Loaded {
            rules: rules
                .iter()
                .filter_map(|source| source.rules.as_array())
                .map(Vec::len)
                .sum(),
            findings: lint(Some(&self.config), &rules),
            ..Loaded::default()
        };
        let policy = compile(&Sources {
            config: &self.config,
            rules: &rules,
            documents: &sources.documents,
        });
        match policy {
            Ok(mut policy) => {
                policy.prove_signing();
                loaded.ready = true;
                loaded.errors = policy.faults().iter().map(Into::into).collect();
                self.engine = Some(Engine::new(policy, self.seed));
            }
            Err(errors) => loaded.errors = errors.0.iter().map(Into::into).collect(),
        }
        loaded
    }

    pub(crate) fn decide(&mut self, request: &input::Request) -> Step {
        let Some(engine) = &mut self.engine else {
            return Step::failed("there are no rules to decide with");
        };
        let read = match request.read() {
            Ok(read) => read,
            Err(message) => return Step::failed(message),
        };
        let mut course = Course {
            request: read,
            body: request.body.clone().into_bytes(),
            now: request.time(),
            awaits: None,
        };
        let step = engine.explain(&course.request, course.now);
        let end = course.walk(engine, &mut self.fetches, step);
        self.told(course, end)
    }

    pub(crate) fn reply(&mut self, answer: input::Answer) -> Step {
        let (Some(engine), Some(mut course)) = (&mut self.engine, self.course.take()) else {
            return Step::failed("no call waits for an answer");
        };
        let reply = Reply::from(answer);
        let step = match course.awaits.take() {
            Some(Awaited::Answer(pending)) => {
                engine.resume(pending, &course.request, reply, course.now)
            }
            Some(Awaited::Fetch(fetch, pending)) => {
                engine.fetched(fetch, reply, course.now);
                engine.retry(pending, &course.request, course.now)
            }
            None => return Step::failed("no call waits for an answer"),
        };
        let end = course.walk(engine, &mut self.fetches, step);
        self.told(course, end)
    }

    fn told(&mut self, course: Course, end: End) -> Step {
        if let Some(engine) = &mut self.engine {
            self.fetches.extend(engine.due(course.now));
        }
        let fetches = self.fetches.values();
        let background = fetches.map(|call| Asked::of(call, true)).collect();
        match end {
            End::Decided(decision) => {
                let seen = Seen::of(&decision, &course.request.headers);
                let trace = decision.trace.clone().unwrap_or_default();
                let near = near(&self.config, &rule_sources(&self.rules), &trace);
                Step::Decided {
                    explanation: Box::new(Explanation::of(*decision, near)),
                    seen,
                    background,
                }
            }
            End::Asks(call) => {
                let trace = course.trace();
                let explanation = Explanation::unfinished(trace, Vec::new());
                self.course = Some(course);
                Step::Call {
                    call,
                    explanation: Box::new(explanation),
                    background,
                }
            }
            End::Stuck => {
                Step::failed("the engine comes to no decision; please report these rules")
            }
        }
    }
}

/// How far a request gets without anybody's help.
enum End {
    Decided(Box<Decision>),
    Asks(Asked),
    Stuck,
}

impl Course {
    fn walk(
        &mut self,
        engine: &mut Engine,
        fetches: &mut BTreeMap<FetchId, Call>,
        mut step: pipeline::Step,
    ) -> End {
        for _ in 0..MAX_STEPS {
            step = match step {
                pipeline::Step::Done(decision) => return End::Decided(Box::new(decision)),
                pipeline::Step::Body(pending) => {
                    self.request.body = Some(self.body.clone());
                    engine.retry(pending, &self.request, self.now)
                }
                pipeline::Step::Call(call, pending) => {
                    let asked = Asked::of(&call, false);
                    self.awaits = Some(Awaited::Answer(pending));
                    return End::Asks(asked);
                }
                pipeline::Step::Wait(fetch, pending) => {
                    fetches.extend(engine.due(self.now));
                    match fetches.remove(&fetch) {
                        Some(call) => {
                            self.awaits = Some(Awaited::Fetch(fetch, pending));
                            return End::Asks(Asked::of(&call, true));
                        }
                        None => engine.retry(pending, &self.request, self.now),
                    }
                }
            };
        }
        End::Stuck
    }

    fn trace(&self) -> Option<&Trace> {
        match self.awaits.as_ref()? {
            Awaited::Answer(pending) | Awaited::Fetch(_, pending) => pending.trace(),
        }
    }
}

fn rule_sources(rules: &[(String, Value)]) -> Vec<RuleSource<'_>> {
    let rules = rules.iter();
    rules
        .map(|(file, rules)| RuleSource { file, rules })
        .collect()
}
