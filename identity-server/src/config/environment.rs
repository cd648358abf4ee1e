//! The environment over the file, with Hydra's naming: `SERVE_PUBLIC_PORT` is `serve.public.port`.
//!
//! A name like `URLS_SELF_POST_LOGOUT` could be read as several paths, so none is guessed: the names are made from
//! the keys that exist, and each is looked up.

use serde_json::{Map, Value};

use super::Written;
use super::read::Problem;

/// Sets every key of `tree` whose variable is set. Lists are comma-separated.
pub(super) fn overlay(
    tree: &mut Value,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Vec<Problem>> {
    let defaults = serde_json::to_value(Written::default()).unwrap_or_default();
    let mut problems = Vec::new();
    let mut leaves = Vec::new();
    collect(&defaults, &mut Vec::new(), &mut leaves);
    for (path, default) in leaves {
        let name = path.join("_").to_uppercase();
        let Some(text) = variable(&name) else {
            continue;
        };
        match value(&text, default) {
            Some(value) => set(tree, &path, value),
            None => problems.push(Problem::new(
                path.join("."),
                format!(
                    "the environment variable `{name}` must be {}",
                    kind(default)
                ),
            )),
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn collect<'a>(
    value: &'a Value,
    path: &mut Vec<&'a str>,
    leaves: &mut Vec<(Vec<&'a str>, &'a Value)>,
) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                path.push(name);
                collect(member, path, leaves);
                path.pop();
            }
        }
        leaf => leaves.push((path.clone(), leaf)),
    }
}

/// The text as a value of the default's kind.
fn value(text: &str, default: &Value) -> Option<Value> {
    match default {
        Value::Bool(_) => text.parse().ok().map(Value::Bool),
        Value::Number(_) => text.parse::<i64>().ok().map(Value::from),
        Value::Array(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::Array(items.map(Value::from).collect()))
        }
        _ => Some(Value::from(text)),
    }
}

fn kind(default: &Value) -> &'static str {
    match default {
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a whole number",
        _ => "text",
    }
}

/// Puts `value` at `path`. A scalar in the way (a mistake in the file) is left for the reading to report.
fn set(tree: &mut Value, path: &[&str], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        return;
    };
    let mut node = tree;
    for parent in parents {
        let Value::Object(members) = node else { return };
        node = members
            .entry(*parent)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    if let Value::Object(members) = node {
        members.insert((*last).to_owned(), value);
    }
}
