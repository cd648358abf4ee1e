//! Go's slices.

use std::rc::Rc;

use serde_json::Value as Json;

use super::{Text, Value};

#[derive(Clone, Debug)]
pub(in crate::template) enum List<'v> {
    Json(&'v [Json]),
    /// Go's `[]string`, such as the capture groups.
    Strings(&'v [String]),
    /// `[]string` that was made here.
    Texts(Rc<[Text<'v>]>),
    /// Values that a template put together, and how deep they nest.
    Made(Rc<[Value<'v>]>, u8),
}

impl<'v> List<'v> {
    pub(super) fn from_values(values: Vec<Value<'v>>, depth: u8) -> Self {
        Self::Made(values.into(), depth)
    }

    pub(in crate::template) fn from_texts(texts: Vec<Text<'v>>) -> Self {
        Self::Texts(texts.into())
    }

    pub(in crate::template) fn len(&self) -> usize {
        match self {
            Self::Json(array) => array.len(),
            Self::Strings(strings) => strings.len(),
            Self::Texts(texts) => texts.len(),
            Self::Made(values, _) => values.len(),
        }
    }

    pub(in crate::template) fn get(&self, index: usize) -> Option<Value<'v>> {
        match self {
            Self::Json(array) => array.get(index).map(Value::from_json),
            Self::Strings(strings) => strings
                .get(index)
                .map(|text| Value::Text(Text::Borrowed(text))),
            Self::Texts(texts) => texts.get(index).cloned().map(Value::Text),
            Self::Made(values, _) => values.get(index).cloned(),
        }
    }

    pub(in crate::template) fn iter(&self) -> impl DoubleEndedIterator<Item = Value<'v>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Made(..) => "[]interface {}",
            Self::Strings(_) | Self::Texts(_) => "[]string",
        }
    }

    pub(super) const fn depth(&self) -> u8 {
        match self {
            Self::Made(_, depth) => *depth,
            _ => 1,
        }
    }
}
