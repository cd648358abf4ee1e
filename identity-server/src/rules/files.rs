//! Reads Oathkeeper's configuration and rule files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use gatepost_policy::{ConfigError, RuleSource, config::Place, source};
use serde_json::{Map, Value};

use super::key_sets;

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
    /// The rule files that were sought for the configuration.
    pub(crate) paths: Vec<PathBuf>,
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

    /// Reads the configuration, and the rule files that it names, under the names that it has for them.
    /// What it names otherwise (URLs, inline rules) is left to the engine.
    #[must_use]
    pub fn configured(config: &str) -> Self {
        let mut files = Self {
            folder: Path::new(config)
                .parent()
                .unwrap_or(Path::new(""))
                .to_owned(),
            ..Self::default()
        };
        match read(config) {
            Ok(config) => files.config = Some(config),
            Err(error) => files.unreadable.push(error),
        }
        let named: Vec<_> = entries(files.config.as_ref()).map(str::to_owned).collect();
        for entry in named {
            let path = match entry.split_once("://") {
                Some(("file", path)) => files.folder.join(path),
                None => files.folder.join(&entry),
                Some(_) => continue,
            };
            match read(&path.display().to_string()) {
                Ok(rules) => drop(files.rules.insert(entry, rules)),
                Err(error) => files.unreadable.push(error),
            }
            files.paths.push(path);
        }
        files
    }

    /// The key sets at `file:` URLs that the files name, and what is wrong with them.
    #[must_use]
    pub fn key_sets(&self) -> (KeySets, Vec<ConfigError>) {
        self.key_sets_but(&BTreeMap::new())
    }

    /// The same without those that are `known` already: they need not even be there.
    #[must_use]
    pub fn key_sets_but(&self, known: &BTreeMap<String, Value>) -> (KeySets, Vec<ConfigError>) {
        let mut mistakes = Vec::new();
        let documents = key_sets::read(self, known, &mut mistakes);
        let paths = key_sets::paths(self);
        (KeySets { documents, paths }, mistakes)
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

/// Key sets that lie in files.
#[derive(Clone, Debug, Default)]
pub struct KeySets {
    /// By the URL under which handlers name them.
    pub documents: BTreeMap<String, Value>,
    /// Where they lie.
    pub(crate) paths: Vec<PathBuf>,
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

/// The entries of `access_rules.repositories`: one, or a list.
fn entries(config: Option<&Value>) -> impl Iterator<Item = &str> {
    let entries = match config.and_then(|config| config.pointer("/access_rules/repositories")) {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    entries.iter().filter_map(Value::as_str)
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
    let entries: Vec<_> = entries(Some(config)).collect();
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
