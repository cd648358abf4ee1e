//! Counters, gauges and a histogram, kept by the host.
//!
//! Each is defined once, when the configuration is read. Names have the form
//! `gatepost.rule.<id>.allowed`, so that a proxy which takes labels out of names (Envoy: `stats_tags`)
//! can take out the rule.

use std::{collections::BTreeMap, sync::Arc};

use gatepost_policy::{Decision, Policy, Verdict, decision_log::Observed};

use crate::host::{self, MetricType};

/// How many rules have counters of their own: a host keeps every counter for good. The rest of a
/// larger rule set is counted together, as `other`.
const MAX_RULES: usize = 256;

/// The longest part of an id that is taken over into a name, in bytes.
const MAX_NAME: usize = 64;

pub(super) struct Metrics {
    by_rule: BTreeMap<Arc<str>, Counters>,
    other: Option<Counters>,
    /// For requests that no rule decides.
    unmatched: Counters,
    failed: Option<u32>,
    failed_fetches: Option<u32>,
    waited: Option<u32>,
}

/// The counters of a rule. Those for what is only tried are made for rules that are only tried.
#[derive(Clone, Copy)]
struct Counters {
    allowed: Option<u32>,
    denied: Option<u32>,
    would_allow: Option<u32>,
    would_deny: Option<u32>,
}

impl Metrics {
    pub(super) fn define(policy: &Policy) -> Self {
        let counter = |name: &str| host::define_metric(MetricType::Counter, name);
        let mut by_rule = BTreeMap::new();
        let mut other = None;
        for rule in policy.outline() {
            if by_rule.len() < MAX_RULES {
                let counters = Counters::define(&format!("rule.{}", name(rule.rule)), rule.shadow);
                by_rule.insert(Arc::from(rule.rule), counters);
            } else {
                other = Some(Counters::define("rule.other", true));
                break;
            }
        }
        let gauge = |name: &str, value: usize| {
            if let Some(gauge) = host::define_metric(MetricType::Gauge, name) {
                host::record_metric(gauge, value.try_into().unwrap_or(u64::MAX));
            }
        };
        gauge("gatepost.rules", policy.rule_count());
        gauge("gatepost.rules_quarantined", policy.quarantined().count());
        Self {
            by_rule,
            other,
            unmatched: Counters::define("unmatched", policy.is_shadow()),
            failed: counter("gatepost.failed"),
            failed_fetches: counter("gatepost.key_fetch_failures"),
            waited: host::define_metric(MetricType::Histogram, "gatepost.waited_us"),
        }
    }

    pub(super) fn count(&self, observed: &Observed<'_>) {
        let decision = observed.decision;
        let counters = match &decision.rule {
            None => Some(&self.unmatched),
            Some(rule) => self.by_rule.get(rule).or(self.other.as_ref()),
        };
        if let Some(counter) = counters.and_then(|counters| counters.of(decision)) {
            host::increment_metric(counter);
        }
        let waited = observed.decided.since(observed.began);
        if let Some(histogram) = self.waited
            && !waited.is_zero()
        {
            host::record_metric(histogram, waited.as_micros().try_into().unwrap_or(u64::MAX));
        }
    }

    pub(super) fn count_failure(&self) {
        if let Some(counter) = self.failed {
            host::increment_metric(counter);
        }
    }

    pub(super) fn count_failed_fetch(&self) {
        if let Some(counter) = self.failed_fetches {
            host::increment_metric(counter);
        }
    }
}

impl Counters {
    fn define(of: &str, is_tried: bool) -> Self {
        let counter = |outcome: &str| {
            host::define_metric(MetricType::Counter, &format!("gatepost.{of}.{outcome}"))
        };
        let tried = |outcome: &str| is_tried.then(|| counter(outcome)).flatten();
        Self {
            allowed: counter("allowed"),
            denied: counter("denied"),
            would_allow: tried("would_allow"),
            would_deny: tried("would_deny"),
        }
    }

    /// What is only tried counts as that, and not as allowed.
    const fn of(&self, decision: &Decision) -> Option<u32> {
        match (&decision.shadow, &decision.verdict) {
            (None, Verdict::Allow(_)) => self.allowed,
            (None, Verdict::Deny { .. }) => self.denied,
            (Some(shadow), _) => match **shadow {
                Verdict::Allow(_) => self.would_allow,
                Verdict::Deny { .. } => self.would_deny,
            },
        }
    }
}

/// A rule's id within the name of a metric. `.` separates the parts of names, so it is replaced too.
fn name(id: &str) -> String {
    let id: String = id
        .chars()
        .take(MAX_NAME)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if id.is_empty() { "_".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_one_part_of_a_name() {
        for (id, expected) in [
            ("api", "api"),
            ("orders.read:v1", "orders_read_v1"),
            ("ä b\n", "__b_"),
            ("", "_"),
        ] {
            assert_eq!(name(id), expected);
        }
        assert_eq!(name(&"x".repeat(1000)).len(), MAX_NAME);
    }
}
