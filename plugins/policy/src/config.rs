//! Reading configuration: every mistake is reported, each with its place, and nothing is guessed.
//!
//! [`Section`] walks one object of the configuration tree. It remembers which keys were asked
//! for, so that [`Section::finish`] can name those that nobody knows.

use std::{cell::RefCell, collections::BTreeSet, fmt, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    call,
    headers::{check_settable, holds_control},
};

/// Where in the configuration something stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The rule file, as the operator named it; `None` for the handler configuration.
    pub file: Option<Arc<str>>,
    /// The rule's id, or `#3` for the third one of a file where it has none.
    pub rule: Option<Arc<str>>,
    /// The keys down to the value: `authenticators[0].config.jwks_urls`.
    pub path: String,
}

impl Place {
    /// The place of `key` below this one.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let path = if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        };
        Self {
            path,
            ..self.clone()
        }
    }

    /// The place of the element `index` of the list at this place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let path = format!("{}[{index}]", self.path);
        Self {
            path,
            ..self.clone()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(file) = &self.file {
            write!(f, "file `{file}`")?;
            separator = ", ";
        }
        if let Some(rule) = &self.rule {
            write!(f, "{separator}rule `{rule}`")?;
            separator = ", ";
        }
        if !self.path.is_empty() {
            write!(f, "{separator}`{}`", self.path)?;
        } else if separator.is_empty() {
            f.write_str("configuration")?;
        }
        Ok(())
    }
}

/// One mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// What is wrong and what to do about it.
    pub message: String,
}

/// Every mistake that was found, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects the mistakes while the configuration is read.
#[derive(Debug, Default)]
pub struct Errors(RefCell<Vec<ConfigError>>);

impl Errors {
    /// Notes a mistake.
    pub fn add(&self, place: Place, message: impl Into<String>) {
        self.0.borrow_mut().push(ConfigError {
            place,
            message: message.into(),
        });
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.0.borrow().len()
    }

    /// Takes out those that were noted after the first `count`.
    pub(crate) fn take_after(&self, count: usize) -> Vec<ConfigError> {
        let mut errors = self.0.borrow_mut();
        let count = count.min(errors.len());
        errors.split_off(count)
    }

    /// All of them.
    pub fn into_inner(self) -> Vec<ConfigError> {
        self.0.into_inner()
    }
}

/// One object of the configuration, being read.
#[derive(Debug)]
pub struct Section<'a> {
    place: Place,
    map: Map<String, Value>,
    seen: BTreeSet<&'static str>,
    errors: &'a Errors,
}

impl<'a> Section<'a> {
    /// Reads `value`, which must be an object; `null` counts as an empty one.
    pub fn new(value: Option<&Value>, place: Place, errors: &'a Errors) -> Self {
        Self::owned(value.cloned().unwrap_or_default(), place, errors)
    }

    /// The same, without a copy.
    pub fn owned(value: Value, place: Place, errors: &'a Errors) -> Self {
        let map = match value {
            Value::Null => Map::new(),
            Value::Object(map) => map,
            other => {
                errors.add(
                    place.clone(),
                    format!("must be an object, not {}", kind(&other)),
                );
                Map::new()
            }
        };
        Self {
            place,
            map,
            seen: BTreeSet::new(),
            errors,
        }
    }

    /// The same, with keys in lower case: Go matches the keys of a rule without regard to case.
    pub(crate) fn ignoring_case(value: Value, place: Place, errors: &'a Errors) -> Self {
        let mut section = Self::owned(value, place, errors);
        let is_upper = |key: &String| key.bytes().any(|byte| byte.is_ascii_uppercase());
        if !section.map.keys().any(is_upper) {
            return section;
        }
        let mut folded = Map::new();
        for (key, value) in std::mem::take(&mut section.map) {
            let lower = key.to_ascii_lowercase();
            if folded.insert(lower, value).is_some() {
                section.wrong(
                    &key.to_ascii_lowercase(),
                    "is there twice, in other letters; write it once",
                );
            }
        }
        section.map = folded;
        section
    }

