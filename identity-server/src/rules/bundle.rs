//! One plugin configuration made of Oathkeeper's own files.

use std::collections::BTreeMap;

use gatepost_policy::{ConfigError, Sources, compile, config::Place};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Files, key_sets};

/// What a bundle says besides the files.
#[derive(Clone, Debug, Default)]
pub struct Bundling {
    /// The proxy's clusters by the origins that the rules call, such as
    /// `http://127.0.0.1:4444` to `gatepost`.
    pub clusters: BTreeMap<String, String>,
    /// Whether the proxy's access log can show which rule decided.
    pub decision_metadata: bool,
}

/// A plugin configuration, and what to mind about it.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The configuration of the module `access-rules`.
    pub plugin: Value,
    /// The key sets in it that hold private keys, by the URL that names them: whoever reads the
    /// configuration has them.
    pub secrets: Vec<String>,
}

/// The configuration of the module `access-rules`, made of Oathkeeper's own files. Key sets at `file:`
/// URLs become a part of it.
///
/// # Errors
/// Every mistake in the files, and every origin without a cluster, with what to do about it.
pub fn bundle(files: &Files, with: &Bundling) -> Result<Bundle, Vec<ConfigError>> {
    let mut mistakes = files.unreadable.clone();
    let config = files.config.clone().unwrap_or_default();
    let key_sets = key_sets::read(files, &BTreeMap::new(), &mut mistakes);
    let compiled = compile(&Sources {
        config: &config,
        rules: &files.sources(),
        documents: &key_sets,
    });
    match compiled {
        Ok(policy) => {
            mistakes.extend(policy.faults().iter().cloned());
            mistakes.extend(
                policy
                    .origins()
                    .filter(|(origin, _)| !with.clusters.contains_key(*origin))
                    .map(|(origin, place)| unmapped(origin, place)),
            );
        }
        Err(errors) => mistakes.extend(errors.0),
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let secrets = key_sets
        .iter()
        .filter(|(_, keys)| key_sets::are_private(keys))
        .map(|(url, _)| url.clone())
        .collect();
    let mut plugin = json!({
        "config": config,
        "rules": files.rules,
        "clusters": with.clusters,
        "decision_metadata": with.decision_metadata,
    });
    if let (Some(plugin), false) = (plugin.as_object_mut(), key_sets.is_empty()) {
        plugin.insert("jwks".to_owned(), json!(key_sets));
    }
    let digest = digest(&plugin);
    if let Some(plugin) = plugin.as_object_mut() {
        plugin.insert("digest".to_owned(), digest.into());
    }
    Ok(Bundle { plugin, secrets })
}

/// SHA-256 over the JSON of `value`, without blanks and with keys in order, so that the same content
/// has the same digest however its files are written.
fn digest(value: &Value) -> String {
    let hash = Sha256::digest(in_order(value).to_string());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn in_order(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(in_order).collect(),
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            let pairs = sorted.into_iter();
            pairs
                .map(|(key, value)| (key.clone(), in_order(value)))
                .collect()
        }
        other => other.clone(),
    }
}

fn unmapped(origin: &str, place: &Place) -> ConfigError {
    ConfigError {
        place: place.clone(),
        message: format!(
            "calls `{origin}`, for which no cluster is named; add `--cluster {origin}=NAME` with the name of the proxy's cluster"
        ),
    }
}
