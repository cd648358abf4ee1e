//! Numbers in a row, and lists cut into pieces.

use super::{ANY, Args, Function};
use crate::template::{
    error::Fault,
    value::{Map, Text, Value},
};

pub(super) const TABLE: &[Function] = &[
    Function::new("until", 1, 1, |args| {
        let stop = args.int(0)?;
        steps(args, 0, stop, stop.signum()).and_then(listed)
    }),
    Function::new("untilStep", 3, 3, |args| {
        let (start, stop, step) = (args.int(0)?, args.int(1)?, args.int(2)?);
        steps(args, start, stop, step).and_then(listed)
    }),
    Function::new("seq", 0, ANY, seq),
    Function::new("chunk", 2, 2, chunk),
    Function::new("split", 2, 2, |args| split(args, 1, -1)),
    Function::new("splitn", 3, 3, |args| split(args, 2, args.int(1)?)),
];

/// From `start` on, up to but without `stop`; none where `step` leads away from it.
fn steps(args: &mut Args<'_, '_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Fault> {
    let mut row = Vec::new();
    let mut next = Some(start);
    while let Some(int) = next {
        let inside = if step > 0 {
            int < stop
        } else {
            step < 0 && int > stop
        };
        if !inside {
            break;
        }
        args.budget.steps(1)?;
        row.push(int);
        next = int.checked_add(step);
    }
    Ok(row)
}

fn listed<'v>(row: Vec<i64>) -> Result<Value<'v>, Fault> {
    Value::list(row.into_iter().map(Value::Int).collect())
}

/// Like the shell's: the end, or start and end, or start, step and end; the end is in it.
fn seq<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let numbers: Vec<i64> = (0..args.all().len())
        .map(|index| args.int(index))
        .collect::<Result<_, _>>()?;
    let towards = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let (start, step, end) = match *numbers.as_slice() {
        [end] => (1, towards(1, end), end),
        [start, end] => (start, towards(start, end), end),
        [start, step, end] => (start, step, end),
        _ => return args.made(""),
    };
    let stop = end.saturating_add(towards(start, end));
    let row = steps(args, start, stop, step)?;
    let words: Vec<String> = row.iter().map(i64::to_string).collect();
    args.made(words.join(" "))
}

/// Lists of so many elements; the last may be shorter.
fn chunk<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let size = usize::try_from(args.int(0)?)
        .ok()
        .filter(|size| *size > 0)
        .ok_or_else(|| args.fault("the size must be 1 or more"))?;
    let elements: Vec<Value<'v>> = args.list(1)?.iter().collect();
    let chunks = elements
        .chunks(size)
        .map(|chunk| Value::list(chunk.to_vec()));
    Value::list(chunks.collect::<Result<_, _>>()?)
}

/// The parts between separators under the keys `_0`, `_1` and so on: at most `count`, all where
/// that is negative.
fn split<'v>(args: &mut Args<'_, 'v>, index: usize, count: i64) -> Result<Value<'v>, Fault> {
    let (separator, text) = (args.text(0)?, args.text(index)?);
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    args.budget.text(text.len())?;
    let mut parts = Vec::new();
    let mut rest = Some(&*text);
    while let Some(text) = rest.filter(|_| parts.len() < most) {
        let cut = if parts.len().saturating_add(1) < most {
            cut(text, &separator)
        } else {
            None
        };
        args.budget.steps(1)?;
        let (part, after) = cut.map_or((text, None), |(part, after)| (part, Some(after)));
        parts.push(Text::from(part.to_owned()));
        rest = after;
    }
    // Nothing between every two characters: no text has no parts.
    if separator.is_empty() && text.is_empty() {
        parts.clear();
    }
    let keyed = parts.into_iter().enumerate();
    let keyed = keyed.map(|(at, part)| (format!("_{at}"), part)).collect();
    Ok(Value::Map(Map::Texts(std::rc::Rc::new(keyed))))
}

/// What stands before and after the next separator; an empty one is behind every character.
fn cut<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    if separator.is_empty() {
        let (end, _) = text.char_indices().nth(1)?;
        return text.split_at_checked(end);
    }
    text.split_once(separator)
}
