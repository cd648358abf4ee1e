//! The values that a template computes with, borrowed from the session wherever possible.

mod list;
mod map;
mod text;

pub(super) use list::List;
pub(super) use map::Map;
use serde_json::Value as Json;
pub(super) use text::Text;

use super::{error::Fault, object::Object};

/// Lists and maps inside each other that a template may build.
const MAX_NESTING: u8 = 32;

/// A value, with as much of Go's typing as shows.
#[derive(Clone, Debug)]
pub(super) enum Value<'v> {
    /// No value: what a pipeline makes of [`Value::Null`]. Any field of it is again no value.
    Nil,
    /// Go's nil interface: a missing key, JSON's `null`. A field of it is an error.
    Null,
    Bool(bool),
    /// Go's `int` and `int64`; a template cannot tell them apart here.
    Int(i64),
    /// Every JSON number.
    Float(f64),
    Text(Text<'v>),
    List(List<'v>),
    Map(Map<'v>),
    Object(Object<'v>),
}

impl<'v> Value<'v> {
    pub(super) fn from_json(json: &'v Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(array) => Self::List(List::Json(array)),
            Json::Object(object) => Self::Map(Map::Json(object)),
        }
    }

    /// Like [`Value::from_json`], without borrowing.
    ///
    /// # Errors
    ///
    /// The document is nested too deep.
    pub(super) fn from_owned_json(json: Json) -> Result<Self, Fault> {
        Ok(match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(bool),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::text(text),
            Json::Array(array) => Self::list(
                array
                    .into_iter()
                    .map(Self::from_owned_json)
                    .collect::<Result<_, _>>()?,
            )?,
            Json::Object(object) => Self::map(
                object
                    .into_iter()
                    .map(|(key, value)| Ok((key, Self::from_owned_json(value)?)))
                    .collect::<Result<_, Fault>>()?,
            )?,
        })
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(Text::from(text.into()))
    }

    pub(super) fn list(values: Vec<Self>) -> Result<Self, Fault> {
        let depth = deeper(values.iter())?;
        Ok(Self::List(List::from_values(values, depth)))
    }

    pub(super) fn map(values: std::collections::BTreeMap<String, Self>) -> Result<Self, Fault> {
        let depth = deeper(values.values())?;
        Ok(Self::Map(Map::from_values(values, depth)))
    }

    /// What a pipeline hands on: Go unwraps a nil interface to no value.
    pub(super) fn settled(self) -> Self {
        match self {
            Self::Null => Self::Nil,
            other => other,
        }
    }

    pub(super) const fn is_nil(&self) -> bool {
        matches!(self, Self::Nil | Self::Null)
    }

    /// Go's truth: not the zero value, not empty.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Nil | Self::Null => false,
            Self::Bool(bool) => *bool,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => list.len() > 0,
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// Go's name for the type, as `%T` prints it.
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Nil | Self::Null => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(list) => list.type_name(),
            Self::Map(map) => map.type_name(),
            Self::Object(object) => object.type_name(),
        }
    }

    const fn depth(&self) -> u8 {
        match self {
            Self::List(list) => list.depth(),
            Self::Map(map) => map.depth(),
            _ => 0,
        }
    }
}

/// The depth of a list or map that holds `values`. Bounded, since dropping and printing recurse.
fn deeper<'i, 'v: 'i>(values: impl Iterator<Item = &'i Value<'v>>) -> Result<u8, Fault> {
    let depth = values
        .map(Value::depth)
        .max()
        .unwrap_or_default()
        .saturating_add(1);
    if depth > MAX_NESTING {
        return Err(Fault::new(
            "limit reached: lists and maps nest deeper than 32 levels",
        ));
    }
    Ok(depth)
}
