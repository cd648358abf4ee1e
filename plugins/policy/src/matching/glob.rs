//! Reads the body of a `<…>` as a glob (gobwas/glob with the separators `.` and `/`) and writes it
//! as a regular expression for the linear engine.

use std::{iter::Peekable, str::Chars};

use super::regexp::push_literal;

/// How deep `{…}` may nest.
const MAX_DEPTH: usize = 32;

/// Translates one body; `last` says that nothing follows it in the pattern. The error says what is
/// wrong with it.
///
/// | Glob | Matches |
/// | --- | --- |
/// | `*` | any run without separators, also an empty one |
/// | `**` | any run |
/// | `?` | one character that is no separator |
/// | `[abc]`, `[!abc]` | one of these characters, or one that is none of them |
/// | `[a-z]`, `[!a-z]` | one character in this range, or outside it |
/// | `{a,b}` | one of the alternatives, which may be empty and may nest |
/// | `\x` | `x` itself |
///
/// As in gobwas, a class is either one range or a list (`[a-z_]` is refused, `[ab-z]` lists four
/// characters), and a class may match a separator. A `{` that is not closed counts as closed where
/// the pattern ends; elsewhere, where gobwas would draw the text that follows into the last
/// alternative, it is refused. One thing is not copied: to gobwas `h/<**>/x` matches `h/x`, its
/// two ends overlapping in the one `/`. Here each `/` of a pattern needs one in the URL.
pub(super) fn translate(body: &str, last: bool) -> Result<String, String> {
    let mut rest = body.chars().peekable();
    let mut text = String::with_capacity(body.len());
    let mut depth = 0_usize;
    while let Some(next) = rest.next() {
        match next {
            '*' if rest.next_if_eq(&'*').is_some() => text.push_str("(?s:.*)"),
            '*' => text.push_str("[^./]*"),
            '?' => text.push_str("[^./]"),
            '[' => class(&mut rest, &mut text)?,
            '{' => {
                depth = depth.saturating_add(1);
                if depth > MAX_DEPTH {
                    return Err(format!("alternatives nest more than {MAX_DEPTH} deep"));
                }
                text.push_str("(?:");
            }
            ',' if depth > 0 => text.push('|'),
            '}' if depth > 0 => {
                depth = depth.saturating_sub(1);
                text.push(')');
            }
            '\\' => {
                let escaped = rest.next().ok_or("`\\` with nothing after it")?;
                push_literal(&mut text, escaped);
            }
            literal => push_literal(&mut text, literal),
        }
    }
    if depth > 0 && !last {
        return Err("`{` without its `}`".to_owned());
    }
    text.extend(std::iter::repeat_n(')', depth));
    Ok(text)
}

type Rest<'b> = Peekable<Chars<'b>>;

/// A class whose `[` has been read.
fn class(rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    text.push('[');
    if rest.next_if_eq(&'!').is_some() {
        text.push('^');
    }
    let first = *rest.peek().ok_or(UNCLOSED)?;
    let mut ahead = rest.clone();
    ahead.next();
    if ahead.next_if_eq(&'-').is_some() {
        *rest = ahead;
        range(first, rest, text)?;
    } else {
        list(rest, text)?;
    }
    match rest.next() {
        Some(']') => text.push(']'),
        Some(_) => return Err("a class is either one range or a list of characters".to_owned()),
        None => return Err(UNCLOSED.to_owned()),
    }
    Ok(())
}

const UNCLOSED: &str = "`[` without its `]`";

/// The end of a range whose beginning and `-` have been read.
fn range(low: char, rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    let high = rest.next().ok_or(UNCLOSED)?;
    if high < low {
        return Err(format!("the range `{low}-{high}` is empty"));
    }
    push_literal(text, low);
    text.push('-');
    push_literal(text, high);
    Ok(())
}

fn list(rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    let before = text.len();
    while let Some(next) = rest.next_if(|next| *next != ']') {
        let listed = match next {
            '\\' => rest.next().ok_or("`\\` with nothing after it")?,
            listed => listed,
        };
        push_literal(text, listed);
    }
    if text.len() == before {
        return Err("`[]` lists no characters".to_owned());
    }
    Ok(())
}
