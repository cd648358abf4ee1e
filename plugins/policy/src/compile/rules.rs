//! The rules of a file, one after the other: of ten thousand rules only one is a tree at a time.

use serde_json::Value;
#[cfg(feature = "rules")]
use serde_json::value::RawValue;

use crate::config::{Errors, Place, kind};

/// The content of a rule file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Written<'a> {
    /// Read already.
    Tree(&'a Value),
    /// JSON.
    #[cfg(feature = "rules")]
    Text(&'a str),
}

/// A rule that nobody has looked into.
#[derive(Clone, Copy)]
enum Unread<'a> {
    Tree(&'a Value),
    #[cfg(feature = "rules")]
    Text(&'a RawValue),
}

/// A file none of whose rules is taken.
#[derive(Debug)]
pub(super) struct PutAside {
    /// The reason stands here.
    pub(super) place: Place,
    /// The highest priority in it.
    pub(super) priority: i64,
}

/// Hands every rule of a file to `take`, with its place. A rule is named by its id, else by its number.
pub(super) fn each(
    file: &str,
    written: Written<'_>,
    errors: &Errors,
    mut take: impl FnMut(Place, Value),
) -> Option<PutAside> {
    let place = Place {
        file: Some(file.into()),
        ..Place::default()
    };
    let rules = match list(written) {
        Ok(rules) => rules,
        Err(message) => {
            errors.add(place, message);
            return None;
        }
    };
    for (index, rule) in rules.iter().enumerate() {
        if let Err(problem) = check_version(*rule) {
            // What such a file means is anybody's guess: none of its rules is taken.
            let message = format!("{problem}; the whole file is put aside");
            let named = rule.read().unwrap_or_default();
            let place = place_of(&place, index, &named).key("version");
            errors.add(place.clone(), message);
            let priority = rules.iter().map(|rule| priority_as_written(*rule)).max();
            let priority = priority.unwrap_or_default();
            return Some(PutAside { place, priority });
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        match rule.read() {
            Ok(rule) => take(place_of(&place, index, &rule), up_to_date(rule)),
            Err(error) => {
                let message = format!("the rule {} is not JSON: {error}", name_of(index, None));
                errors.add(place.clone(), message);
            }
        }
    }
    None
}

/// The priority of a rule that nobody reads any further; what is no number may have been a high one.
fn priority_as_written(rule: Unread<'_>) -> i64 {
    let rule = rule.read().unwrap_or_default();
    match rule.pointer("/gatepost/priority") {
        None | Some(Value::Null) => 0,
        Some(priority) => priority.as_i64().unwrap_or(i64::MAX),
    }
}

/// The rules of a file; nothing stands for none.
fn list(written: Written<'_>) -> Result<Vec<Unread<'_>>, String> {
    let wrong = |other: &Value| format!("must be a list of rules, not {}", kind(other));
    match written {
        Written::Tree(Value::Null) => Ok(Vec::new()),
        Written::Tree(Value::Array(rules)) => Ok(rules.iter().map(Unread::Tree).collect()),
        Written::Tree(other) => Err(wrong(other)),
        #[cfg(feature = "rules")]
        Written::Text(text) => match serde_json::from_str::<Option<Vec<&RawValue>>>(text) {
            Ok(rules) => {
                let rules = rules.unwrap_or_default().into_iter();
                Ok(rules.map(Unread::Text).collect())
            }
            Err(error) => Err(match serde_json::from_str(text) {
                Ok(other) => wrong(&other),
                Err(_) => format!("is not JSON: {error}"),
            }),
        },
    }
}

fn place_of(file: &Place, index: usize, rule: &Value) -> Place {
    let id = rule.get("id").and_then(Value::as_str);
    Place {
        rule: Some(name_of(index, id).into()),
        ..file.clone()
    }
}

fn name_of(index: usize, id: Option<&str>) -> String {
    match id {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!("#{}", index.saturating_add(1)),
    }
}

impl Unread<'_> {
    fn read(self) -> serde_json::Result<Value> {
        match self {
            Self::Tree(rule) => Ok(rule.clone()),
            #[cfg(feature = "rules")]
            Self::Text(text) => serde_json::from_str(text.get()),
        }
    }
}

#[cfg(feature = "rules")]
use versions::{check_version, up_to_date};

#[cfg(feature = "rules")]
mod versions {
    use std::fmt;

    use serde::{
        Deserialize, Deserializer,
        de::{IgnoredAny, MapAccess, Visitor},
    };
    use serde_json::{Map, Value};

    use super::Unread;
    use crate::migrate;

    /// Whether the version that a rule names, if any, is one.
    pub(super) fn check_version(rule: Unread<'_>) -> Result<(), String> {
        match rule {
            Unread::Tree(rule) => migrate::version(rule),
            Unread::Text(text) => {
                // What is no object has no version; that is said where it is compiled.
                let head = serde_json::from_str(text.get()).map(|Head(head)| head);
                migrate::version(&Value::Object(head.unwrap_or_default()))
            }
        }
        .map(drop)
    }

    /// The rule as it would be written today.
    pub(super) fn up_to_date(mut rule: Value) -> Value {
        if let Ok(Some(version)) = migrate::version(&rule) {
            migrate::migrate(&mut rule, &version);
        }
        rule
    }

    /// What an object says of its version, and nothing else of it.
    struct Head(Map<String, Value>);

    impl<'de> Deserialize<'de> for Head {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(HeadVisitor)
        }
    }

    struct HeadVisitor;

    impl<'de> Visitor<'de> for HeadVisitor {
        type Value = Head;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
            let mut head = Map::new();
            while let Some(key) = map.next_key::<String>()? {
                if key.eq_ignore_ascii_case("version") {
                    head.insert(key, map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(Head(head))
        }
    }
}

/// The rules of a small module are made by it, never for an older version.
#[cfg(not(feature = "rules"))]
fn check_version(_: Unread<'_>) -> Result<(), String> {
    Ok(())
}

/// See [`check_version`].
#[cfg(not(feature = "rules"))]
fn up_to_date(rule: Value) -> Value {
    rule
}
