//! Go's `fmt`: how a value looks as text.

mod float;
mod printf;
mod quote;

pub(super) use float::json_float;
pub(super) use printf::printf;
pub(super) use quote::{printable, quoted};

use super::{
    budget::{Budget, Draft},
    error::Fault,
    object::{Object, written_url},
    value::Value,
};

/// Deeper than any JSON document that was parsed (128), with what a template may put around it.
const MAX_NESTING: u8 = 180;

/// One verb of a format string with its flags: `%+6.2f`.
#[derive(Clone, Copy, Debug)]
struct Verb {
    name: char,
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

impl Verb {
    const PLAIN: Self = Self {
        name: 'v',
        plus: false,
        minus: false,
        sharp: false,
        space: false,
        zero: false,
        width: 0,
        precision: None,
    };
}

/// `%v` of a value; no value is `<nil>`.
pub(super) fn display(budget: &mut Budget, value: &Value<'_>) -> Result<String, Fault> {
    if let Value::Text(text) = value {
        budget.text(text.len())?;
        return Ok(text.to_string());
    }
    let mut draft = Draft::new(budget);
    write(&mut draft, value, Verb::PLAIN)?;
    Ok(draft.finish())
}

/// `fmt.Sprintln` without its line feed, and `fmt.Sprint` for the functions that escape: no value
/// is `<no value>` there, and there is no space beside a string.
pub(super) fn sprint(
    budget: &mut Budget,
    values: &[Value<'_>],
    always_space: bool,
) -> Result<String, Fault> {
    let mut draft = Draft::new(budget);
    let mut previous_is_text = true;
    for (at, value) in values.iter().enumerate() {
        let is_text = matches!(value, Value::Text(_)) || (value.is_nil() && !always_space);
        if at > 0 && (always_space || !(is_text || previous_is_text)) {
            draft.push(" ")?;
        }
        previous_is_text = is_text;
        match value {
            Value::Nil | Value::Null if !always_space => draft.push("<no value>")?,
            value => write(&mut draft, value, Verb::PLAIN)?,
        }
    }
    Ok(draft.finish())
}

fn write(draft: &mut Draft<'_>, value: &Value<'_>, verb: Verb) -> Result<(), Fault> {
    nested(draft, value, verb, 0)
}

fn nested(draft: &mut Draft<'_>, value: &Value<'_>, verb: Verb, depth: u8) -> Result<(), Fault> {
    if depth > MAX_NESTING {
        return Err(Fault::new(
            "limit reached: the value nests too deep to be printed",
        ));
    }
    draft.step()?;
    let deeper = depth.saturating_add(1);
    match value {
        Value::List(list) => {
            draft.push("[")?;
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    draft.push(" ")?;
                }
                nested(draft, &element, verb, deeper)?;
            }
            draft.push("]")
        }
        Value::Map(map) => {
            draft.push("map[")?;
            for (at, (key, element)) in map.entries().into_iter().enumerate() {
                if at > 0 {
                    draft.push(" ")?;
                }
                nested(draft, &Value::Text(key), verb, deeper)?;
                draft.push(":")?;
                nested(draft, &element, verb, deeper)?;
            }
            draft.push("]")
        }
        Value::Object(Object::Url(url)) => printf::text(draft, &written_url(url), verb),
        Value::Object(object) => Err(Fault::new(format!(
            "a whole {} cannot be printed; print a field of it, or use `toJson`",
            object.type_name()
        ))),
        // A nil inside a list or map prints whatever the verb; alone it fits `%v` only.
        Value::Nil | Value::Null if depth > 0 => draft.push("<nil>"),
        scalar => printf::scalar(draft, scalar, verb),
    }
}
