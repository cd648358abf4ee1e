//! What operators learn of decisions: a line in the log, and the host's metrics.

mod metrics;

use gatepost_policy::{
    Policy,
    decision_log::{DecisionLog, Observed},
};

use crate::{host, settings::Reporting};

use self::metrics::Metrics;

/// Reports decisions as the configuration says.
pub(crate) struct Reporter {
    log: DecisionLog,
    metrics: Option<Metrics>,
}

impl Reporter {
    pub(crate) fn new(reporting: Reporting, policy: &Policy) -> Self {
        Self {
            log: DecisionLog::new(reporting.log_decisions, reporting.digest),
            metrics: reporting.metrics.then(|| Metrics::define(policy)),
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
        let ended = || host::now().unwrap_or(observed.decided);
        if let Some(line) = self.log.line(observed, ended) {
            host::log_info(&line);
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
}
