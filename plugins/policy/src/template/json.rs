//! Values as Go's JSON encoder writes them.

use super::{
    budget::Draft,
    error::Fault,
    format::json_float,
    object::Object,
    value::{Map, Value},
};

/// Deeper than any JSON document that was parsed (128), with what a template may put around it.
const MAX_NESTING: u8 = 180;

/// Writes `value`; `html` escapes what could end a script element, as Go does by default.
pub(super) fn write(draft: &mut Draft<'_>, value: &Value<'_>, html: bool) -> Result<(), Fault> {
    nested(draft, value, html, 0)
}

fn nested(draft: &mut Draft<'_>, value: &Value<'_>, html: bool, depth: u8) -> Result<(), Fault> {
    if depth > MAX_NESTING {
        return Err(Fault::new(
            "limit reached: the value nests too deep to be written as JSON",
        ));
    }
    draft.step()?;
    let deeper = depth.saturating_add(1);
    match value {
        Value::Nil | Value::Null | Value::Map(Map::Nil) => draft.push("null"),
        Value::Bool(bool) => draft.push(if *bool { "true" } else { "false" }),
        Value::Int(int) => draft.push(&int.to_string()),
        Value::Float(float) if float.is_finite() => draft.push(&json_float(*float)),
        Value::Float(_) => Err(Fault::new("JSON has no infinite numbers")),
        Value::Text(text) => string(draft, text, html),
        Value::List(list) => {
            draft.push("[")?;
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    draft.push(",")?;
                }
                nested(draft, &element, html, deeper)?;
            }
            draft.push("]")
        }
        Value::Map(map) => object(draft, map.entries().into_iter(), html, deeper),
        Value::Object(Object::Session(data)) if data.session.headers.is_empty() => {
            let fields = Object::Session(data).json_fields().into_iter();
            let fields = fields
                .map(|(name, value)| (name, if name == "header" { Value::Nil } else { value }));
            object(draft, fields, html, deeper)
        }
        Value::Object(fields) => object(draft, fields.json_fields().into_iter(), html, deeper),
    }
}

fn object<'v, K: std::ops::Deref<Target = str>>(
    draft: &mut Draft<'_>,
    entries: impl Iterator<Item = (K, Value<'v>)>,
    html: bool,
    depth: u8,
) -> Result<(), Fault> {
    draft.push("{")?;
    for (at, (key, value)) in entries.enumerate() {
        if at > 0 {
            draft.push(",")?;
        }
        string(draft, &key, html)?;
        draft.push(":")?;
        nested(draft, &value, html, depth)?;
    }
    draft.push("}")
}

fn string(draft: &mut Draft<'_>, text: &str, html: bool) -> Result<(), Fault> {
    draft.push("\"")?;
    for c in text.chars() {
        match c {
            '"' => draft.push("\\\"")?,
            '\\' => draft.push("\\\\")?,
            '\n' => draft.push("\\n")?,
            '\r' => draft.push("\\r")?,
            '\t' => draft.push("\\t")?,
            '\x08' => draft.push("\\b")?,
            '\x0c' => draft.push("\\f")?,
            '<' | '>' | '&' if !html => draft.push_char(c)?,
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                draft.push(&format!("\\u{:04x}", u32::from(c)))?;
            }
            c => draft.push_char(c)?,
        }
    }
    draft.push("\"")
}
