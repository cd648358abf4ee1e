//! `printf`: format strings, their verbs, and Go's marks for what does not fit.

use super::{Verb, float, quote, write};
use crate::template::{
    budget::{Budget, Draft},
    error::Fault,
    value::Value,
};

pub(in crate::template) fn printf(
    budget: &mut Budget,
    format: &str,
    values: &[Value<'_>],
) -> Result<String, Fault> {
    let mut draft = Draft::new(budget);
    let mut arguments = values.iter();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            draft.push_char(c)?;
            continue;
        }
        draft.step()?;
        match verb(&mut rest, &mut arguments)? {
            None => draft.push("%!(NOVERB)")?,
            Some(Verb { name: '%', .. }) => draft.push("%")?,
            Some(verb) => match arguments.next() {
                None => draft.push(&format!("%!{}(MISSING)", verb.name))?,
                Some(value) if verb.name == 'T' => {
                    text(&mut draft, value.type_name(), Verb { name: 's', ..verb })?;
                }
                Some(value) => write(&mut draft, value, verb)?,
            },
        }
    }
    if arguments.len() > 0 {
        extra(&mut draft, arguments.as_slice())?;
    }
    Ok(draft.finish())
}

/// Reads flags, width, precision and the verb's letter.
fn verb<'i, 'v: 'i>(
    rest: &mut std::str::Chars<'_>,
    arguments: &mut impl Iterator<Item = &'i Value<'v>>,
) -> Result<Option<Verb>, Fault> {
    let mut verb = Verb::PLAIN;
    let mut next = rest.next();
    while let Some(flag @ ('+' | '-' | '#' | ' ' | '0')) = next {
        match flag {
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            '#' => verb.sharp = true,
            ' ' => verb.space = true,
            _ => verb.zero = true,
        }
        next = rest.next();
    }
    if let Some(width) = number(&mut next, rest, arguments)? {
        verb.minus |= width < 0;
        verb.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    }
    if next == Some('.') {
        next = rest.next();
        let precision = number(&mut next, rest, arguments)?.unwrap_or(0);
        verb.precision = usize::try_from(precision).ok();
        if precision > MAX_PRECISION {
            return Err(Fault::new("`printf` takes a precision up to 1000"));
        }
    }
    let Some(name) = next else {
        return Ok(None);
    };
    if name == '[' || name == 'p' || (verb.sharp && !"xXoqb".contains(name)) {
        return Err(Fault::new(
            "`printf` supports neither `%[n]`, `%p` nor the flag `#` with this verb",
        ));
    }
    // `%+v` asks for field names, not for a sign.
    verb.plus &= name != 'v';
    verb.name = name;
    Ok(Some(verb))
}

/// Float formatting takes no pay in between, so it is bounded here.
const MAX_PRECISION: i64 = 1000;

/// A width or precision: digits, or `*` for the next argument.
fn number<'i, 'v: 'i>(
    next: &mut Option<char>,
    rest: &mut std::str::Chars<'_>,
    arguments: &mut impl Iterator<Item = &'i Value<'v>>,
) -> Result<Option<i64>, Fault> {
    if *next == Some('*') {
        *next = rest.next();
        return match arguments.next() {
            Some(Value::Int(int)) => Ok(Some(*int)),
            _ => Err(Fault::new(
                "`*` in a `printf` format needs an integer argument",
            )),
        };
    }
    let mut value: Option<i64> = None;
    while let Some(digit) = next.and_then(|c| c.to_digit(10)) {
        value = Some(
            value
                .unwrap_or(0)
                .saturating_mul(10)
                .saturating_add(i64::from(digit)),
        );
        *next = rest.next();
    }
    Ok(value)
}

fn extra(draft: &mut Draft<'_>, values: &[Value<'_>]) -> Result<(), Fault> {
    draft.push("%!(EXTRA ")?;
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            draft.push(", ")?;
        }
        if !value.is_nil() {
            draft.push(value.type_name())?;
            draft.push("=")?;
        }
        write(draft, value, Verb::PLAIN)?;
    }
    draft.push(")")
}

/// Neither list nor map.
pub(super) fn scalar(draft: &mut Draft<'_>, value: &Value<'_>, verb: Verb) -> Result<(), Fault> {
    match (value, verb.name) {
        (Value::Bool(bool), 'v' | 't') => pad(draft, if *bool { "true" } else { "false" }, verb),
        (Value::Int(int), _) => integer(draft, *int, verb),
        (Value::Float(float), 'v' | 'g' | 'G' | 'f' | 'F' | 'e' | 'E') => real(draft, *float, verb),
        (Value::Float(_), 'x' | 'X' | 'b') => Err(Fault::new(
            "`printf` does not support `%x`, `%X` and `%b` for fractions; use `int64`",
        )),
        (Value::Text(string), 'v' | 's' | 'q' | 'x' | 'X') => text(draft, string, verb),
        (Value::Nil | Value::Null, 'v') => pad(draft, "<nil>", verb),
        (value, _) => misfit(draft, value, verb),
    }
}

/// `%!d(string=abc)`.
fn misfit(draft: &mut Draft<'_>, value: &Value<'_>, verb: Verb) -> Result<(), Fault> {
    draft.push("%!")?;
    draft.push_char(verb.name)?;
    if value.is_nil() {
        return draft.push("(<nil>)");
    }
    draft.push("(")?;
    draft.push(value.type_name())?;
    draft.push("=")?;
    write(draft, value, Verb { name: 'v', ..verb })?;
    draft.push(")")
}

