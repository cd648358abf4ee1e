//! Go's `html`, `js` and `urlquery`.

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    format::{printable, sprint},
    object::query_escaped,
    value::Value,
};

pub(super) const TABLE: &[Function] = &[
    Function::new("html", 0, ANY, |args| escaped(args, html)),
    Function::new("js", 0, ANY, |args| escaped(args, js)),
    Function::new("urlquery", 0, ANY, urlquery),
];

/// What `escape` has to say for a character, otherwise the character.
fn escaped<'v>(
    args: &mut Args<'_, 'v>,
    escape: fn(char) -> Option<String>,
) -> Result<Value<'v>, Fault> {
    let text = sprint(args.budget, args.all(), false)?;
    let mut draft = args.draft();
    for c in text.chars() {
        match escape(c) {
            Some(escape) => draft.push(&escape)?,
            None => draft.push_char(c)?,
        }
    }
    Ok(Value::text(draft.finish()))
}

fn html(c: char) -> Option<String> {
    let escape = match c {
        '\0' => "\u{fffd}",
        '"' => "&#34;",
        '\'' => "&#39;",
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        _ => return None,
    };
    Some(escape.to_owned())
}

fn js(c: char) -> Option<String> {
    match c {
        '\\' | '\'' | '"' => Some(format!("\\{c}")),
        '<' | '>' | '&' | '=' | '\0'..='\x1f' => Some(format!("\\u{:04X}", u32::from(c))),
        c if c.is_ascii() || printable(c) => None,
        c => Some(format!("\\u{:04X}", u32::from(c))),
    }
}

fn urlquery<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = sprint(args.budget, args.all(), false)?;
    args.budget.text(text.len().saturating_mul(2))?;
    args.made(query_escaped(&text))
}
