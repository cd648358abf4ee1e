//! One engine, and the requests that wait for the same key sets.

use std::{collections::BTreeMap, sync::Arc};

use gatepost_policy::{
    Call, Engine, FetchId, Pending, Policy, Reply, Request, Step, UnixTime, decision_log::Observed,
};
use tokio::sync::{Mutex, watch};

use super::{endpoint::Shared, trouble::Trouble};
use crate::rules::MAX_ANSWER;

/// More steps than any rule takes.
pub(super) const MAX_STEPS: u8 = 32;

/// An engine with what it waits for.
pub(super) struct Desk {
    state: Mutex<State>,
    shared: Arc<Shared>,
}

struct State {
    engine: Engine,
    /// The fetches under way. Whoever waits for one holds a receiver, and is woken when the sender goes.
    fetches: BTreeMap<FetchId, watch::Sender<()>>,
}

/// How a request goes on.
pub(super) enum Turn {
    Begin,
    Answered(Pending, Reply),
    Again(Pending),
}

/// Where a request stands after a turn.
pub(super) enum Stand {
    Decided(Box<gatepost_policy::Verdict>),
    /// Somebody has to be asked.
    Calls(Call, Pending),
    /// A fetch has to end.
    Waits(watch::Receiver<()>, Pending),
    /// Nothing is under way that it could wait for.
    MayGoOn(Pending),
    NeedsBody(Pending),
}

impl Desk {
    pub(super) fn new(policy: Policy, seed: [u8; 32], shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                engine: Engine::new(policy, seed),
                fetches: BTreeMap::new(),
            }),
            shared,
        })
    }

    /// Takes a turn. `began` is when the request came.
    pub(super) async fn take(
        self: &Arc<Self>,
        turn: Turn,
        request: &Request,
        began: UnixTime,
    ) -> Result<Stand, Trouble> {
        let mut state = self.state.lock().await;
        let now = self.shared.now();
        let engine = &mut state.engine;
        let step = match turn {
            Turn::Begin => engine.decide(request, now),
            Turn::Answered(pending, reply) => engine.resume(pending, request, reply, now),
            Turn::Again(pending) => engine.retry(pending, request, now),
        };
        match step {
            Step::Done(decision) => {
                self.shared.log(&Observed {
                    decision: &decision,
                    request,
                    policy: state.engine.policy(),
                    began,
                    decided: now,
                });
                Ok(Stand::Decided(Box::new(decision.verdict)))
            }
            Step::Body(pending) => Ok(Stand::NeedsBody(pending)),
            // Every origin is checked when the policy is compiled; kept as the last line.
            Step::Call(call, pending) if state.engine.policy().may_call(&call.origin) => {
                Ok(Stand::Calls(call, pending))
            }
            Step::Call(call, _) => Err(Trouble::UnknownOrigin(call.origin.to_string())),
            Step::Wait(fetch, pending) => {
                self.fetch_due(&mut state, now);
                Ok(match state.fetches.get(&fetch) {
                    Some(fetch) => Stand::Waits(fetch.subscribe(), pending),
                    None => Stand::MayGoOn(pending),
                })
            }
        }
    }

    /// Makes the fetches that are due for a refresh.
    pub(super) async fn refresh(self: &Arc<Self>) {
        let mut state = self.state.lock().await;
        let now = self.shared.now();
        self.fetch_due(&mut state, now);
    }

    /// Puts another policy in force. Those who wait for keys of the former one begin anew.
    pub(super) async fn reload(&self, policy: Policy) {
        let mut state = self.state.lock().await;
        state.engine.reload(policy);
        state.fetches.clear();
    }

    /// Starts what is due, each on its own: a fetch outlives the request that needs it.
    fn fetch_due(self: &Arc<Self>, state: &mut State, now: UnixTime) {
        for (fetch, call) in state.engine.due(now) {
            if !state.engine.policy().may_call(&call.origin) {
                state
                    .engine
                    .fetched(fetch, Err(gatepost_policy::FailedCall::NotSent), now);
                continue;
            }
            let (waking, _) = watch::channel(());
            state.fetches.insert(fetch, waking);
            let desk = Arc::clone(self);
            tokio::spawn(async move {
                let reply = desk.shared.outward.send(&call, MAX_ANSWER).await;
                desk.fetched(fetch, reply).await;
            });
        }
    }

    async fn fetched(&self, fetch: FetchId, reply: Reply) {
        let mut state = self.state.lock().await;
        // Otherwise it belonged to a former policy.
        if state.fetches.contains_key(&fetch) {
            let now = self.shared.now();
            state.engine.fetched(fetch, reply, now);
            if let Some(fault) = state.engine.fetch_fault(fetch) {
                tracing::warn!("{fault}");
            }
            state.fetches.remove(&fetch);
        }
    }
}