pub(super) fn text(draft: &mut Draft<'_>, text: &str, verb: Verb) -> Result<(), Fault> {
    let cut = match verb.precision {
        Some(precision) => text
            .char_indices()
            .nth(precision)
            .map_or(text, |(at, _)| text.get(..at).unwrap_or_default()),
        None => text,
    };
    match verb.name {
        'v' | 's' => pad(draft, cut, verb),
        'q' => {
            let mut inner = draft.inner();
            if verb.sharp
                && !cut.contains(|c: char| {
                    c == '`' || (c.is_control() && c != '\t') || c == '\u{feff}'
                })
            {
                inner.push(&format!("`{cut}`"))?;
            } else {
                quote::quoted(&mut inner, cut, '"', verb.plus)?;
            }
            let quoted = inner.finish();
            pad(draft, &quoted, verb)
        }
        'x' | 'X' if verb.space || verb.sharp => Err(Fault::new(
            "`printf` supports no flags for `%x` of a string",
        )),
        'x' | 'X' => {
            let bytes = text.as_bytes();
            let bytes = bytes
                .get(..verb.precision.unwrap_or(bytes.len()))
                .unwrap_or(bytes);
            let mut inner = draft.inner();
            for b in bytes {
                inner.push(&if verb.name == 'x' {
                    format!("{b:02x}")
                } else {
                    format!("{b:02X}")
                })?;
            }
            let hex = inner.finish();
            pad(draft, &hex, verb)
        }
        _ => misfit(draft, &Value::text(text), verb),
    }
}

fn integer(draft: &mut Draft<'_>, int: i64, verb: Verb) -> Result<(), Fault> {
    let magnitude = int.unsigned_abs();
    let character = u32::try_from(int)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER);
    let (digits, prefix) = match verb.name {
        'v' | 'd' => (format!("{magnitude}"), ""),
        'x' => (format!("{magnitude:x}"), "0x"),
        'X' => (format!("{magnitude:X}"), "0X"),
        'o' => (format!("{magnitude:o}"), "0"),
        'O' => (format!("{magnitude:o}"), ""),
        'b' => (format!("{magnitude:b}"), "0b"),
        'c' => return pad(draft, character.encode_utf8(&mut [0; 4]), verb),
        'q' => {
            let mut inner = draft.inner();
            quote::quoted(
                &mut inner,
                character.encode_utf8(&mut [0; 4]),
                '\'',
                verb.plus,
            )?;
            let quoted = inner.finish();
            return pad(draft, &quoted, verb);
        }
        'U' => return pad(draft, &format!("U+{magnitude:04X}"), verb),
        _ => return misfit(draft, &Value::Int(int), verb),
    };
    let sign = sign(int < 0, verb);
    let prefix = match verb.name {
        'O' => "0o",
        _ if verb.sharp => prefix,
        _ => "",
    };
    if verb.precision == Some(0) && int == 0 {
        return pad(
            draft,
            "",
            Verb {
                zero: false,
                ..verb
            },
        );
    }
    let least = verb.precision.unwrap_or(if verb.zero && !verb.minus {
        verb.width.saturating_sub(sign.len())
    } else {
        0
    });
    let mut inner = draft.inner();
    inner.push(sign)?;
    inner.push(prefix)?;
    inner.repeat('0', least.saturating_sub(digits.len()))?;
    inner.push(&digits)?;
    let written = inner.finish();
    pad(
        draft,
        &written,
        Verb {
            zero: false,
            ..verb
        },
    )
}

fn real(draft: &mut Draft<'_>, number: f64, verb: Verb) -> Result<(), Fault> {
    let (form, precision) = match verb.name {
        'v' => ('g', verb.precision),
        'g' | 'G' => (verb.name, verb.precision),
        name => (name, Some(verb.precision.unwrap_or(6))),
    };
    let mut written = float::format(number, form, precision);
    if form.is_ascii_uppercase() && number.is_finite() {
        written = written.to_uppercase();
    }
    let negative = written.starts_with('-');
    let digits = written.trim_start_matches(['-', '+']);
    let sign = if number.is_infinite() && !negative && verb.name == 'v' {
        "+"
    } else {
        sign(negative, verb)
    };
    let sign = if number == f64::INFINITY { "+" } else { sign };
    if !verb.zero || verb.minus || !number.is_finite() {
        return pad(
            draft,
            &format!("{sign}{digits}"),
            Verb {
                zero: false,
                ..verb
            },
        );
    }
    draft.push(sign)?;
    draft.repeat(
        '0',
        verb.width
            .saturating_sub(sign.len())
            .saturating_sub(digits.len()),
    )?;
    draft.push(digits)
}

const fn sign(negative: bool, verb: Verb) -> &'static str {
    if negative {
        "-"
    } else if verb.plus {
        "+"
    } else if verb.space {
        " "
    } else {
        ""
    }
}

fn pad(draft: &mut Draft<'_>, text: &str, verb: Verb) -> Result<(), Fault> {
    let missing = if verb.width == 0 {
        0
    } else {
        verb.width.saturating_sub(text.chars().count())
    };
    if verb.minus {
        draft.push(text)?;
        return draft.repeat(' ', missing);
    }
    draft.repeat(if verb.zero { '0' } else { ' ' }, missing)?;
    draft.push(text)
}
