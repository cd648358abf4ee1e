//! What operators learn of decisions: a line in the log, and the host's metrics.

mod line;
mod metrics;

use gatepost_policy::{Decision, Policy, Request, UnixTime, Verdict};

use crate::{
    config::{LogDecisions, Reporting},
    host,
};

use self::{line::Line, metrics::Metrics};

/// Reports decisions as the configuration says.
pub(crate) struct Reporter {
    log: LogDecisions,
    digest: Option<String>,
    metrics: Option<Metrics>,
    /// How much of the next line is due, in millionths.
    due: u32,
}

/// A decision, and what it was made of.
pub(crate) struct Observed<'a> {
    pub(crate) decision: &'a Decision,
    pub(crate) request: &'a Request,
    pub(crate) policy: &'a Policy,
    /// When the request came.
    pub(crate) began: UnixTime,
    /// When its last step began: later only where it had to wait.
    pub(crate) decided: UnixTime,
}

impl Reporter {
    pub(crate) fn new(reporting: Reporting, policy: &Policy) -> Self {
        Self {
            log: reporting.log_decisions,
            digest: reporting.digest,
            metrics: reporting.metrics.then(|| Metrics::define(policy)),
            due: 0,
        }
    }

    /// Counts by the rules of another policy from now on.
    pub(crate) fn reload(&mut self, policy: &Policy) {
        if self.metrics.is_some() {
            self.metrics = Some(Metrics::define(policy));
        }
    }

    /// Reports a decision. Costs one call of the host for its counter, one more if the request had to
    /// wait, and two for a line in the log.
    pub(crate) fn decided(&mut self, observed: &Observed<'_>) {
        if let Some(metrics) = &self.metrics {
            metrics.count(observed);
        }
        if self.is_to_be_logged(observed.decision) {
            let ended = host::now().unwrap_or(observed.decided);
            let line = Line::of(observed, ended, self.digest.as_deref());
            host::log_info(&line.text());
        }
    }

    /// A request was refused without the engine's word.
    pub(crate) fn failed(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.count_failure();
        }
    }

    /// A key set could not be fetched.
    pub(crate) fn fetch_failed(&self) {
        if let Some(metrics) = &self.metrics {
            metrics.count_failed_fetch();
        }
    }

    /// The sample is spread evenly: one in a hundred means every hundredth.
    fn is_to_be_logged(&mut self, decision: &Decision) -> bool {
        if self.log.denials && denies(decision) {
            return true;
        }
        let due = self.due.saturating_add(self.log.sample);
        let is_due = due >= LogDecisions::ALL;
        self.due = if is_due {
            due.saturating_sub(LogDecisions::ALL)
        } else {
            due
        };
        is_due
    }
}

/// Whether the request is refused, or would be if its rule were enforced.
fn denies(decision: &Decision) -> bool {
    let verdict = decision.shadow.as_deref().unwrap_or(&decision.verdict);
    matches!(verdict, Verdict::Deny { .. })
}
