//! The files that rules are made of, and whether they have changed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use gatepost_policy::{ConfigError, RuleSet};
use serde_json::Value;

use crate::rules::Files;

/// What was read, and from where.
#[derive(Debug)]
pub struct Loaded {
    /// Oathkeeper's configuration tree.
    pub config: Value,
    /// The rules, of which some may have to be fetched yet.
    pub rules: RuleSet,
    pub(super) stamps: Stamps,
}

/// By what a file is known to have changed. Modification times of mounted volumes may jump back, so any
/// difference counts.
pub(super) type Stamps = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Reads Oathkeeper's configuration file, and all files that it and its rules name.
///
/// # Errors
/// Every file that cannot be read, and every repository that cannot be had from here.
pub fn load(config: &Path) -> Result<Loaded, Vec<ConfigError>> {
    let name = config.display().to_string();
    let files = Files::configured(&name);
    let mut named = vec![config.to_owned()];
    named.extend(files.paths.iter().cloned());
    let (key_sets, mut mistakes) = files.key_sets();
    named.extend(key_sets.paths);
    // Before the files are judged: what changes from now on is seen.
    let stamps = stamp(&named);
    mistakes.extend(files.unreadable.clone());
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let config = files.config.unwrap_or_default();
    let rules = files.rules.into_iter().collect();
    let rules =
        RuleSet::new(config.clone(), rules, key_sets.documents).map_err(|errors| errors.0)?;
    Ok(Loaded {
        config,
        rules,
        stamps,
    })
}

/// How these files look now.
pub(super) fn stamp<'p>(files: impl IntoIterator<Item = &'p PathBuf>) -> Stamps {
    let look = |file: &PathBuf| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let files = files.into_iter();
    files.map(|file| (file.clone(), look(file))).collect()
}
