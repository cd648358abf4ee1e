//! Where in a JSON document a value is taken from: the part of gjson's path language that
//! `subject_from` and `extra_from` need.
//!
//! A path is a row of components between dots. A component is an object's key, an array's index,
//! `#` (an array's length where it ends the path, otherwise "from each element") or `@this` (the
//! value as it stands). A backslash takes the next character as it is: `https://a\.test/role`.
//! Everything else that gjson knows (modifiers, queries, wildcards, pipes, multipaths) is refused
//! by [`JsonPath::parse`], so that a path never quietly means something other than in Oathkeeper.

mod parse;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A path, checked when the configuration is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPath {
    components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Component {
    /// A key of an object; where it is written in digits, also an index of an array.
    Key { name: String, index: Option<usize> },
    /// `#`: the length of an array, or a projection over its elements. A key of an object.
    Each,
}

/// Why a path was refused; the position counts bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("path `{path}`, byte {offset}: {problem}")]
pub struct JsonPathError {
    /// The path as it was written.
    pub path: String,
    /// Where the trouble starts.
    pub offset: usize,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl JsonPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// An empty path or component, a path that is too deep, or a part of gjson's language that is
    /// not supported; the error names it.
    pub fn parse(path: &str) -> Result<Self, JsonPathError> {
        parse::components(path).map(|components| Self { components })
    }

    /// The value at this path; `None` where there is none. Only `#` makes a new value, everything
    /// else borrows from `document`.
    #[must_use]
    pub fn get<'v>(&self, document: &'v Value) -> Option<Cow<'v, Value>> {
        follow(&self.components, document)
    }
}

impl JsonPath {
    /// As [`JsonPath::get`] from an object that is no [`Value`] of its own.
    pub(crate) fn get_in<'v>(&self, object: &'v Map<String, Value>) -> Option<Cow<'v, Value>> {
        let Some((first, rest)) = self.components.split_first() else {
            return Some(Cow::Owned(Value::Object(object.clone())));
        };
        let name = match first {
            Component::Key { name, .. } => name.as_str(),
            Component::Each => "#",
        };
        follow(rest, object.get(name)?)
    }
}

/// Recurses once for each `#`; [`parse`] bounds how many components there are.
fn follow<'v>(components: &[Component], document: &'v Value) -> Option<Cow<'v, Value>> {
    let mut value = document;
    let mut rest = components.iter();
    while let Some(component) = rest.next() {
        value = match (component, value) {
            (Component::Key { name, .. }, Value::Object(object)) => object.get(name)?,
            (Component::Each, Value::Object(object)) => object.get("#")?,
            (Component::Key { index, .. }, Value::Array(array)) => array.get((*index)?)?,
            (Component::Each, Value::Array(array)) => {
                return Some(Cow::Owned(each(rest.as_slice(), array)));
            }
            _ => return None,
        };
    }
    Some(Cow::Borrowed(value))
}

fn each(rest: &[Component], array: &[Value]) -> Value {
    if rest.is_empty() {
        return Value::from(array.len());
    }
    array
        .iter()
        .filter_map(|element| follow(rest, element))
        .map(Cow::into_owned)
        .collect()
}
