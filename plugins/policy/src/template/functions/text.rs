//! Strings.

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    format,
    value::{List, Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("trim", 1, 1, |args| args.part(args.text(0)?, str::trim)),
    Function::new("trimAll", 2, 2, trim_all),
    Function::new("trimPrefix", 2, 2, trim_prefix),
    Function::new("trimSuffix", 2, 2, trim_suffix),
    Function::new("lower", 1, 1, |args| mapped(args, lower)),
    Function::new("upper", 1, 1, |args| mapped(args, upper)),
    Function::new("title", 1, 1, title),
    Function::new("substr", 3, 3, substr),
    Function::new("trunc", 2, 2, trunc),
    Function::new("repeat", 2, 2, repeat),
    Function::new("contains", 2, 2, |args| {
        Ok(Value::Bool(args.text(1)?.contains(&*args.text(0)?)))
    }),
    Function::new("hasPrefix", 2, 2, |args| {
        Ok(Value::Bool(args.text(1)?.starts_with(&*args.text(0)?)))
    }),
    Function::new("hasSuffix", 2, 2, |args| {
        Ok(Value::Bool(args.text(1)?.ends_with(&*args.text(0)?)))
    }),
    Function::new("replace", 3, 3, replace),
    Function::new("quote", 0, ANY, quote),
    Function::new("squote", 0, ANY, squote),
    Function::new("cat", 0, ANY, cat),
    Function::new("toString", 1, 1, to_string),
    Function::new("splitList", 2, 2, split_list),
    Function::new("join", 2, 2, join),
    Function::new("toStrings", 1, 1, |args| {
        let texts = strings(args, 0)?.into_iter().map(Text::from).collect();
        Ok(Value::List(List::from_texts(texts)))
    }),
];

fn trim_all<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let set = args.text(0)?;
    args.part(args.text(1)?, |text| text.trim_matches(|c| set.contains(c)))
}

fn trim_prefix<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let prefix = args.text(0)?;
    args.part(args.text(1)?, |text| {
        text.strip_prefix(&*prefix).unwrap_or(text)
    })
}

fn trim_suffix<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let suffix = args.text(0)?;
    args.part(args.text(1)?, |text| {
        text.strip_suffix(&*suffix).unwrap_or(text)
    })
}

fn mapped<'v>(args: &mut Args<'_, 'v>, map: fn(char) -> char) -> Result<Value<'v>, Fault> {
    let mapped: String = args.text(0)?.chars().map(map).collect();
    args.made(mapped)
}

/// One character for one, as in Go: `ß` has no upper case.
pub(super) fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    if upper.len() == 1 {
        upper.next().unwrap_or(c)
    } else {
        c
    }
}

pub(super) fn lower(c: char) -> char {
    let mut lower = c.to_lowercase();
    if lower.len() == 1 {
        lower.next().unwrap_or(c)
    } else {
        c
    }
}

/// The first letter of each word in upper case, as Go's `strings.Title` knows words.
fn title<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut starts = true;
    let titled: String = args
        .text(0)?
        .chars()
        .map(|c| {
            let titled = if starts { upper(c) } else { c };
            starts = if c.is_ascii() {
                !c.is_ascii_alphanumeric() && c != '_'
            } else {
                c.is_whitespace()
            };
            titled
        })
        .collect();
    args.made(titled)
}

/// Counts bytes, as sprig does; half a character becomes U+FFFD.
fn substr<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(2)?;
    let end = match usize::try_from(args.int(1)?) {
        Ok(end) => Some(end),
        Err(_) if args.int(0)? < 0 => return Err(args.fault("start and end are negative")),
        Err(_) => None,
    };
    let (start, end) = match usize::try_from(args.int(0)?) {
        Ok(start) => (start, end.unwrap_or(text.len()).min(text.len())),
        Err(_) => (0, end.unwrap_or(text.len())),
    };
    cut(args, &text, start..end)
}

/// The first bytes, or with a negative count the last.
fn trunc<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(1)?;
    let count = args.int(0)?;
    let bytes = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let range = if bytes >= text.len() {
        0..text.len()
    } else if count < 0 {
        text.len().saturating_sub(bytes)..text.len()
    } else {
        0..bytes
    };
    cut(args, &text, range)
}

fn cut<'v>(
    args: &mut Args<'_, 'v>,
    text: &str,
    range: std::ops::Range<usize>,
) -> Result<Value<'v>, Fault> {
    match text.as_bytes().get(range) {
        Some(part) => args.made(String::from_utf8_lossy(part)),
        None => Err(args.fault("start and end lie outside of the string")),
    }
}

fn repeat<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(1)?;
    let count = usize::try_from(args.int(0)?).map_err(|_| args.fault("the count is negative"))?;
    args.budget.text(text.len().saturating_mul(count))?;
    Ok(Value::text(if text.is_empty() {
        String::new()
    } else {
        text.repeat(count)
    }))
}

fn replace<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let (old, new, text) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let count = text.matches(&*old).count();
    args.budget
        .text(text.len().saturating_add(new.len().saturating_mul(count)))?;
    Ok(Value::text(text.replace(&*old, &new)))
}

/// Each value in double quotes, with Go's escapes; no value is left out.
fn quote<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    words(args, |args, value| {
        let text = args.display(value)?;
        let mut draft = args.draft();
        format::quoted(&mut draft, &text, '"', false)?;
        Ok(draft.finish())
    })
}

/// Each value in single quotes, without escapes.
fn squote<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    words(args, |args, value| {
        Ok(format!("'{}'", args.display(value)?))
    })
}

fn cat<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    words(args, |args, value| args.display(value))
}

/// What `write` makes of every value that there is, with spaces between.
fn words<'v>(
    args: &mut Args<'_, 'v>,
    write: impl Fn(&mut Args<'_, 'v>, &Value<'v>) -> Result<String, Fault>,
) -> Result<Value<'v>, Fault> {
    let mut words = Vec::new();
    for value in args.all() {
        if !value.is_nil() {
            words.push(write(args, value)?);
        }
    }
    args.made(words.join(" "))
}

fn to_string<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    match args.value(0) {
        Value::Text(text) => Ok(Value::Text(text.clone())),
        other => args.display(other).map(Value::text),
    }
}

fn split_list<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let (separator, text) = (args.text(0)?, args.text(1)?);
    args.budget.text(text.len())?;
    args.budget.steps(text.matches(&*separator).count())?;
    let parts: Vec<Text<'v>> = if separator.is_empty() {
        text.chars().map(|c| Text::from(c.to_string())).collect()
    } else {
        text.split(&*separator)
            .map(|part| Text::from(part.to_owned()))
            .collect()
    };
    Ok(Value::List(List::from_texts(parts)))
}

fn join<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let separator = args.text(0)?;
    let parts = strings(args, 1)?;
    args.budget
        .text(separator.len().saturating_mul(parts.len()))?;
    args.made(parts.join(&separator))
}

/// The elements of a list as text; any other value stands for itself, no value for nothing.
fn strings(args: &mut Args<'_, '_>, index: usize) -> Result<Vec<String>, Fault> {
    let mut parts = Vec::new();
    match args.value(index) {
        Value::Nil | Value::Null => {}
        Value::List(list) => {
            for element in list.iter().filter(|element| !element.is_nil()) {
                parts.push(args.display(&element)?);
            }
        }
        other => parts.push(args.display(other)?),
    }
    Ok(parts)
}
