//! The plugin's configuration: bytes in, settings or every error out.

use std::{collections::BTreeMap, sync::Arc};

use gatepost_policy::{
    ConfigErrors, Policy, RuleSet,
    call::Endpoint,
    decision_log::{LogDecisions, WrittenLog},
};
use serde::Deserialize;
use serde_json::Value;

/// The configuration as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Oathkeeper's configuration tree.
    config: Value,
    #[serde(default)]
    rules: Rules,
    /// From the origins that the policy calls to the proxy's clusters.
    #[serde(default)]
    clusters: BTreeMap<String, String>,
    /// Key sets by the URL under which handlers name them: those of `file:` URLs, which a module cannot
    /// read.
    #[serde(default)]
    jwks: BTreeMap<String, Value>,
    /// What becomes of a rule that has a mistake.
    #[serde(default)]
    broken_rules: BrokenRules,
    /// Whether access logs can show which rule decided.
    #[serde(default)]
    decision_metadata: bool,
    /// Whether a client address that the proxy took from a header counts.
    #[serde(default)]
    trust_forwarded_address: bool,
    /// For which decisions to log a line.
    #[serde(default)]
    log_decisions: WrittenLog,
    /// Whether the host counts decisions.
    #[serde(default = "yes")]
    metrics: bool,
    /// What this configuration is known by in logs: `gatepost rules bundle` writes it.
    #[serde(default)]
    digest: Option<String>,
}

const fn yes() -> bool {
    true
}

/// What is reported of decisions.
pub(crate) struct Reporting {
    pub(crate) log_decisions: LogDecisions,
    pub(crate) metrics: bool,
    pub(crate) digest: Option<String>,
}

/// What becomes of rules that have mistakes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BrokenRules {
    /// They are put aside: what they match is refused, all other rules are in force.
    #[default]
    Quarantine,
    /// The whole configuration is refused; the proxy keeps the former one.
    Refuse,
}

/// Oathkeeper's rules: by file, so that errors name it, or in one list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Files(BTreeMap<String, Value>),
    List(Value),
}

impl Default for Rules {
    /// All of them may have to be fetched.
    fn default() -> Self {
        Self::Files(BTreeMap::new())
    }
}

pub(crate) type Clusters = BTreeMap<Arc<str>, String>;

/// The configuration, ready to use.
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    /// What the policy was made of, to make another one when rules that are fetched have changed.
    pub(crate) rules: RuleSet,
    pub(crate) broken_rules: BrokenRules,
    /// Cluster names by [`gatepost_policy::Call::origin`].
    pub(crate) clusters: Clusters,
    pub(crate) decision_metadata: bool,
    /// Whether a client address that the proxy took from a header counts.
    pub(crate) trust_forwarded_address: bool,
    pub(crate) reporting: Reporting,
    /// Whether the policy calls anything.
    pub(crate) fetches: bool,
}

/// Reads the plugin's configuration; on failure tells every error that it has.
pub(crate) fn read(bytes: &[u8]) -> Result<Settings, Vec<String>> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(vec![
            "the plugin has no configuration; give it JSON with `config` (Oathkeeper's \
             configuration), `rules` (its access rules) and `clusters`"
                .to_owned(),
        ]);
    }
    let written: Written = serde_json::from_slice(bytes).map_err(|error| {
        vec![format!(
            "the plugin's configuration cannot be read: {error}"
        )]
    })?;
    let mut errors = Vec::new();
    let clusters = clusters(&written.clusters, &mut errors);
    let log_decisions = LogDecisions::try_from(written.log_decisions)
        .map_err(|error| errors.push(error))
        .unwrap_or_default();
    let texts = |errors: ConfigErrors| errors.0.iter().map(ToString::to_string).collect();
    let compiled = RuleSet::new(written.config, files(written.rules), written.jwks)
        .and_then(|rules| Ok((rules.compile()?, rules)))
        .map_err(texts)
        .and_then(|(mut policy, rules)| {
            accept(&mut policy, written.broken_rules, &clusters)?;
            Ok((policy, rules))
        });
    match compiled {
        Ok((policy, rules)) if errors.is_empty() => Ok(Settings {
            fetches: policy.origins().count() > 0,
            policy,
            rules,
            broken_rules: written.broken_rules,
            clusters,
            decision_metadata: written.decision_metadata,
            trust_forwarded_address: written.trust_forwarded_address,
            reporting: Reporting {
                log_decisions,
                metrics: written.metrics,
                digest: written.digest,
            },
        }),
        Ok(_) => Err(errors),
        Err(found) => {
            errors.extend::<Vec<String>>(found);
            Err(errors)
        }
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
) -> Result<(), Vec<String>> {
    policy.prove_signing();
    let mut problems: Vec<String> = Vec::new();
    if broken_rules == BrokenRules::Refuse {
        problems.extend(policy.faults().iter().map(ToString::to_string));
    }
    problems.extend(unmapped(policy, clusters));
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn files(rules: Rules) -> Vec<(String, Value)> {
    match rules {
        Rules::Files(files) => files.into_iter().collect(),
        Rules::List(rules) => vec![("rules".to_owned(), rules)],
    }
}

/// The clusters by origin, spelt as the engine spells it.
fn clusters(written: &BTreeMap<String, String>, errors: &mut Vec<String>) -> Clusters {
    let mut clusters = Clusters::new();
    for (origin, cluster) in written {
        match Endpoint::parse(origin) {
            Ok(endpoint) if endpoint.path == "/" && !cluster.is_empty() => {
                clusters.insert(endpoint.origin, cluster.clone());
            }
            Ok(_) if cluster.is_empty() => {
                errors.push(format!("clusters: `{origin}` has no cluster name"));
            }
            Ok(_) => errors.push(format!(
                "clusters: `{origin}` must end after the host and port"
            )),
            Err(error) => errors.push(format!("clusters: `{origin}`: {error}")),
        }
    }
    clusters
}

/// An error for each origin that the policy calls and no cluster is known for.
fn unmapped(policy: &Policy, clusters: &Clusters) -> impl Iterator<Item = String> {
    policy
        .origins()
        .filter(|(origin, _)| !clusters.contains_key(*origin))
        .map(|(origin, place)| {
            format!(
                "{place}: no cluster is known for `{origin}`; add \
                 `\"{origin}\": \"<the proxy's cluster>\"` to `clusters` in the plugin's \
                 configuration"
            )
        })
}

#[cfg(test)]
mod tests;
