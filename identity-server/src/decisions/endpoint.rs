//! The endpoint as a whole: its desks, and a request's way across them.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    body::HttpBody as _, extract::Request as Question, http::StatusCode, response::Response,
};
use gatepost_policy::{
    Changes, ConfigErrors, Policy, Request, RuleSet, UnixTime, Verdict,
    decision_log::{DecisionLog, Observed},
};
use tokio::time::timeout;

use super::{
    answer,
    body::{self, Content, Parked, Room},
    desk::{Desk, MAX_STEPS, Stand, Turn},
    forwarded::Target,
    keeper::announce,
    listed::Listed,
    outward::Outward,
    settings::Settings,
    subject::{subject, withheld},
    trouble::{Trouble, refusal},
};
use crate::{clock::Clock, entropy::Entropy, keys::install_crypto, rules::MAX_ANSWER};

/// No decision takes longer.
pub(super) const MAX_TIME: Duration = Duration::from_secs(60);

/// Who writes a line of the decision log.
pub type Scribe = dyn Fn(&str) + Send + Sync;

/// What an endpoint is made of.
pub struct Parts {
    /// What of the configuration is its own.
    pub settings: Settings,
    /// Whoever makes calls.
    pub outward: Arc<dyn Outward>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where engines draw their seeds.
    pub entropy: Arc<dyn Entropy>,
    /// Writes the decision log.
    pub scribe: Arc<Scribe>,
    /// How many engines there are; at least one.
    pub desks: usize,
}

/// The decision endpoint.
pub struct Endpoint {
    settings: Settings,
    desks: Vec<Arc<Desk>>,
    /// Chooses desks. Keyed, so that no client can aim all its requests at one.
    hashing: RandomState,
    room: Room,
    listed: RwLock<Arc<Listed>>,
    shared: Arc<Shared>,
}

/// What all desks share.
pub(super) struct Shared {
    pub(super) outward: Arc<dyn Outward>,
    clock: Arc<dyn Clock>,
    decisions: Mutex<DecisionLog>,
    scribe: Arc<Scribe>,
}

impl Shared {
    pub(super) fn now(&self) -> UnixTime {
        let nanos = u64::try_from(self.clock.now().unix_timestamp_nanos());
        // A clock before 1970 cannot tell an expired token from a good one: with it, all are expired.
        UnixTime::from_duration(nanos.map_or(Duration::MAX, Duration::from_nanos))
    }

    pub(super) fn log(&self, observed: &Observed<'_>) {
        let line = self
            .decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .line(observed, || self.now());
        if let Some(line) = line {
            (self.scribe)(&line);
        }
    }
}

impl Endpoint {
    /// An endpoint that enforces `rules`.
    ///
    /// # Errors
    /// Every mistake in the configuration; or no randomness.
    pub fn new(parts: Parts, rules: &RuleSet) -> anyhow::Result<Arc<Self>> {
        install_crypto();
        let shared = Arc::new(Shared {
            outward: parts.outward,
            clock: parts.clock,
            decisions: Mutex::new(DecisionLog::new(parts.settings.log_decisions, None)),
            scribe: parts.scribe,
        });
        let first = compile(rules)?;
        announce(&first);
        let listed = Listed::of(rules, &first);
        let others = (1..parts.desks).map(|_| compile(rules));
        let policies = others.collect::<Result<Vec<_>, _>>()?;
        let mut desks = Vec::new();
        for policy in std::iter::once(first).chain(policies) {
            let mut seed = [0; 32];
            parts.entropy.fill(&mut seed)?;
            desks.push(Desk::new(policy, seed, Arc::clone(&shared)));
        }
        Ok(Arc::new(Self {
            settings: parts.settings,
            desks,
            hashing: RandomState::new(),
            room: Room::default(),
            listed: RwLock::new(Arc::new(listed)),
            shared,
        }))
    }

