//! The rules in force, as `/rules` shows them.

use std::collections::BTreeSet;

use gatepost_policy::{Policy, RuleSet, jose::public_keys};
use serde_json::Value;

/// The rules that are not put aside, as they are written.
#[derive(Debug, Default)]
pub(super) struct Listed {
    rules: Vec<Value>,
    missing: Option<String>,
    public_keys: Vec<Value>,
}

impl Listed {
    pub(super) fn of(set: &RuleSet, policy: &Policy) -> Self {
        let broken: BTreeSet<_> = policy.quarantined().collect();
        let written: Vec<_> = set.rules().collect();
        let public_keys = public_keys_of_mutator(set, &written);
        let is_whole = |rule: &Value| id(rule).is_none_or(|id| !broken.contains(id));
        Self {
            rules: written.into_iter().filter(is_whole).collect(),
            missing: policy.missing().map(str::to_owned),
            public_keys,
        }
    }

    /// A page of them.
    pub(super) fn page(&self, limit: usize, offset: usize) -> Vec<&Value> {
        self.rules.iter().skip(offset).take(limit).collect()
    }

    /// The rule of this id.
    pub(super) fn find(&self, wanted: &str) -> Option<&Value> {
        self.rules.iter().find(|rule| id(rule) == Some(wanted))
    }

    /// The public halves of the keys that `id_token` signs with.
    pub(super) fn public_keys(&self) -> &[Value] {
        &self.public_keys
    }

    /// Why no request can be decided; `None` if some can.
    pub(super) fn unready(&self) -> Option<String> {
        match &self.missing {
            Some(repository) => Some(format!("the rules at {repository} were never read")),
            None if self.rules.is_empty() => Some("no valid rule is loaded".to_owned()),
            None => None,
        }
    }
}

/// From every key set at a `file:` URL, each once.
fn public_keys_of_mutator(set: &RuleSet, rules: &[Value]) -> Vec<Value> {
    let mutators = rules
        .iter()
        .filter_map(|rule| rule.get("mutators")?.as_array())
        .flatten()
        .filter(|mutator| mutator.get("handler").and_then(Value::as_str) == Some("id_token"));
    let urls: BTreeSet<_> = set
        .config()
        .pointer("/mutators/id_token")
        .into_iter()
        .chain(mutators)
        .filter_map(|mutator| mutator.pointer("/config/jwks_url")?.as_str())
        .collect();
    let documents = urls.into_iter().filter_map(|url| set.document(url));
    let keys = documents.filter_map(|document| public_keys(document).ok());
    keys.flatten().collect()
}

fn id(rule: &Value) -> Option<&str> {
    rule.get("id").and_then(Value::as_str)
}
