//! Key sets that handlers read from files: a proxy cannot, so they go into the bundle.

use std::{collections::BTreeMap, path::PathBuf};

use gatepost_policy::{ConfigError, config::Place};
use serde_json::Value;

use super::{Files, files};

/// What `file://` begins a URL with.
const FILE: &str = "file://";

/// The key sets at `file:` URLs of the configuration and the rules that are not `known`, by these URLs.
pub(super) fn read(
    files: &Files,
    known: &BTreeMap<String, Value>,
    mistakes: &mut Vec<ConfigError>,
) -> BTreeMap<String, Value> {
    let mut key_sets = BTreeMap::new();
    let unknown = urls(files)
        .into_iter()
        .filter(|url| !known.contains_key(url));
    for url in unknown {
        let file = path(files, &url).display().to_string();
        match files::read(&file) {
            Ok(keys) if keys.get("keys").is_some_and(Value::is_array) => {
                key_sets.insert(url, keys);
            }
            Ok(_) => mistakes.push(ConfigError {
                place: Place {
                    file: Some(file.into()),
                    ..Place::default()
                },
                message: "is not a key set; it has to be an object with a list `keys` (RFC 7517 section 5)"
                    .to_owned(),
            }),
            Err(error) => mistakes.push(error),
        }
    }
    key_sets
}

/// Where these key sets lie.
pub(super) fn paths(files: &Files) -> Vec<PathBuf> {
    let urls = urls(files).into_iter();
    urls.map(|url| path(files, &url)).collect()
}

fn path(files: &Files, url: &str) -> PathBuf {
    files.folder.join(url.strip_prefix(FILE).unwrap_or(url))
}

/// The `file:` URLs that are named, each once.
fn urls(files: &Files) -> Vec<String> {
    let mut urls = Vec::new();
    for value in files.config.iter().chain(files.rules.values()) {
        collect(value, &mut urls);
    }
    urls.sort_unstable();
    urls.dedup();
    urls
}

/// Whether some key of a set is a private or a symmetric one.
pub(super) fn are_private(keys: &Value) -> bool {
    let keys = keys.get("keys").and_then(Value::as_array);
    keys.into_iter()
        .flatten()
        .any(|key| key.get("d").is_some() || key.get("k").is_some())
}

/// The `file:` URLs at the keys that name key sets.
fn collect(value: &Value, urls: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, urls)),
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("jwks_url", Value::String(url)) => push(url, urls),
                    ("jwks_urls", Value::Array(list)) => list
                        .iter()
                        .filter_map(Value::as_str)
                        .for_each(|url| push(url, urls)),
                    _ => collect(value, urls),
                }
            }
        }
        _ => {}
    }
}

fn push(url: &str, urls: &mut Vec<String>) {
    if url.starts_with(FILE) {
        urls.push(url.to_owned());
    }
}
