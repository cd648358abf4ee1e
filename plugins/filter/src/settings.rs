//! The plugin's configuration, ready to use; and the part of it that every module has.
//!
//! A [`crate::Module`] knows its own keys. It reads the common ones with
//! [`Options::read`], turns its own into rules, and makes [`Settings`] of both.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use gatepost_policy::{
    ConfigError, ConfigErrors, Policy, RuleSet,
    call::Endpoint,
    config::{Place, Section},
    decision_log::{LogDecisions, WrittenLog},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// [`crate::Module::configure`].
pub(crate) type Reader = fn(Vec<u8>) -> Result<Settings, Vec<String>>;

/// What every module can be told beside its rules.
#[derive(Debug)]
pub struct Options {
    /// From the origins that the policy calls to the proxy's clusters.
    clusters: Clusters,
    /// Whether access logs can show which rule decided.
    decision_metadata: bool,
    /// Whether a client address that the proxy took from a header counts.
    trust_forwarded_address: bool,
    reporting: Reporting,
}

/// What is reported of decisions.
#[derive(Debug)]
pub(crate) struct Reporting {
    /// For which decisions to log a line.
    pub(crate) log_decisions: LogDecisions,
    /// Whether the host counts decisions.
    pub(crate) metrics: bool,
    /// What this configuration is known by in logs: `gatepost rules bundle` writes it.
    pub(crate) digest: Option<String>,
}

/// What becomes of rules that have mistakes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrokenRules {
    /// They are put aside: what they match is refused, all other rules are in force.
    #[default]
    Quarantine,
    /// The whole configuration is refused; the proxy keeps the former one.
    Refuse,
}

/// Cluster names by [`gatepost_policy::Call::origin`].
pub(crate) type Clusters = BTreeMap<Arc<str>, String>;

/// The configuration, ready to use.
#[derive(Debug)]
pub struct Settings {
    pub(crate) policy: Policy,
    /// What the policy was made of, to make another one when rules that are fetched have changed.
    pub(crate) rules: RuleSet,
    pub(crate) broken_rules: BrokenRules,
    pub(crate) clusters: Clusters,
    pub(crate) decision_metadata: bool,
    /// Whether a client address that the proxy took from a header counts.
    pub(crate) trust_forwarded_address: bool,
    pub(crate) reporting: Reporting,
    /// Whether the policy calls anything.
    pub(crate) fetches: bool,
}

/// The JSON of a configuration. `keys` says what it is to hold, for who has given none.
///
/// # Errors
/// There is none, or it is not JSON.
pub fn parse(bytes: &[u8], keys: &str) -> Result<Value, Vec<String>> {
    let value: Value = json(bytes, keys)?;
    match value.is_object() {
        true => Ok(value),
        false => Err(unread(&"it is no JSON object")),
    }
}

/// The members of a configuration, each as it is written: where one is large, it need not become a tree.
///
/// # Errors
/// As [`parse`].
pub fn members<'b>(
    bytes: &'b [u8],
    keys: &str,
) -> Result<BTreeMap<String, &'b RawValue>, Vec<String>> {
    json(bytes, keys)
}

fn unread(error: &dyn Display) -> Vec<String> {
    vec![format!(
        "the plugin's configuration cannot be read: {error}"
    )]
}

fn json<'b, T: Deserialize<'b>>(bytes: &'b [u8], keys: &str) -> Result<T, Vec<String>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(vec![format!(
            "the plugin has no configuration; give it JSON with {keys}"
        )]);
    }
    serde_json::from_slice(bytes).map_err(|error| unread(&error))
}

impl Options {
    /// Reads the keys that every module has: `clusters`, `decision_metadata`, `trust_forwarded_address`,
    /// `log_decisions`, `metrics` and `digest`. Mistakes are noted with the section.
    #[must_use]
    pub fn read(section: &mut Section<'_>) -> Self {
        Self {
            clusters: clusters(section),
            decision_metadata: section.bool("decision_metadata", false),
            trust_forwarded_address: section.bool("trust_forwarded_address", false),
            reporting: Reporting {
                log_decisions: log_decisions(section),
                metrics: section.bool("metrics", true),
                digest: section.string("digest"),
            },
        }
    }
}

impl BrokenRules {
    /// Reads the key `broken_rules`.
    #[must_use]
    pub fn read(section: &mut Section<'_>) -> Self {
        match section.string("broken_rules").as_deref() {
            None | Some("quarantine") => Self::Quarantine,
            Some("refuse") => Self::Refuse,
            Some(other) => {
                let message = format!("`{other}` is neither `quarantine` nor `refuse`");
                section.wrong("broken_rules", message);
                Self::Quarantine
            }
        }
    }
}

