//! Takes a pattern apart into literal text and `<…>` bodies.

use super::PatternError;

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'p> {
    /// Text outside `<…>`. Never empty.
    Literal(&'p str),
    /// What a `<…>` holds.
    Body(&'p str),
}

/// The pieces of `pattern`, in order.
///
/// Brackets are counted and nothing else: neither escapes nor character classes are looked at, as
/// in Oathkeeper. So the bracket of a named group balances, that of a look-behind does not.
pub(crate) fn split(pattern: &str) -> Result<Vec<Piece<'_>>, PatternError> {
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, byte) in pattern.bytes().enumerate() {
        match byte {
            b'<' => {
                if depth == 0 {
                    push_literal(&mut pieces, pattern.get(start..at));
                    start = at;
                }
                depth = depth.saturating_add(1);
            }
            b'>' => {
                let Some(shallower) = depth.checked_sub(1) else {
                    return Err(unbalanced(pattern.get(at..), "`>` without a `<` before it"));
                };
                depth = shallower;
                if depth == 0 {
                    let body = pattern.get(start.saturating_add(1)..at);
                    pieces.push(Piece::Body(body.unwrap_or_default()));
                    start = at.saturating_add(1);
                }
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(unbalanced(pattern.get(start..), unclosed(pattern)));
    }
    push_literal(&mut pieces, pattern.get(start..));
    Ok(pieces)
}

fn push_literal<'p>(pieces: &mut Vec<Piece<'p>>, text: Option<&'p str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(Piece::Literal(text));
    }
}

fn unclosed(pattern: &str) -> &'static str {
    if ["(?<=", "(?<!", "(?>"]
        .iter()
        .any(|it| pattern.contains(it))
    {
        "`<` without its `>`; look-behind and atomic groups are not supported, their brackets count"
    } else {
        "`<` without its `>`"
    }
}

fn unbalanced(piece: Option<&str>, reason: &str) -> PatternError {
    PatternError {
        piece: piece.unwrap_or_default().to_owned(),
        reason: reason.to_owned(),
    }
}
