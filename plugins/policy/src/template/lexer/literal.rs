//! Go's literals: strings, raw strings, characters and numbers.

use super::{Kind, Lexer, SPACES, TemplateError};

impl<'s> Lexer<'s> {
    /// `` `as it stands` ``.
    pub(super) fn raw(&mut self) -> Result<String, TemplateError> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let Some(length) = inside.find('`') else {
            return Err(self.error("the raw string has no end; close it with a backquote"));
        };
        let taken = self.take(length.saturating_add(2));
        Ok(taken.trim_matches('`').replace('\r', ""))
    }

    /// `"with \n escapes"`.
    pub(super) fn quoted(&mut self) -> Result<String, TemplateError> {
        let literal = self.delimited('"')?;
        let bytes = unescape(literal, '"').map_err(|problem| self.error(problem))?;
        String::from_utf8(bytes).map_err(|_| self.error("the string's escapes do not make UTF-8"))
    }

    /// `'c'`: an integer, as in Go.
    pub(super) fn character(&mut self) -> Result<i64, TemplateError> {
        let literal = self.delimited('\'')?;
        let bytes = unescape(literal, '\'').map_err(|problem| self.error(problem))?;
        let text = String::from_utf8(bytes).unwrap_or_default();
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(c), None) => Ok(i64::from(u32::from(c))),
            _ => Err(self.error("a character literal holds exactly one character")),
        }
    }

    /// What stands between two `quote`s on one line.
    fn delimited(&mut self, quote: char) -> Result<&'s str, TemplateError> {
        let inside = self.rest.get(1..).unwrap_or_default();
        let mut escaped = false;
        for (at, c) in inside.char_indices() {
            match c {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => {
                    self.take(at.saturating_add(2));
                    return Ok(inside.get(..at).unwrap_or_default());
                }
                _ => {}
            }
        }
        Err(self.error(format!(
            "the literal has no end; close it with {quote} on the same line"
        )))
    }

    pub(super) fn number(&mut self) -> Result<Kind<'s>, TemplateError> {
        let mut previous = ' ';
        let length = self
            .rest
            .find(|c: char| {
                let sign = matches!(c, '+' | '-') && matches!(previous, ' ' | 'e' | 'E');
                previous = c;
                !(sign || c == '.' || c == '_' || c.is_alphanumeric())
            })
            .unwrap_or(self.rest.len());
        let ends = self.rest.get(length..).unwrap_or_default();
        let word = self.rest.get(..length).unwrap_or_default();
        let ended = ends.is_empty()
            || ends.starts_with(SPACES)
            || ends.starts_with([',', '|', ')', '(', ':'])
            || ends.starts_with("}}");
        let kind = number(word).filter(|_| ended).ok_or_else(|| {
            self.error(format!(
                "bad number `{word}`; write decimal, 0x, 0o or 0b integers of 64 bits, or decimal fractions"
            ))
        })?;
        self.take(length);
        Ok(kind)
    }
}

/// An integer unless a point or an exponent makes it a fraction.
fn number<'s>(word: &str) -> Option<Kind<'s>> {
    if let Some(int) = integer(word) {
        return Some(Kind::Int(int));
    }
    let decimal = word
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE_".contains(&b));
    let fraction = decimal && word.contains(['.', 'e', 'E']) && well_underscored(word);
    let float: f64 = fraction
        .then(|| word.replace('_', "").parse().ok())
        .flatten()?;
    float.is_finite().then_some(Kind::Float(float))
}

/// An integer in Go's notation: decimal, or with the prefix `0x`, `0o`, `0` or `0b`.
pub(in crate::template) fn integer(word: &str) -> Option<i64> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, lower.get(2..)?),
        [b'0', b'o', ..] => (8, lower.get(2..)?),
        [b'0', b'b', ..] => (2, lower.get(2..)?),
        [b'0', _, ..] => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    let prefixed = radix != 10;
    if digits.starts_with(['+', '-'])
        || !well_underscored(if prefixed {
            digits.trim_start_matches('_')
        } else {
            digits
        })
    {
        return None;
    }
    let magnitude = i128::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    let signed = if negative {
        magnitude.checked_neg()?
    } else {
        magnitude
    };
    i64::try_from(signed).ok()
}

/// Underscores only between digits.
fn well_underscored(digits: &str) -> bool {
    !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__")
        && !digits.contains("_.")
        && !digits.contains("._")
}

fn unescape(literal: &str, quote: char) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(literal.len());
    let mut rest = literal.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let escape = rest.next().unwrap_or_default();
        let mut code = |digits: usize, radix: u32, first: &str| {
            let text: String = first.chars().chain(rest.by_ref().take(digits)).collect();
            let complete = text.chars().all(|c| c.is_digit(radix))
                && text.len() == digits.saturating_add(first.len());
            complete
                .then(|| u32::from_str_radix(&text, radix).ok())
                .flatten()
                .ok_or_else(|| format!("the escape `\\{escape}` needs more digits"))
        };
        match escape {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            '\\' => bytes.push(b'\\'),
            '\'' | '"' if escape == quote => {
                bytes.extend_from_slice(escape.encode_utf8(&mut [0; 4]).as_bytes());
            }
            'x' => bytes.push(byte(code(2, 16, "")?)?),
            '0'..='7' => bytes.push(byte(code(2, 8, escape.encode_utf8(&mut [0; 4]))?)?),
            'u' | 'U' => {
                let c = char::from_u32(code(if escape == 'u' { 4 } else { 8 }, 16, "")?)
                    .ok_or("the escape names no Unicode character")?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => return Err(format!("unknown escape `\\{}`", other.escape_default())),
        }
    }
    Ok(bytes)
}

fn byte(code: u32) -> Result<u8, String> {
    u8::try_from(code).map_err(|_| "the escape is larger than a byte".to_owned())
}
