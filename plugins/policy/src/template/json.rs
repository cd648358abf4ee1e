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
    let style = Style {
        html,
        indented: false,
    };
    nested(draft, value, style, 0)
}

/// Writes `value` with each element on a line of its own, two spaces deeper than what holds it.
pub(super) fn write_indented(draft: &mut Draft<'_>, value: &Value<'_>) -> Result<(), Fault> {
    let style = Style {
        html: true,
        indented: true,
    };
    nested(draft, value, style, 0)
}

#[derive(Clone, Copy)]
struct Style {
    html: bool,
    indented: bool,
}

impl Style {
    /// What stands before an element, or before the bracket that closes.
    fn line(self, draft: &mut Draft<'_>, depth: u8) -> Result<(), Fault> {
        if self.indented {
            draft.push("\n")?;
            draft.repeat(' ', usize::from(depth).saturating_mul(2))?;
        }
        Ok(())
    }

    const fn colon(self) -> &'static str {
        if self.indented { ": " } else { ":" }
    }
}

fn nested(draft: &mut Draft<'_>, value: &Value<'_>, style: Style, depth: u8) -> Result<(), Fault> {
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
        Value::Text(text) => string(draft, text, style.html),
        Value::List(list) => {
            draft.push("[")?;
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    draft.push(",")?;
                }
                style.line(draft, deeper)?;
                nested(draft, &element, style, deeper)?;
            }
            if list.len() > 0 {
                style.line(draft, depth)?;
            }
            draft.push("]")
        }
        Value::Map(map) => object(draft, map.entries().into_iter(), style, depth),
        Value::Object(Object::Session(data)) if data.session.headers.is_empty() => {
            let fields = Object::Session(data).json_fields().into_iter();
            let fields = fields
                .map(|(name, value)| (name, if name == "header" { Value::Nil } else { value }));
            object(draft, fields, style, depth)
        }
        Value::Object(fields) => object(draft, fields.json_fields().into_iter(), style, depth),
    }
}

fn object<'v, K: std::ops::Deref<Target = str>>(
    draft: &mut Draft<'_>,
    entries: impl Iterator<Item = (K, Value<'v>)>,
    style: Style,
    depth: u8,
) -> Result<(), Fault> {
    let deeper = depth.saturating_add(1);
    let mut is_empty = true;
    draft.push("{")?;
    for (key, value) in entries {
        if !is_empty {
            draft.push(",")?;
        }
        is_empty = false;
        style.line(draft, deeper)?;
        string(draft, &key, style.html)?;
        draft.push(style.colon())?;
        nested(draft, &value, style, deeper)?;
    }
    if !is_empty {
        style.line(draft, depth)?;
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
