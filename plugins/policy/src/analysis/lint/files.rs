//! What concerns files as a whole.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Findings, codes, patterns};
use crate::{analysis::rule::Rule, config::Place};

/// The keys of a rule that Oathkeeper or the engine reads.
const KEYS: &[&str] = &[
    "id",
    "version",
    "description",
    "match",
    "authenticators",
    "authorizer",
    "mutators",
    "errors",
    "upstream",
    "gatepost",
];

pub(super) fn check(findings: &mut Findings, rules: &[Rule], config: Option<&Value>) {
    patterns::twins(findings, rules);
    let mut upstreams: BTreeMap<&str, (usize, &Rule)> = BTreeMap::new();
    for rule in rules {
        for key in rule
            .value
            .keys()
            .filter(|key| !KEYS.contains(&key.as_str()))
        {
            findings.add(
                codes::UNKNOWN_KEY,
                rule.place(key),
                "nobody reads this key",
                nearest(key),
            );
        }
        if rule.shadow {
            findings.add(
                codes::SHADOW_MODE,
                rule.place("gatepost.shadow"),
                "the rule is in shadow mode: what it refuses passes all the same",
                "take `shadow` out once the counters show what you expect",
            );
        }
        if rule.value.get("upstream").is_some_and(|it| !it.is_null()) {
            let (count, _) = upstreams.entry(&rule.name.file).or_insert((0, rule));
            *count = count.saturating_add(1);
        }
    }
    for (count, first) in upstreams.into_values() {
        let and_others = match count {
            1 => String::new(),
            more => format!(
                " (so do {} other rules of the file)",
                more.saturating_sub(1)
            ),
        };
        findings.add(
            codes::UPSTREAM_IGNORED,
            first.place("upstream"),
            format!("the rule names an upstream{and_others}, which has no effect: routing is the proxy's"),
            "see that the proxy routes these URLs, with the same changes to path and host",
        );
    }
    if let Some(config) = config {
        unused(findings, rules, config);
    }
}

fn nearest(key: &str) -> String {
    let same_start = |known: &&&str| {
        let alike = known.bytes().zip(key.bytes()).take_while(|(a, b)| a == b);
        alike.count() >= 4
    };
    match KEYS.iter().find(same_start) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the keys of a rule are {}", KEYS.join(", ")),
    }
}

/// Handlers that are enabled and that no rule uses.
fn unused(findings: &mut Findings, rules: &[Rule], config: &Value) {
    let fallback = config.pointer("/errors/fallback").and_then(Value::as_array);
    let fallback: Vec<&str> = match fallback {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => vec!["json"],
    };
    for stage in [
        "authenticators",
        "authorizers",
        "mutators",
        "errors.handlers",
    ] {
        let pointer = format!("/{}", stage.replace('.', "/"));
        let handlers = config.pointer(&pointer).and_then(Value::as_object);
        for (name, handler) in handlers.into_iter().flatten() {
            let enabled = handler.get("enabled") == Some(&Value::Bool(true));
            let in_rules = rules.iter().any(|rule| {
                let used = match stage {
                    "authenticators" => &rule.authenticators,
                    "authorizers" => &rule.authorizers,
                    "mutators" => &rule.mutators,
                    _ => &rule.errors,
                };
                used.iter().any(|it| it.name == *name)
            });
            let last_resort = stage == "errors.handlers" && fallback.contains(&name.as_str());
            if enabled && !in_rules && !last_resort {
                let place = Place {
                    path: format!("{stage}.{name}"),
                    ..Place::default()
                };
                findings.add(
                    codes::UNUSED_HANDLER,
                    place,
                    "enabled, and no rule uses it",
                    "turn it off, so that no rule can use it by mistake",
                );
            }
        }
    }
}
