//! What may follow a backslash.

use std::{iter::Peekable, str::Chars};

/// Group numbers clash with those of the groups around the bodies, in Oathkeeper too.
pub(super) const NO_BACKREFERENCES: &str = "backreferences are not supported";

/// What an escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// One character.
    Char(char),
    /// A set of characters, as our engines write it.
    Class(&'static str),
    /// A place between characters, as our engines write it.
    Assertion(&'static str),
}

/// Reads an escape whose backslash has been read.
pub(super) fn read(rest: &mut Peekable<Chars<'_>>) -> Result<Escape, String> {
    let escaped = rest.next().ok_or("`\\` with nothing after it")?;
    Ok(match escaped {
        'd' => Escape::Class(r"\d"),
        'D' => Escape::Class(r"\D"),
        's' => Escape::Class(r"\s"),
        'S' => Escape::Class(r"\S"),
        'w' => Escape::Class(r"\w"),
        'W' => Escape::Class(r"\W"),
        'b' => Escape::Assertion(r"\b"),
        'B' => Escape::Assertion(r"\B"),
        'A' => Escape::Assertion(r"\A"),
        'z' => Escape::Assertion(r"\z"),
        't' => Escape::Char('\t'),
        'n' => Escape::Char('\n'),
        'r' => Escape::Char('\r'),
        'f' => Escape::Char('\x0c'),
        'v' => Escape::Char('\x0b'),
        'a' => Escape::Char('\x07'),
        'e' => Escape::Char('\x1b'),
        'x' => Escape::Char(code_point(rest, 2)?),
        'u' => Escape::Char(code_point(rest, 4)?),
        '1'..='9' | 'k' => return Err(NO_BACKREFERENCES.to_owned()),
        'p' | 'P' => {
            return Err(format!(
                "Unicode properties `\\{escaped}` are not supported; list the characters"
            ));
        }
        letter if letter.is_alphanumeric() => return Err(format!("unknown escape `\\{letter}`")),
        literal => Escape::Char(literal),
    })
}

/// `HH`, `HHHH` or, for either, `{H…}`.
fn code_point(rest: &mut Peekable<Chars<'_>>, digits: usize) -> Result<char, String> {
    let text: String = if rest.next_if_eq(&'{').is_some() {
        let text = std::iter::from_fn(|| rest.next_if(char::is_ascii_hexdigit)).collect();
        rest.next_if_eq(&'}').ok_or("`{` without its `}`")?;
        text
    } else {
        let digit = std::iter::from_fn(|| rest.next_if(char::is_ascii_hexdigit));
        digit.take(digits).collect()
    };
    u32::from_str_radix(&text, 16)
        .ok()
        .filter(|_| text.len() >= digits.min(2))
        .and_then(char::from_u32)
        .ok_or_else(|| format!("`{text}` is not the hexadecimal code of a character"))
}