impl Settings {
    /// Compiles the rules and finds out whether they can be enforced here.
    ///
    /// # Errors
    /// Every reason why not: mistakes in the configuration; in rules, where `broken_rules` refuses them;
    /// origins without a cluster.
    pub fn new(
        rules: RuleSet,
        broken_rules: BrokenRules,
        options: Options,
    ) -> Result<Self, Vec<ConfigError>> {
        let mut policy = rules.compile().map_err(|ConfigErrors(errors)| errors)?;
        accept(&mut policy, broken_rules, &options.clusters)?;
        Ok(Self {
            fetches: policy.origins().count() > 0,
            policy,
            // Where nothing is polled, nobody needs the texts again.
            rules: if rules.polls() {
                rules
            } else {
                RuleSet::default()
            },
            broken_rules,
            clusters: options.clusters,
            decision_metadata: options.decision_metadata,
            trust_forwarded_address: options.trust_forwarded_address,
            reporting: options.reporting,
        })
    }
}

/// Whether a policy can be enforced here. Rules whose signing keys do not work here are put aside first.
///
/// # Errors
/// Why not: rules with mistakes where none is tolerated, origins without a cluster.
pub(crate) fn accept(
    policy: &mut Policy,
    broken_rules: BrokenRules,
    clusters: &Clusters,
) -> Result<(), Vec<ConfigError>> {
    policy.prove_signing();
    let mut problems = Vec::new();
    if broken_rules == BrokenRules::Refuse {
        problems.extend_from_slice(policy.faults());
    }
    problems.extend(unmapped(policy, clusters));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// For which decisions to log a line.
fn log_decisions(section: &mut Section<'_>) -> LogDecisions {
    let Some(value) = section.value("log_decisions").cloned() else {
        return LogDecisions::default();
    };
    let written: Result<WrittenLog, _> = serde_json::from_value(value);
    let read = match written {
        Ok(written) => LogDecisions::try_from(written),
        Err(_) => Err("must be true, false, or a sample such as {\"sample\": 0.01}".to_owned()),
    };
    read.unwrap_or_else(|problem| {
        section.wrong("log_decisions", problem);
        LogDecisions::default()
    })
}

/// The clusters by origin, spelt as the engine spells it.
fn clusters(section: &mut Section<'_>) -> Clusters {
    let mut clusters = Clusters::new();
    if section.value("clusters").is_none() {
        return clusters;
    }
    let place = section.place().key("clusters");
    let written = section.string_map("clusters").unwrap_or_default();
    let wrong = |message: String| section.errors().add(place.clone(), message);
    for (origin, cluster) in written {
        match Endpoint::parse(&origin) {
            Ok(endpoint) if endpoint.path == "/" && !cluster.is_empty() => {
                clusters.insert(endpoint.origin, cluster);
            }
            Ok(_) if cluster.is_empty() => wrong(format!("`{origin}` has no cluster name")),
            Ok(_) => wrong(format!("`{origin}` must end after the host and port")),
            Err(error) => wrong(format!("`{origin}`: {error}")),
        }
    }
    clusters
}

/// An error for each origin that the policy calls and no cluster is known for.
fn unmapped(policy: &Policy, clusters: &Clusters) -> impl Iterator<Item = ConfigError> {
    policy
        .origins()
        .filter(|(origin, _)| !clusters.contains_key(*origin))
        .map(|(origin, place): (&str, &Place)| ConfigError {
            place: place.clone(),
            message: format!(
                "no cluster is known for `{origin}`; add `\"{origin}\": \"<the proxy's cluster>\"` \
                 to `clusters` in the plugin's configuration"
            ),
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

    use gatepost_policy::config::Errors;
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> (Options, Vec<String>) {
        let errors = Errors::default();
        let options = Options::read(&mut Section::new(Some(value), Place::default(), &errors));
        let errors = errors.into_inner();
        (options, errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_bad_entry_of_clusters_is_named() {
        let written = json!({"clusters": {"id.test": "a", "http://x/y": "b", "http://z": ""}});
        let (_, errors) = read(&written);
        for origin in ["`id.test`", "`http://x/y`", "`http://z`"] {
            assert!(
                errors
                    .iter()
                    .any(|e| e.contains(origin) && e.contains("`clusters`")),
                "{origin}: {errors:?}"
            );
        }
    }

    #[test]
    fn spellings_of_one_origin_are_one() {
        let (options, errors) = read(&json!({"clusters": {"HTTP://Id.Test:80/": "idp"}}));
        assert_eq!(options.clusters["http://id.test"], "idp");
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn what_is_no_share_of_decisions_is_an_error() {
        for wrong in [json!({"sample": 2}), json!({}), json!("all")] {
            let (_, errors) = read(&json!({"log_decisions": wrong}));
            assert_eq!(errors.len(), 1, "{wrong}: {errors:?}");
        }
        let (options, errors) = read(&json!({"log_decisions": {"sample": 0.01}}));
        assert_eq!(options.reporting.log_decisions.sample, 10_000);
        assert_eq!(errors, Vec::<String>::new());
    }

    #[test]
    fn what_is_not_told_is_quiet_and_counted() {
        let (options, errors) = read(&json!({}));
        assert!(!options.decision_metadata && options.reporting.metrics);
        assert_eq!(options.reporting.log_decisions.sample, 0);
        assert_eq!(errors, Vec::<String>::new());
    }
}
