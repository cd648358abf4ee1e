//! The plugin's configuration: bytes in, settings or every error out.

use std::collections::{BTreeMap, BTreeSet};

use gatepost_policy::Policy;
use serde::Deserialize;
use serde_json::Value;

use crate::shim::{RuleSource, compile};

/// The configuration as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Oathkeeper's configuration tree.
    config: Value,
    rules: Rules,
    /// From the origins that the policy calls to the proxy's clusters.
    #[serde(default)]
    clusters: BTreeMap<String, String>,
    /// Whether access logs can show which rule decided.
    #[serde(default)]
    decision_metadata: bool,
    /// Whether to log a line for each decision.
    #[serde(default)]
    log_decisions: bool,
}

/// Oathkeeper's rules: by file, so that errors name it, or in one list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Rules {
    Files(BTreeMap<String, Value>),
    List(Vec<Value>),
}

/// The configuration, ready to use.
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) clusters: BTreeMap<String, String>,
    pub(crate) decision_metadata: bool,
    pub(crate) log_decisions: bool,
    pub(crate) needs_client_address: bool,
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
    let (clusters, mut errors) = clusters(&written.clusters);
    let policy = match compile(&written.config, &sources(&written.rules)) {
        Ok(policy) => policy,
        Err(found) => {
            errors.extend(found.iter().map(ToString::to_string));
            return Err(errors);
        }
    };
    errors.extend(unmapped(&policy, &clusters, &written));
    if !errors.is_empty() {
        return Err(errors);
    }
    let fetches = crate::shim::origins(&policy).next().is_some();
    Ok(Settings {
        needs_client_address: crate::shim::needs_client_address(&policy),
        fetches,
        policy,
        clusters,
        decision_metadata: written.decision_metadata,
        log_decisions: written.log_decisions,
    })
}

fn sources(rules: &Rules) -> Vec<RuleSource> {
    match rules {
        Rules::Files(files) => files
            .iter()
            .map(|(file, rules)| RuleSource::new(file, rules.clone()))
            .collect(),
        Rules::List(list) => vec![RuleSource::new("rules", Value::Array(list.clone()))],
    }
}

/// The clusters by origin, origins in their normal form.
fn clusters(written: &BTreeMap<String, String>) -> (BTreeMap<String, String>, Vec<String>) {
    let mut errors = Vec::new();
    for (origin, cluster) in written {
        if !is_origin(&normal_origin(origin)) {
            errors.push(format!(
                "`clusters`: `{origin}` is not an origin; write scheme, host and port, \
                 such as `https://id.example.test`"
            ));
        }
        if cluster.is_empty() {
            errors.push(format!("`clusters`: `{origin}` has no cluster name"));
        }
    }
    let normal = written
        .iter()
        .map(|(origin, cluster)| (normal_origin(origin), cluster.clone()))
        .collect();
    (normal, errors)
}

fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, authority)| {
        matches!(scheme, "http" | "https")
            && !authority.is_empty()
            && !authority.contains(['/', '?', '#', '@', ' '])
    })
}

/// Two spellings of one origin become one: lower case, no closing slash, no default port (RFC 6454
/// section 4).
pub(crate) fn normal_origin(origin: &str) -> String {
    let lower = origin.trim_end_matches('/').to_ascii_lowercase();
    let port = if lower.starts_with("https:") {
        ":443"
    } else {
        ":80"
    };
    lower.strip_suffix(port).unwrap_or(&lower).to_owned()
}

/// An error for each origin that the policy calls and no cluster is known for.
fn unmapped(
    policy: &Policy,
    clusters: &BTreeMap<String, String>,
    written: &Written,
) -> Vec<String> {
    let origins: BTreeSet<_> = crate::shim::origins(policy).map(normal_origin).collect();
    origins
        .iter()
        .filter(|origin| !clusters.contains_key(*origin))
        .map(|origin| {
            let mut places = Vec::new();
            find(&written.config, origin, "config", &mut places);
            match &written.rules {
                Rules::Files(files) => files.iter().for_each(|(file, rules)| {
                    find(rules, origin, file, &mut places);
                }),
                Rules::List(list) => list.iter().enumerate().for_each(|(index, rule)| {
                    find(rule, origin, &format!("rules[{index}]"), &mut places);
                }),
            }
            let places = if places.is_empty() {
                String::new()
            } else {
                format!(", used at `{}`", places.join("`, `"))
            };
            format!(
                "no cluster is known for the origin `{origin}`{places}; add \
                 `\"{origin}\": \"<name of the proxy's cluster>\"` to `clusters`"
            )
        })
        .collect()
}

/// The paths of the strings that are URLs of `origin`.
fn find(value: &Value, origin: &str, path: &str, places: &mut Vec<String>) {
    match value {
        Value::String(text) if is_of(text, origin) => places.push(path.to_owned()),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| find(item, origin, &format!("{path}[{index}]"), places)),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, field)| find(field, origin, &format!("{path}.{key}"), places)),
        _ => {}
    }
}

fn is_of(url: &str, origin: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    normal_origin(&format!("{scheme}://{authority}")) == origin
}

#[cfg(test)]
mod tests;
