//! Reads Oathkeeper's configuration and rule files.

use std::path::{Path, PathBuf};

use gatepost_policy::{ConfigError, RuleSource, config::Place, source};
use serde_json::{Map, Value};

/// Oathkeeper's files, read but not judged.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The configuration, where there is one.
    pub config: Option<Value>,
    /// The content of each rule file, by its name as the operator wrote it.
    pub rules: Map<String, Value>,
    /// What could not be read.
    pub unreadable: Vec<ConfigError>,
    /// Where the configuration lies: relative names in it start there.
    pub(super) folder: PathBuf,
}

impl Files {
    /// Reads the configuration and the rule files. Where no rule file is named, those of the
    /// configuration's `access_rules.repositories` are read.
    #[must_use]
    pub fn read(config: Option<&str>, rules: &[String]) -> Self {
        let mut files = Self {
            folder: config
                .and_then(|file| Path::new(file).parent())
                .unwrap_or(Path::new(""))
                .to_owned(),
            ..Self::default()
        };
        let named = match config.map(|file| (file, read(file))) {
            Some((file, Ok(config))) => {
                let named = named(&config, file, rules);
                files.config = Some(config);
                named
            }
            Some((_, Err(error))) => Err(vec![error]),
            None => Ok(rules.to_vec()),
        };
        for file in named.unwrap_or_else(|errors| {
            files.unreadable.extend(errors);
            rules.to_vec()
        }) {
            match read(&file) {
                Ok(rules) => drop(files.rules.insert(file, rules)),
                Err(error) => files.unreadable.push(error),
            }
        }
        files
    }

    /// The rule files as the engine takes them.
    #[must_use]
    pub fn sources(&self) -> Vec<RuleSource<'_>> {
        self.rules
            .iter()
            .map(|(file, rules)| RuleSource { file, rules })
            .collect()
    }
}

pub(super) fn read(file: &str) -> Result<Value, ConfigError> {
    let content = std::fs::read(file).map_err(|error| ConfigError {
        place: Place {
            file: Some(file.into()),
            ..Place::default()
        },
        message: format!("cannot be read: {error}"),
    })?;
    source::parse(file, &content)
}

fn named(config: &Value, file: &str, rules: &[String]) -> Result<Vec<String>, Vec<ConfigError>> {
    if rules.is_empty() {
        repositories(config, file)
    } else {
        Ok(rules.to_vec())
    }
}

/// The files in `access_rules.repositories`. Relative ones are sought beside the configuration.
fn repositories(config: &Value, file: &str) -> Result<Vec<String>, Vec<ConfigError>> {
    let wrong = |message: String| {
        vec![ConfigError {
            place: Place {
                file: Some(file.into()),
                path: "access_rules.repositories".to_owned(),
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