    /// The rules in force.
    pub(super) fn listed(&self) -> Arc<Listed> {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&listed)
    }

    /// A policy of `rules` for every desk. Takes its time where there are many rules.
    pub(super) fn compile(&self, rules: &RuleSet) -> Result<Vec<Policy>, ConfigErrors> {
        self.desks.iter().map(|_| compile(rules)).collect()
    }

    /// Puts `policies` of `rules` in force, desk by desk. Requests under way go on; those that wait for
    /// keys begin anew.
    pub(super) async fn reload(&self, rules: &RuleSet, policies: Vec<Policy>) {
        if let Some(policy) = policies.first() {
            let listed = Arc::new(Listed::of(rules, policy));
            *self.listed.write().unwrap_or_else(PoisonError::into_inner) = listed;
        }
        for (desk, policy) in self.desks.iter().zip(policies) {
            desk.reload(policy).await;
        }
    }

    /// Makes the fetches that are due at every desk.
    pub async fn refresh(&self) {
        for desk in &self.desks {
            desk.refresh().await;
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.shared.now()
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn outward(&self) -> Arc<dyn Outward> {
        Arc::clone(&self.shared.outward)
    }

    /// Answers a question that came from `peer`.
    pub(super) async fn answer(&self, question: Question, peer: IpAddr) -> Response {
        let decided = timeout(MAX_TIME, self.decide(question, peer)).await;
        match decided.unwrap_or(Err(Trouble::Late)) {
            Ok(response) => response,
            Err(trouble) => answer::refused(trouble),
        }
    }

    async fn decide(&self, question: Question, peer: IpAddr) -> Result<Response, Trouble> {
        let began = self.now();
        let (parts, body) = question.into_parts();
        let Some(target) = Target::of(&parts, peer, &self.settings)? else {
            return Ok(refusal(StatusCode::NOT_FOUND));
        };
        let request = subject(&parts, target, peer, &self.settings);
        let mut content = if let Some(trouble) = withheld(&parts.headers) {
            Content::Withheld(trouble)
        } else if body.is_end_stream() {
            Content::Whole(Vec::new())
        } else {
            Content::Coming(body)
        };
        let verdict = self.judge(request, &mut content, began).await;
        if let Content::Coming(body) = content {
            body::discard(body).await;
        }
        match verdict? {
            Verdict::Allow(changes) if self.settings.refuses_unclean && is_unclean(&changes) => {
                Err(Trouble::Unclean)
            }
            Verdict::Allow(changes) => answer::allowed(&changes),
            Verdict::Deny { response, .. } => answer::denied(response),
        }
    }

    /// Judges `request`, which came at `began`.
    pub(super) async fn judge(
        &self,
        mut request: Request,
        content: &mut Content,
        began: UnixTime,
    ) -> Result<Verdict, Trouble> {
        let desk = self.desk_for(&request)?;
        let mut _parked: Option<Parked> = None;
        if let Content::Whole(bytes) = content {
            _parked = Some(self.room.take(bytes.len())?);
            request.body = Some(std::mem::take(bytes));
        }
        let mut turn = Turn::Begin;
        for _ in 0..MAX_STEPS {
            turn = match desk.take(turn, &request, began).await? {
                Stand::Decided(verdict) => return Ok(*verdict),
                Stand::MayGoOn(pending) => Turn::Again(pending),
                Stand::Calls(call, pending) => {
                    let reply = self.shared.outward.send(&call, MAX_ANSWER).await;
                    Turn::Answered(pending, reply)
                }
                Stand::Waits(mut end, pending) => {
                    // An error means that the sender is gone, which is what is waited for.
                    let _ = end.changed().await;
                    Turn::Again(pending)
                }
                Stand::NeedsBody(pending) => {
                    let held = std::mem::replace(content, Content::Withheld(Trouble::NoBody));
                    let (bytes, room) = match held {
                        Content::Coming(body) => self.room.read(body).await?,
                        Content::Whole(bytes) => (bytes, self.room.take(0)?),
                        Content::Withheld(trouble) => return Err(trouble),
                    };
                    request.body = Some(bytes);
                    _parked = Some(room);
                    Turn::Again(pending)
                }
            };
        }
        Err(Trouble::NoEnd(MAX_STEPS))
    }

    /// The same credentials come to the same desk: it knows them, and sees when they are used again.
    fn desk_for(&self, request: &Request) -> Result<&Arc<Desk>, Trouble> {
        let mut hasher = self.hashing.build_hasher();
        let headers = &request.headers;
        let credentials = ["authorization", "cookie"];
        let mut values: Vec<_> = credentials
            .iter()
            .flat_map(|name| headers.all(name))
            .collect();
        if values.is_empty() {
            values.extend(headers.first(":path"));
        }
        values.iter().for_each(|value| hasher.write(value));
        let count = u64::try_from(self.desks.len()).unwrap_or(1);
        let number = hasher.finish().checked_rem(count).unwrap_or(0);
        let number = usize::try_from(number).unwrap_or(0);
        // There is at least one.
        self.desks.get(number).ok_or(Trouble::Late)
    }
}

/// Whether the proxy has to do more than to replace headers that it knows by name.
fn is_unclean(changes: &Changes) -> bool {
    let is_alias = |name: &Vec<u8>| name.contains(&b'_');
    changes.path.is_some() || changes.remove.iter().any(is_alias)
}

/// A policy that is ready to be enforced.
fn compile(rules: &RuleSet) -> Result<Policy, ConfigErrors> {
    let mut policy = rules.compile()?;
    policy.prove_signing();
    Ok(policy)
}
