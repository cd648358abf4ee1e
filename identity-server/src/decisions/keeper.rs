//! Keeps the rules as they are in their files and repositories, and the key sets fresh.

use std::{path::PathBuf, sync::Arc, time::Duration};

use gatepost_policy::{Policy, Polled, Reply, RepositoryId, RuleSet};
use tokio::{
    sync::watch,
    task::{JoinSet, block_in_place},
    time::{MissedTickBehavior, interval},
};

use super::{
    endpoint::Endpoint,
    sources::{self, Loaded, Stamps},
};
use crate::serve::connections::told_to_stop;

/// How often files are looked at, and due fetches looked for.
const TICK: Duration = Duration::from_secs(1);

/// The longest list of rules that is fetched, in bytes. Ten thousand rules have some 5 MiB.
const MAX_RULES: usize = 16 * 1024 * 1024;

/// Whoever keeps the rules. Needs tokio's runtime with several threads: rules are compiled beside the
/// requests.
pub struct Keeper {
    endpoint: Arc<Endpoint>,
    config: PathBuf,
    rules: RuleSet,
    /// The files as they were when their rules were taken.
    stamps: Stamps,
    /// The files as they were at the last look. Only what stays for a whole tick is read: half a file may
    /// be valid, and lack the rule that forbids.
    seen: Stamps,
}

impl Keeper {
    /// Keeps what was loaded from the file `config`.
    #[must_use]
    pub fn new(endpoint: Arc<Endpoint>, config: PathBuf, loaded: Loaded) -> Self {
        Self {
            endpoint,
            config,
            rules: loaded.rules,
            seen: loaded.stamps.clone(),
            stamps: loaded.stamps,
        }
    }

    /// Works until `stop` turns true.
    pub async fn keep(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut polls = JoinSet::new();
        loop {
            tokio::select! {
                () = told_to_stop(&mut stop) => return,
                Some(Ok((repository, reply))) = polls.join_next() => {
                    self.polled(repository, reply).await;
                }
                _ = ticks.tick() => {
                    if self.is_to_be_read() {
                        // Its polls are those of other repositories, perhaps.
                        polls.abort_all();
                        polls = JoinSet::new();
                        self.read().await;
                    }
                    self.poll(&mut polls);
                    self.endpoint.refresh().await;
                }
            }
        }
    }

    /// Whether the files have changed, and then stayed as they are.
    fn is_to_be_read(&mut self) -> bool {
        let now = sources::stamp(self.stamps.keys());
        let is_settled = now == self.seen;
        self.seen = now;
        is_settled && self.seen != self.stamps
    }

    async fn read(&mut self) {
        // Whatever comes of it: the same content is not read twice.
        self.stamps.clone_from(&self.seen);
        let loaded = match block_in_place(|| sources::load(&self.config)) {
            Ok(loaded) => loaded,
            Err(mistakes) => return complain(mistakes.iter()),
        };
        let mut rules = loaded.rules;
        rules.inherit(&self.rules);
        if let Err(mistakes) = self.put_in_force(&rules).await {
            return complain(mistakes.0.iter());
        }
        self.rules = rules;
        self.seen.clone_from(&loaded.stamps);
        self.stamps = loaded.stamps;
    }

    async fn put_in_force(&self, rules: &RuleSet) -> Result<(), gatepost_policy::ConfigErrors> {
        let policies = block_in_place(|| self.endpoint.compile(rules))?;
        if let Some(policy) = policies.first() {
            announce(policy);
        }
        self.endpoint.reload(rules, policies).await;
        Ok(())
    }

    fn poll(&mut self, polls: &mut JoinSet<(RepositoryId, Reply)>) {
        for (repository, call) in self.rules.due(self.endpoint.now()) {
            let outward = self.endpoint.outward();
            polls.spawn(async move { (repository, outward.send(&call, MAX_RULES).await) });
        }
    }

    async fn polled(&mut self, repository: RepositoryId, reply: Reply) {
        let now = self.endpoint.now();
        let rules = &mut self.rules;
        match block_in_place(|| rules.fetched(repository, reply, now, |_| Ok(()))) {
            Polled::Unchanged => {}
            Polled::Refused(problems) => complain(problems.iter()),
            Polled::Taken(_) => {
                if let Err(mistakes) = self.put_in_force(&self.rules).await {
                    complain(mistakes.0.iter());
                }
            }
        }
    }
}

/// Tells what is in force.
pub(super) fn announce(policy: &Policy) {
    let (rules, mistakes) = (policy.rule_count(), policy.faults().len());
    tracing::info!(rules, mistakes, "rules are in force");
    for fault in policy.faults() {
        tracing::error!("a rule is not in force: {fault}");
    }
}

fn complain<T: std::fmt::Display>(mistakes: impl Iterator<Item = T>) {
    for mistake in mistakes {
        tracing::error!("new rules are not taken, the former stay: {mistake}");
    }
}
