//! Character classes, `[…]`.

use std::{iter::Peekable, str::Chars};

use super::{
    escape::{self, Escape},
    push_literal,
};

type Rest<'b> = Peekable<Chars<'b>>;

/// Reads a class whose `[` has been read and appends it to `text`.
///
/// `[`, `&`, `~` and `-` are plain characters in .NET's classes where our engines would read a
/// nested class or a set operation, so all literal characters are written escaped.
pub(super) fn translate(rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    text.push('[');
    if rest.next_if_eq(&'^').is_some() {
        text.push('^');
    }
    let mut first = true;
    loop {
        let next = rest.next().ok_or("`[` without its `]`")?;
        if next == ']' && !first {
            text.push(']');
            return Ok(());
        }
        first = false;
        if next == '[' && rest.peek() == Some(&':') {
            named_class(rest, text)?;
            continue;
        }
        match character(next, rest)? {
            Item::Class(class) => text.push_str(class),
            Item::Char(low) => range_or_char(low, rest, text)?,
        }
    }
}

enum Item {
    Char(char),
    Class(&'static str),
}

fn character(next: char, rest: &mut Rest<'_>) -> Result<Item, String> {
    if next == '-' && rest.peek() == Some(&'[') {
        return Err("class subtraction `-[` is not supported".to_owned());
    }
    if next != '\\' {
        return Ok(Item::Char(next));
    }
    match escape::read(rest)? {
        Escape::Char(literal) => Ok(Item::Char(literal)),
        Escape::Class(class) => Ok(Item::Class(class)),
        Escape::Assertion(_) => Err("`\\b` and its like mean nothing inside `[…]`".to_owned()),
    }
}

/// `low`, or `low-high` where a `-` follows that does not end the class.
fn range_or_char(low: char, rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    push_literal(text, low);
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') || matches!(ahead.peek(), None | Some(']')) {
        return Ok(());
    }
    let Some(next) = ahead.next() else {
        return Ok(());
    };
    if next == '[' {
        return Err("class subtraction `-[` is not supported".to_owned());
    }
    *rest = ahead;
    match character(next, rest)? {
        Item::Char(high) if low <= high => {
            text.push('-');
            push_literal(text, high);
            Ok(())
        }
        _ => Err(format!(
            "the range that begins with `{low}-` has no end above it"
        )),
    }
}

/// `[:digit:]` or `[:^digit:]`, ASCII as in RE2.
fn named_class(rest: &mut Rest<'_>, text: &mut String) -> Result<(), String> {
    let name: String = std::iter::from_fn(|| rest.next_if(|next| *next != ']')).collect();
    rest.next();
    let (negated, plain) = match name.strip_prefix(":^") {
        Some(plain) => (true, plain),
        None => (false, name.get(1..).unwrap_or_default()),
    };
    let members = match plain {
        "alnum:" => "0-9A-Za-z",
        "alpha:" => "A-Za-z",
        "ascii:" => r"\x00-\x7F",
        "blank:" => r"\t\x20",
        "cntrl:" => r"\x00-\x1F\x7F",
        "digit:" => "0-9",
        "graph:" => r"\x21-\x7E",
        "lower:" => "a-z",
        "print:" => r"\x20-\x7E",
        "punct:" => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
        "space:" => r"\t\n\x0B\x0C\r\x20",
        "upper:" => "A-Z",
        "word:" => "0-9A-Za-z_",
        "xdigit:" => "0-9A-Fa-f",
        _ => return Err(format!("unknown class `[{name}]`")),
    };
    let (open, close) = if negated { ("[^", "]") } else { ("", "") };
    text.extend([open, members, close]);
    Ok(())
}