    /// Where it stands.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Where mistakes are noted.
    pub const fn errors(&self) -> &'a Errors {
        self.errors
    }

    /// Notes a mistake at `key`.
    pub fn wrong(&self, key: &str, message: impl Into<String>) {
        self.errors.add(self.place.key(key), message);
    }

    /// The raw value at `key`; absent and `null` are the same.
    pub fn value(&mut self, key: &'static str) -> Option<&Value> {
        self.seen.insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// The raw value at `key`, for objects in which `null` means something.
    pub fn value_or_null(&mut self, key: &'static str) -> Option<&Value> {
        self.seen.insert(key);
        self.map.get(key)
    }

    /// The object at `key`, empty where there is none.
    pub fn section(&mut self, key: &'static str) -> Section<'a> {
        let (place, errors) = (self.place.key(key), self.errors);
        Section::new(self.value(key), place, errors)
    }

    /// The object at `key` as it stands; `None` where there is none.
    pub fn object(&mut self, key: &'static str) -> Option<Map<String, Value>> {
        match self.value(key)? {
            Value::Object(map) => Some(map.clone()),
            other => {
                let message = format!("must be an object, not {}", kind(other));
                self.wrong(key, message);
                None
            }
        }
    }

    /// The string at `key`; `None` where there is none.
    pub fn string(&mut self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            other => {
                let message = format!("must be a string, not {}", kind(other));
                self.wrong(key, message);
                None
            }
        }
    }

    /// The string at `key`; its absence is a mistake.
    pub fn required_string(&mut self, key: &'static str) -> Option<String> {
        if self.value(key).is_none() {
            self.wrong(key, "is required");
            return None;
        }
        self.string(key)
    }

    /// The boolean at `key`, or the default.
    pub fn bool(&mut self, key: &'static str, default: bool) -> bool {
        match self.value(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                let message = format!("must be true or false, not {}", kind(other));
                self.wrong(key, message);
                default
            }
        }
    }

    /// The whole number at `key`, which may be negative.
    pub fn integer(&mut self, key: &'static str, default: i64) -> i64 {
        match self.value(key) {
            None => default,
            Some(value) => match value.as_i64() {
                Some(number) => number,
                None => {
                    self.wrong(key, "must be a whole number");
                    default
                }
            },
        }
    }

    /// The whole number at `key`.
    pub fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        let number = value.as_u64();
        if number.is_none() {
            self.wrong(key, "must be a whole number");
        }
        number
    }

    /// The list of strings at `key`; `None` where there is none.
    pub fn strings(&mut self, key: &'static str) -> Option<Vec<String>> {
        let Value::Array(items) = self.value(key)? else {
            self.wrong(key, "must be a list of strings");
            return None;
        };
        let strings: Option<Vec<String>> = items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect();
        if strings.is_none() {
            self.wrong(key, "must be a list of strings");
        }
        strings
    }

    /// The map of strings at `key`, in the order of its keys; `None` where there is none.
    pub fn string_map(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let Value::Object(map) = self.value(key)? else {
            self.wrong(key, "must be an object of strings");
            return None;
        };
        let mut pairs = Vec::new();
        let mut bad = Vec::new();
        for (name, value) in map {
            match value {
                Value::String(text) => pairs.push((name.clone(), text.clone())),
                other => bad.push((name.clone(), kind(other))),
            }
        }
        for (name, kind) in bad {
            let place = self.place.key(key).key(&name);
            self.errors
                .add(place, format!("must be a string, not {kind}"));
        }
        Some(pairs)
    }

    /// The header fields at `key` that a call carries whatever the request was: names that a rule may
    /// set, values that end no line. Empty where there is none.
    pub(crate) fn static_headers(&mut self, key: &'static str) -> Vec<(String, String)> {
        let fields = self.string_map(key).unwrap_or_default();
        for (name, value) in &fields {
            if let Err(problem) = check_settable(name) {
                self.wrong(key, problem);
            }
            if holds_control(value.as_bytes()) {
                let problem = format!("the value of `{name}` holds a control character");
                self.wrong(key, problem);
            }
        }
        fields
    }

    /// The names at `key` of header fields that a call takes over from the request. A header that
    /// frames the message would let a client's value cut the call in two.
    pub(crate) fn forwarded_headers(&mut self, key: &'static str) -> Vec<String> {
        let names = self.strings(key).unwrap_or_default();
        for problem in names.iter().filter_map(|name| check_settable(name).err()) {
            self.wrong(key, problem);
        }
        names
    }

    /// The elements of the list at `key` with their places; empty where there is none.
    pub fn list(&mut self, key: &'static str) -> Vec<(Place, Value)> {
        let place = self.place.key(key);
        match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (place.index(index), item.clone()))
                .collect(),
            Some(other) => {
                let message = format!("must be a list, not {}", kind(other));
                self.wrong(key, message);
                Vec::new()
            }
        }
    }

    /// The duration at `key`, as Oathkeeper writes it: `^[0-9]+(ns|us|ms|s|m|h)$`.
    pub fn duration(&mut self, key: &'static str) -> Option<std::time::Duration> {
        let text = self.string(key)?;
        let duration = parse_duration(&text);
        if duration.is_none() {
            let message = format!(
                "`{text}` is not a duration; write a number and one of ns, us, ms, s, m, h, such as `30s`"
            );
            self.wrong(key, message);
        }
        duration
    }

    /// The `Authorization` that the user name and password at `key` make; `None` where there are none.
    pub(crate) fn basic_credentials(&mut self, key: &'static str) -> Option<String> {
        self.value(key)?;
        let mut basic = self.section(key);
        let user = basic.required_string("username");
        let password = basic.required_string("password");
        basic.finish();
        Some(call::basic_credentials(&user?, &password?))
    }

    /// Names every key that nobody asked for.
    pub fn finish(self) {
        for key in self.map.keys() {
            if !self.seen.contains(key.as_str()) {
                let known: Vec<_> = self.seen.iter().map(|key| format!("`{key}`")).collect();
                let message = if known.is_empty() {
                    "unknown key; this handler takes no configuration".to_owned()
                } else {
                    format!("unknown key; known here: {}", known.join(", "))
                };
                self.errors.add(self.place.key(key), message);
            }
        }
    }
}

/// `base` with `over` laid on top: objects merge deeply, everything else is replaced.
pub(crate) fn merge(base: Option<&Value>, over: Option<&Value>) -> Value {
    match (base, over) {
        (Some(base), None | Some(Value::Null)) => base.clone(),
        (Some(Value::Object(base)), Some(Value::Object(over))) => {
            let mut merged = base.clone();
            for (key, value) in over {
                let value = merge(base.get(key), Some(value));
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (_, Some(over)) => over.clone(),
        (None, None) => Value::Null,
    }
}

fn parse_duration(text: &str) -> Option<std::time::Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    let nanos_per_unit: u64 = match unit {
        "ns" => 1,
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    number
        .checked_mul(nanos_per_unit)
        .map(std::time::Duration::from_nanos)
}

/// What a value is, in the operator's words.
pub(crate) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
