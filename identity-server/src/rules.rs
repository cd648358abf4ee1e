//! Access rules outside the proxy: what the engine's command line does with rule files.
//!
//! Owns reading Oathkeeper's files and turning them into a plugin configuration. Does not own any
//! judgement about them: that is the engine's, so that a file that passes here passes in the proxy.

use std::{collections::BTreeMap, path::Path};

use gatepost_policy::{ConfigError, RuleSource, compile, config::Place, source};
use serde_json::{Map, Value, json};

/// What goes into a bundle.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Oathkeeper's configuration file.
    pub config: String,
    /// Rule files. Empty: those that the configuration names in `access_rules.repositories`.
    pub rules: Vec<String>,
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
pub fn bundle(sources: &Sources) -> Result<Value, Vec<ConfigError>> {
    let config = read(&sources.config).map_err(|error| vec![error])?;
    let files = if sources.rules.is_empty() {
        repositories(&config, &sources.config)?
    } else {
        sources.rules.clone()
    };
    let mut mistakes = Vec::new();
    let mut rules = Map::new();
    for file in files {
        match read(&file) {
            Ok(value) => drop(rules.insert(file, value)),
            Err(error) => mistakes.push(error),
        }
    }
    let parsed: Vec<_> = rules
        .iter()
        .map(|(file, rules)| RuleSource { file, rules })
        .collect();
    match compile(&config, &parsed) {
        Ok(policy) => mistakes.extend(
            policy
                .origins()
                .filter(|(origin, _)| !sources.clusters.contains_key(*origin))
                .map(|(origin, place)| unmapped(origin, place)),
        ),
        Err(errors) => mistakes.extend(errors.0),
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(json!({
        "config": config,
        "rules": rules,
        "clusters": sources.clusters,
        "decision_metadata": sources.decision_metadata,
    }))
}

fn read(file: &str) -> Result<Value, ConfigError> {
    let content = std::fs::read(file).map_err(|error| ConfigError {
        place: Place {
            file: Some(file.into()),
            ..Place::default()
        },
        message: format!("cannot be read: {error}"),
    })?;
    source::parse(file, &content)
}

/// The files in `access_rules.repositories`. Relative ones are sought beside the configuration.
fn repositories(config: &Value, file: &str) -> Result<Vec<String>, Vec<ConfigError>> {
    let key = "access_rules.repositories";
    let wrong = |message: String| {
        vec![ConfigError {
            place: Place {
                file: Some(file.into()),
                path: key.to_owned(),
                ..Place::default()
            },
            message,
        }]
    };
    let entries = match config.pointer("/access_rules/repositories") {
        Some(Value::String(entry)) => vec![entry.as_str()],
        Some(Value::Array(entries)) => entries.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if entries.is_empty() {
        return Err(wrong(
            "names no rule files; name them here or on the command line".to_owned(),
        ));
    }
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    entries
        .into_iter()
        .map(|entry| match entry.strip_prefix("file://") {
            Some(path) => Ok(folder.join(path).display().to_string()),
            None if !entry.contains("://") => Ok(folder.join(entry).display().to_string()),
            None => Err(wrong(format!(
                "`{entry}` is not a file; download it and name the file"
            ))),
        })
        .collect()
}

fn unmapped(origin: &str, place: &Place) -> ConfigError {
    ConfigError {
        place: place.clone(),
        message: format!(
            "calls `{origin}`, for which no cluster is named; add `--cluster {origin}=NAME` with the name of the proxy's cluster"
        ),
    }
}
