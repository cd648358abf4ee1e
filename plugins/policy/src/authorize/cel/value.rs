//! What expressions are about: values borrowed from the session and the request, and such that were
//! made meanwhile.

use std::{borrow::Cow, cmp::Ordering, rc::Rc};

use serde_json::Value as Json;

use crate::headers::{Headers, are_aliases};

use super::{fault::Fault, number};

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(Cow<'v, str>),
    List(List<'v>),
    Map(Map<'v>),
}

/// A list.
#[derive(Clone, Debug)]
pub(super) enum List<'v> {
    Json(&'v [Json]),
    Texts(&'v [String]),
    Made(Rc<[Value<'v>]>),
}

/// A map.
#[derive(Clone, Debug)]
pub(super) enum Map<'v> {
    Json(&'v serde_json::Map<String, Json>),
    /// By names in any case.
    Headers(&'v Headers),
    /// The parameters of a query, still encoded.
    Query(&'v str),
    Made(Rc<[(Value<'v>, Value<'v>)]>),
}

impl<'v> Value<'v> {
    /// What it is, in the words of CEL.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an int",
            Self::Uint(_) => "a uint",
            Self::Double(_) => "a double",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    pub(super) fn json(json: &'v Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(truth) => Self::Bool(*truth),
            Json::Number(number) => {
                let int = number.as_i64().map(Self::Int);
                let uint = || number.as_u64().map(Self::Uint);
                let double = || Self::Double(number.as_f64().unwrap_or(f64::NAN));
                int.or_else(uint).unwrap_or_else(double)
            }
            Json::String(text) => Self::from(text.as_str()),
            Json::Array(items) => Self::List(List::Json(items)),
            Json::Object(map) => Self::Map(Map::Json(map)),
        }
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'v> List<'v> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Texts(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            Self::Json(items) => items.get(index).map(Value::json),
            Self::Texts(items) => items.get(index).map(|text| Value::from(text.as_str())),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Value<'v>> + '_ {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

impl<'v> Map<'v> {
    /// How much it takes to find a key in it.
    pub(super) fn extent(&self) -> usize {
        match self {
            Self::Json(_) => 0,
            Self::Headers(headers) => headers.bytes(),
            Self::Query(query) => query.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    /// What it has under the text `key`.
    pub(super) fn get(&self, key: &str) -> Result<Option<Value<'v>>, Fault> {
        match self {
            Self::Json(map) => Ok(map.get(key).map(Value::json)),
            Self::Headers(headers) => header(headers, key),
            Self::Query(query) => parameter(query, key),
            Self::Made(entries) => Ok(entries
                .iter()
                .find(|(known, _)| matches!(known, Value::Text(text) if text == key))
                .map(|(_, value)| value.clone())),
        }
    }

    /// What it has under `key`, of any kind.
    pub(super) fn at(&self, key: &Value<'_>) -> Result<Option<Value<'v>>, Fault> {
        match (self, key) {
            (_, Value::Text(text)) => self.get(text),
            (Self::Made(entries), key) => Ok(entries
                .iter()
                .find(|(known, _)| is_same_key(known, key))
                .map(|(_, value)| value.clone())),
            _ => Ok(None),
        }
    }

    /// Its keys; headers in lower case.
    pub(super) fn keys(&self) -> Vec<Value<'v>> {
        let mut keys: Vec<Cow<'v, str>> = match self {
            Self::Json(map) => return map.keys().map(|key| Value::from(key.as_str())).collect(),
            Self::Made(entries) => return entries.iter().map(|(key, _)| key.clone()).collect(),
            Self::Headers(headers) => headers
                .iter()
                .filter(|(name, _)| !name.starts_with(b":"))
                .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase().into())
                .collect(),
            Self::Query(query) => form_urlencoded::parse(query.as_bytes())
                .map(|(name, _)| name)
                .collect(),
        };
        keys.sort_unstable();
        keys.dedup();
        keys.into_iter().map(Value::Text).collect()
    }
}

/// Whether two keys of a map are one.
pub(super) fn is_same_key(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Text(one), Value::Text(other)) => one == other,
        (one, other) => number::compare(one, other) == Some(Ordering::Equal),
    }
}

/// The value of a header, which must be the only one that some upstream might take for it; but cookies
/// may come in several fields (RFC 9113 section 8.2.3).
fn header<'v>(headers: &'v Headers, name: &str) -> Result<Option<Value<'v>>, Fault> {
    if name.starts_with(':') {
        return Ok(None);
    }
    let sent = headers.iter();
    let mut found = sent.filter(|(sent, _)| are_aliases(sent, name.as_bytes()));
    let Some((sent, value)) = found.next() else {
        return Ok(None);
    };
    let text = |value: &'v [u8]| std::str::from_utf8(value).map_err(|_| Fault::NoText);
    let is_cookie = name.eq_ignore_ascii_case("cookie");
    if !sent.eq_ignore_ascii_case(name.as_bytes()) {
        return Err(Fault::Ambiguous("header"));
    }
    let mut value = Cow::Borrowed(text(value)?);
    for (_, more) in found {
        if !is_cookie {
            return Err(Fault::Ambiguous("header"));
        }
        let joined = value.to_mut();
        joined.push_str("; ");
        joined.push_str(text(more)?);
    }
    Ok(Some(Value::Text(value)))
}

/// The value of a parameter, which must be there once.
fn parameter<'v>(query: &'v str, name: &str) -> Result<Option<Value<'v>>, Fault> {
    let parameters = form_urlencoded::parse(query.as_bytes());
    let mut values = parameters.filter(|(known, _)| known == name);
    let value = values.next().map(|(_, value)| Value::Text(value));
    if values.next().is_some() {
        return Err(Fault::Ambiguous("parameter"));
    }
    Ok(value)
}
