//! One plugin configuration made of Oathkeeper's own files.

use std::collections::BTreeMap;

use gatepost_policy::{ConfigError, Sources, compile, config::Place};
use serde_json::{Value, json};

use super::Files;

/// What a bundle says besides the files.
#[derive(Clone, Debug, Default)]
pub struct Bundling {
    /// The proxy's clusters by the origins that the rules call, such as
    /// `http://127.0.0.1:4444` to `gatepost`.
    pub clusters: BTreeMap<String, String>,
    /// Whether the proxy's access log can show which rule decided.
    pub decision_metadata: bool,
}

/// The configuration of the module `access-rules`, made of Oathkeeper's own files.
///
/// # Errors
/// Every mistake in the files, and every origin without a cluster, with what to do about it.
pub fn bundle(files: &Files, with: &Bundling) -> Result<Value, Vec<ConfigError>> {
    let mut mistakes = files.unreadable.clone();
    let config = files.config.clone().unwrap_or_default();
    let compiled = compile(&Sources {
        config: &config,
        rules: &files.sources(),
        documents: &BTreeMap::new(),
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
    Ok(json!({
        "config": config,
        "rules": files.rules,
        "clusters": with.clusters,
        "decision_metadata": with.decision_metadata,
    }))
}

fn unmapped(origin: &str, place: &Place) -> ConfigError {
    ConfigError {
        place: place.clone(),
        message: format!(
            "calls `{origin}`, for which no cluster is named; add `--cluster {origin}=NAME` with the name of the proxy's cluster"
        ),
    }
}
