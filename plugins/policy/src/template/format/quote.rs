//! Go's `strconv.Quote` and its relatives.

use crate::template::{budget::Draft, error::Fault};

/// The text in double quotes, or another quote; `ascii` escapes everything else too.
pub(in crate::template) fn quoted(
    draft: &mut Draft<'_>,
    text: &str,
    quote: char,
    ascii: bool,
) -> Result<(), Fault> {
    draft.push_char(quote)?;
    for c in text.chars() {
        match c {
            '\\' => draft.push("\\\\")?,
            c if c == quote => {
                draft.push("\\")?;
                draft.push_char(c)?;
            }
            '\x07' => draft.push("\\a")?,
            '\x08' => draft.push("\\b")?,
            '\x0c' => draft.push("\\f")?,
            '\n' => draft.push("\\n")?,
            '\r' => draft.push("\\r")?,
            '\t' => draft.push("\\t")?,
            '\x0b' => draft.push("\\v")?,
            c if printable(c) && (c.is_ascii() || !ascii) => draft.push_char(c)?,
            c => draft.push(&escaped(c))?,
        }
    }
    draft.push_char(quote)
}

fn escaped(c: char) -> String {
    match u32::from(c) {
        code @ (0..0x20 | 0x7f) => format!("\\x{code:02x}"),
        code @ ..0x10000 => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Nearly Go's `unicode.IsPrint`: Unicode versions may differ in what is assigned.
pub(in crate::template) fn printable(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // Behind a letter, so that combining marks count as printable.
    let mut buffer = [b'a'; 5];
    let length = buffer
        .get_mut(1..)
        .map_or(0, |tail| c.encode_utf8(tail).len());
    let pair = buffer.get(..length.saturating_add(1)).unwrap_or_default();
    let pair = std::str::from_utf8(pair).unwrap_or_default();
    !c.is_whitespace() && pair.escape_debug().nth(1) == Some(c)
}
