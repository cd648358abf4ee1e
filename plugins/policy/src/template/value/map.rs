//! Go's maps with string keys.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::Value as Json;

use super::{Text, Value};
use crate::template::object::Fields;

#[derive(Clone, Debug)]
pub(in crate::template) enum Map<'v> {
    /// Go's nil map: `.Extra` where there is none.
    Nil,
    Json(&'v serde_json::Map<String, Json>),
    /// Header fields or query parameters: several values for each key.
    Fields(Fields<'v>),
    /// `map[string]string`: the parts that `split` makes.
    Texts(Rc<BTreeMap<String, Text<'v>>>),
    /// Values that a template put together, and how deep they nest.
    Made(Rc<BTreeMap<String, Value<'v>>>, u8),
}

impl<'v> Map<'v> {
    pub(super) fn from_values(values: BTreeMap<String, Value<'v>>, depth: u8) -> Self {
        Self::Made(Rc::new(values), depth)
    }

    /// The value of `key`; where there is none, the zero value of the map's elements.
    pub(in crate::template) fn get_or_zero(&self, key: &str) -> Value<'v> {
        match self {
            Self::Fields(fields) => Value::List(fields.values(key)),
            Self::Texts(_) => self.get(key).unwrap_or(Value::Text(Text::Borrowed(""))),
            _ => self.get(key).unwrap_or(Value::Null),
        }
    }

    pub(in crate::template) fn get(&self, key: &str) -> Option<Value<'v>> {
        match self {
            Self::Nil => None,
            Self::Json(object) => object.get(key).map(Value::from_json),
            Self::Fields(fields) => {
                let values = fields.values(key);
                (values.len() > 0).then_some(Value::List(values))
            }
            Self::Texts(texts) => texts.get(key).cloned().map(Value::Text),
            Self::Made(values, _) => values.get(key).cloned(),
        }
    }

    /// Keys and values, sorted by key as Go prints and ranges over them.
    pub(in crate::template) fn entries(&self) -> Vec<(Text<'v>, Value<'v>)> {
        let mut entries: Vec<_> = match self {
            Self::Nil => Vec::new(),
            Self::Json(object) => object
                .iter()
                .map(|(key, value)| (Text::Borrowed(key.as_str()), Value::from_json(value)))
                .collect(),
            Self::Fields(fields) => fields.entries(),
            Self::Texts(texts) => texts
                .iter()
                .map(|(key, text)| (Text::from(key.clone()), Value::Text(text.clone())))
                .collect(),
            Self::Made(values, _) => values
                .iter()
                .map(|(key, value)| (Text::from(key.clone()), value.clone()))
                .collect(),
        };
        entries.sort_unstable_by(|(one, _), (other, _)| str::cmp(one, other));
        entries
    }

    pub(in crate::template) fn len(&self) -> usize {
        match self {
            Self::Nil => 0,
            Self::Json(object) => object.len(),
            Self::Fields(fields) => fields.entries().len(),
            Self::Texts(texts) => texts.len(),
            Self::Made(values, _) => values.len(),
        }
    }

    pub(in crate::template) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Nil | Self::Json(_) | Self::Made(..) => "map[string]interface {}",
            Self::Fields(fields) => fields.type_name(),
            Self::Texts(_) => "map[string]string",
        }
    }

    pub(super) const fn depth(&self) -> u8 {
        match self {
            Self::Made(_, depth) => *depth,
            _ => 1,
        }
    }
}
