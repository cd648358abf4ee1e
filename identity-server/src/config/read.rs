//! Text and environment to [`Written`].

use serde_json::Value;

use super::{Written, environment};

/// Something wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key's path, as in `serve.public.port`; empty for the whole file.
    pub key: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A problem with `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.list())]
pub struct ConfigError {
    /// Where it was read from.
    pub source_name: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    fn list(&self) -> String {
        let mut text = format!("the configuration ({}) cannot be used", self.source_name);
        for Problem { key, message } in &self.problems {
            text.push_str("\n  - ");
            if !key.is_empty() {
                text.push_str(&format!("`{key}`: "));
            }
            text.push_str(message);
        }
        text
    }
}

/// Reads, overlays, and refuses what it does not know.
pub(super) fn read(
    yaml: &str,
    source: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Written, ConfigError> {
    let fail = |problems| ConfigError {
        source_name: source.to_owned(),
        problems,
    };
    let mut tree = parse(yaml).map_err(|problem| fail(vec![problem]))?;
    environment::overlay(&mut tree, variable).map_err(fail)?;
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let path = error.path().to_string();
        let key = if path == "." { String::new() } else { path };
        fail(vec![Problem::new(key, error.into_inner().to_string())])
    })
}

fn parse(yaml: &str) -> Result<Value, Problem> {
    if yaml.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_saphyr::from_str(yaml) {
        Ok(Value::Null) => Ok(Value::Object(serde_json::Map::new())),
        Ok(tree @ Value::Object(_)) => Ok(tree),
        Ok(_) => Err(Problem::new(
            "",
            "the file must be a mapping of keys to values",
        )),
        Err(error) => Err(Problem::new("", format!("not valid YAML: {error}"))),
    }
}
