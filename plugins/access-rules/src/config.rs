//! The configuration of `access-rules`: Oathkeeper's, and what a proxy needs besides.

use std::collections::BTreeMap;

use gatepost_filter::{BrokenRules, Options, Settings, parse};
use gatepost_policy::{
    ConfigErrors, RuleSet,
    config::{Errors, Place, Section},
};
use serde_json::{Map, Value};

const KEYS: &str =
    "`config` (Oathkeeper's configuration), `rules` (its access rules) and `clusters`";

/// Reads the plugin's configuration; on failure tells every error that it has.
pub(crate) fn read(bytes: &[u8]) -> Result<Settings, Vec<String>> {
    let value = parse(bytes, KEYS)?;
    let errors = Errors::default();
    let mut section = Section::new(Some(&value), Place::default(), &errors);
    let config = section.value("config").cloned();
    if config.is_none() {
        section.wrong("config", "is required: Oathkeeper's configuration");
    }
    let files = files(&mut section);
    let jwks = section.object("jwks").unwrap_or_default();
    let broken_rules = BrokenRules::read(&mut section);
    let options = Options::read(&mut section);
    section.finish();
    let mut found = errors.into_inner();
    let documents: BTreeMap<_, _> = jwks.into_iter().collect();
    let settings = RuleSet::new(config.unwrap_or_default(), files, documents)
        .map_err(|ConfigErrors(errors)| errors)
        .and_then(|rules| Settings::new(rules, broken_rules, options));
    match settings {
        Ok(settings) if found.is_empty() => Ok(settings),
        Ok(_) => Err(texts(&found)),
        Err(mistakes) => {
            found.extend(mistakes);
            Err(texts(&found))
        }
    }
}

/// Oathkeeper's rules: by file, so that errors name it, or in one list. All of them may have to be
/// fetched.
fn files(section: &mut Section<'_>) -> Vec<(String, Value)> {
    match section.value("rules") {
        None => Vec::new(),
        Some(Value::Object(files)) => Map::clone(files).into_iter().collect(),
        Some(list) => vec![("rules".to_owned(), list.clone())],
    }
}

fn texts(errors: &[gatepost_policy::ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
