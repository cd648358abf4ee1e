//! The configuration of `access-rules`: Oathkeeper's, and what a proxy needs besides.

use std::collections::BTreeMap;

use gatepost_filter::{BrokenRules, Options, Settings, members};
use gatepost_policy::{
    ConfigErrors, RuleFile, RuleSet,
    config::{Errors, Place, Section},
};
use serde_json::{Value, value::RawValue};

const KEYS: &str =
    "`config` (Oathkeeper's configuration), `rules` (its access rules) and `clusters`";

/// Reads the plugin's configuration; on failure tells every error that it has.
pub(crate) fn read(bytes: Vec<u8>) -> Result<Settings, Vec<String>> {
    let mut written = members(&bytes, KEYS)?;
    // The rules are copied, so that the rest of the bytes makes room for what is compiled of them.
    let files = files(written.remove("rules"));
    let others: Result<_, _> = written
        .into_iter()
        .map(|(key, json)| Ok((key, serde_json::from_str(json.get())?)))
        .collect();
    let others = others.map_err(|error: serde_json::Error| vec![error.to_string()])?;
    drop(bytes);
    let errors = Errors::default();
    let mut section = Section::owned(Value::Object(others), Place::default(), &errors);
    // Read above.
    section.value("rules");
    let config = section.value("config").cloned();
    if config.is_none() {
        section.wrong("config", "is required: Oathkeeper's configuration");
    }
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
fn files(rules: Option<&RawValue>) -> Vec<(String, RuleFile)> {
    let Some(rules) = rules.filter(|rules| rules.get() != "null") else {
        return Vec::new();
    };
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(rules.get()) {
        Ok(files) => files
            .into_iter()
            .map(|(file, rules)| (file, rules.into()))
            .collect(),
        Err(_) => vec![("rules".to_owned(), rules.into())],
    }
}

fn texts(errors: &[gatepost_policy::ConfigError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
