//! Strings as prose: words, cases, widths, lines.

use super::{Args, Function};
use crate::template::{error::Fault, value::Value};

pub(super) const TABLE: &[Function] = &[
    Function::new("nospace", 1, 1, |args| {
        let kept: String = args.text(0)?.split_whitespace().collect();
        args.made(kept)
    }),
    Function::new("initials", 1, 1, initials),
    Function::new("untitle", 1, 1, untitle),
    Function::new("swapcase", 1, 1, swapcase),
    Function::new("abbrev", 2, 2, |args| abbreviated(args, 0, args.int(0)?, 1)),
    Function::new("abbrevboth", 3, 3, |args| {
        let (offset, width) = (args.int(0)?, args.int(1)?);
        if offset > 0 && width < 7 {
            return Ok(args.value(2).clone());
        }
        abbreviated(args, offset, width, 2)
    }),
    Function::new("wrap", 2, 2, |args| wrapped(args, 1, "\n", false)),
    Function::new("wrapWith", 3, 3, |args| {
        let separator = args.text(1)?;
        wrapped(args, 2, &separator, true)
    }),
    Function::new("indent", 2, 2, |args| indented(args, "")),
    Function::new("nindent", 2, 2, |args| indented(args, "\n")),
    Function::new("plural", 3, 3, |args| {
        let many = usize::from(args.int(2)? != 1);
        args.text(many).map(Value::Text)
    }),
];

/// The first character of each word.
fn initials<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let text = args.text(0)?;
    let words = text.split_whitespace();
    let initials: String = words.filter_map(|word| word.chars().next()).collect();
    args.made(initials)
}

/// The first character of each word in lower case.
fn untitle<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let mut starts = true;
    let text = args.text(0)?.chars().fold(String::new(), |mut text, c| {
        text.push(if starts { super::text::lower(c) } else { c });
        starts = c.is_whitespace();
        text
    });
    args.made(text)
}

fn swapcase<'v>(args: &mut Args<'_, 'v>) -> Result<Value<'v>, Fault> {
    let swapped: String = args
        .text(0)?
        .chars()
        .map(|c| {
            if c.is_lowercase() {
                super::text::upper(c)
            } else {
                super::text::lower(c)
            }
        })
        .collect();
    args.made(swapped)
}

const ELLIPSIS: &str = "...";

/// Cut to `width` bytes with an ellipsis at the end, and at the start where what is left out before
/// `offset` is more than the ellipsis saves. Half a character becomes U+FFFD.
fn abbreviated<'v>(
    args: &mut Args<'_, 'v>,
    offset: i64,
    width: i64,
    index: usize,
) -> Result<Value<'v>, Fault> {
    let text = args.text(index)?;
    let width = usize::try_from(width).unwrap_or(0);
    if width < 4 || text.len() <= width {
        return Ok(Value::Text(text));
    }
    let room = width.saturating_sub(ELLIPSIS.len());
    let last_start = text.len().saturating_sub(room);
    let offset = usize::try_from(offset).unwrap_or(0).min(last_start);
    let bytes = |range: std::ops::Range<usize>| {
        String::from_utf8_lossy(text.as_bytes().get(range).unwrap_or_default())
    };
    if offset <= 4 {
        return args.made(format!("{}{ELLIPSIS}", bytes(0..room)));
    }
    if width < 7 {
        return args.made("");
    }
    if offset.saturating_add(room) >= text.len() {
        return args.made(format!("{ELLIPSIS}{}", bytes(last_start..text.len())));
    }
    let inner = room.saturating_sub(ELLIPSIS.len());
    let end = offset.saturating_add(inner);
    // Sprig abbreviates the rest once more, which needs room for one character.
    if room < 4 {
        return args.made(ELLIPSIS);
    }
    args.made(format!("{ELLIPSIS}{}{ELLIPSIS}", bytes(offset..end)))
}

/// Lines of at most `width` bytes, broken at spaces; a longer word is broken only where `cuts`.
fn wrapped<'v>(
    args: &mut Args<'_, 'v>,
    index: usize,
    separator: &str,
    cuts: bool,
) -> Result<Value<'v>, Fault> {
    let width = usize::try_from(args.int(0)?).unwrap_or(0).max(1);
    let separator = if separator.is_empty() {
        "\n"
    } else {
        separator
    };
    let text = args.text(index)?;
    args.budget.steps(text.len())?;
    let mut draft = args.draft();
    let mut rest = text.as_bytes();
    while rest.len() > width {
        if let Some(shorter) = rest.strip_prefix(b" ") {
            rest = shorter;
            continue;
        }
        let (head, _) = rest
            .split_at_checked(width.saturating_add(1))
            .unwrap_or((rest, b""));
        let space = head.iter().rposition(|byte| *byte == b' ');
        let (line, skip) = match space {
            Some(at) => (at, 1),
            None if cuts => (width, 0),
            None => {
                let tail = rest.get(width..).unwrap_or_default();
                match tail.iter().position(|byte| *byte == b' ') {
                    Some(at) => (width.saturating_add(at), 1),
                    None => break,
                }
            }
        };
        draft.push(&String::from_utf8_lossy(
            rest.get(..line).unwrap_or_default(),
        ))?;
        draft.push(separator)?;
        rest = rest.get(line.saturating_add(skip)..).unwrap_or_default();
    }
    draft.push(&String::from_utf8_lossy(rest))?;
    Ok(Value::text(draft.finish()))
}

/// Every line behind so many spaces.
fn indented<'v>(args: &mut Args<'_, 'v>, before: &str) -> Result<Value<'v>, Fault> {
    let text = args.text(1)?;
    let spaces = usize::try_from(args.int(0)?).map_err(|_| args.fault("the count is negative"))?;
    let mut draft = args.draft();
    draft.push(before)?;
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            draft.push("\n")?;
        }
        draft.repeat(' ', spaces)?;
        draft.push(line)?;
    }
    Ok(Value::text(draft.finish()))
}
