//! Regular expressions. A pattern must be a literal: it is compiled when the template is loaded,
//! by an engine that does not backtrack, as Go's does not.

mod dialect;

use super::{Args, Function, Kind};
use crate::{
    expression::{Match, Regex, TooManySteps},
    template::{
        budget::Draft,
        error::Fault,
        value::{List, Text, Value},
    },
};

pub(super) const TABLE: &[Function] = &[
    with_pattern("regexMatch", 2, |args, pattern| {
        Ok(Value::Bool(
            pattern.is_match(&args.text(0)?).map_err(too_long)?,
        ))
    }),
    with_pattern("regexFind", 2, |args, pattern| {
        let text = args.text(0)?;
        let found = pattern
            .find_iter(&text)
            .next()
            .transpose()
            .map_err(too_long)?;
        let range = found.map(|found| found.range()).unwrap_or_default();
        args.part(text, |text| text.get(range).unwrap_or_default())
    }),
    with_pattern("regexFindAll", 3, find_all),
    with_pattern("regexReplaceAll", 3, |args, pattern| {
        let replacement = args.text(1)?;
        replaced(args, pattern, |draft, found| {
            draft.push(&found.expanded(&replacement))
        })
    }),
    with_pattern("regexReplaceAllLiteral", 3, |args, pattern| {
        let replacement = args.text(1)?;
        replaced(args, pattern, |draft, _| draft.push(&replacement))
    }),
    with_pattern("regexSplit", 3, split),
    Function::new("regexQuoteMeta", 1, 1, |args| {
        let text = args.text(0)?;
        let mut draft = args.draft();
        for c in text.chars() {
            if r"\.+*?()|[]{}^$".contains(c) {
                draft.push("\\")?;
            }
            draft.push_char(c)?;
        }
        Ok(Value::text(draft.finish()))
    }),
];

/// A function with its pattern before its other arguments; `count` is of them all.
const fn with_pattern(name: &'static str, count: usize, run: super::Matcher) -> Function {
    Function {
        name,
        least: count,
        most: count,
        kind: Kind::Pattern(run),
    }
}

/// Compiles a pattern that is written in Go's dialect.
pub(super) fn compile(name: &str, pattern: &str) -> Result<Regex, String> {
    dialect::translated(pattern)
        .and_then(|pattern| Regex::compile(&pattern))
        .map_err(|error| format!("the pattern of `{name}` does not compile: {error}"))
}

fn too_long(error: TooManySteps) -> Fault {
    Fault::new(error.to_string())
}

/// How many results the last argument allows; a negative number means all.
fn most(args: &Args<'_, '_>) -> Result<usize, Fault> {
    Ok(usize::try_from(args.int(1)?).unwrap_or(usize::MAX))
}

fn find_all<'v>(args: &mut Args<'_, 'v>, pattern: &Regex) -> Result<Value<'v>, Fault> {
    let (text, most) = (args.text(0)?, most(args)?);
    let mut all = Vec::new();
    for found in pattern.find_iter(&text).take(most) {
        let found = found.map_err(too_long)?;
        args.budget.steps(1)?;
        args.budget.text(found.as_str().len())?;
        all.push(Text::from(found.as_str().to_owned()));
    }
    Ok(Value::List(List::from_texts(all)))
}

fn replaced<'v>(
    args: &mut Args<'_, 'v>,
    pattern: &Regex,
    replace: impl Fn(&mut Draft<'_>, &Match<'_, '_>) -> Result<(), Fault>,
) -> Result<Value<'v>, Fault> {
    let text = args.text(0)?;
    let mut draft = args.draft();
    let mut copied = 0;
    for found in pattern.find_iter(&text) {
        let found = found.map_err(too_long)?;
        draft.step()?;
        draft.push(text.get(copied..found.range().start).unwrap_or_default())?;
        replace(&mut draft, &found)?;
        copied = found.range().end;
    }
    draft.push(text.get(copied..).unwrap_or_default())?;
    Ok(Value::text(draft.finish()))
}

/// The parts between matches: at most so many. As in Go, a match of nothing at either end of the
/// text does not split it.
fn split<'v>(args: &mut Args<'_, 'v>, pattern: &Regex) -> Result<Value<'v>, Fault> {
    let (text, most) = (args.text(0)?, most(args)?);
    let mut parts: Vec<Text<'v>> = Vec::new();
    let mut start = 0;
    args.budget.text(text.len())?;
    if most == 0 {
        return Ok(Value::List(List::from_texts(parts)));
    }
    if text.is_empty() {
        return Ok(Value::List(List::from_texts(vec![Text::Borrowed("")])));
    }
    for found in pattern.find_iter(&text) {
        let found = found.map_err(too_long)?.range();
        args.budget.steps(1)?;
        if parts.len().saturating_add(1) == most {
            break;
        }
        if found.end == 0 || (found.is_empty() && found.start == text.len()) {
            continue;
        }
        let part = text.get(start..found.start).unwrap_or_default();
        parts.push(Text::from(part.to_owned()));
        start = found.end;
    }
    let rest = text.get(start..).unwrap_or_default();
    parts.push(Text::from(rest.to_owned()));
    Ok(Value::List(List::from_texts(parts)))
}
