//! `printf`: format strings, their verbs, and Go's marks for what does not fit.

mod directive;

use directive::{Arguments, Directive};

use super::{Verb, float, quote, write};
use crate::template::{
    budget::{Budget, Draft},
    error::Fault,
    value::Value,
};

/// Float formatting takes no pay in between, so it is bounded here.
const MAX_PRECISION: usize = 1000;

pub(in crate::template) fn printf(
    budget: &mut Budget,
    format: &str,
    values: &[Value<'_>],
) -> Result<String, Fault> {
    let mut draft = Draft::new(budget);
    let mut arguments = Arguments::new(values);
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        draft.push(before)?;
        draft.step()?;
        let mut directive = Directive::new(after);
        let verb = directive.read(&mut arguments, &mut draft)?;
        rest = directive.rest();
        let Some(verb) = verb else {
            draft.push("%!(NOVERB)")?;
            break;
        };
        if verb.name == '%' {
            draft.push("%")?;
        } else if arguments.are_misnumbered() {
            draft.push(&format!("%!{}(BADINDEX)", verb.name))?;
        } else if let Some(value) = arguments.next() {
            check(verb)?;
            if verb.name == 'T' {
                text(&mut draft, value.type_name(), Verb { name: 's', ..verb })?;
            } else {
                write(&mut draft, value, verb)?;
            }
        } else {
            draft.push(&format!("%!{}(MISSING)", verb.name))?;
        }
    }
    draft.push(rest)?;
    if let Some(left @ [_, ..]) = arguments.left() {
        extra(&mut draft, left)?;
    }
    Ok(draft.finish())
}

/// What Go would print in a way of its own is refused.
fn check(verb: Verb) -> Result<(), Fault> {
    if verb.name == 'p' || (verb.sharp && !"xXoqb".contains(verb.name)) {
        return Err(Fault::new(
            "`printf` supports neither `%p` nor the flag `#` with this verb",
        ));
    }
    if verb.precision > Some(MAX_PRECISION) {
        return Err(Fault::new("`printf` takes a precision up to 1000"));
    }
    Ok(())
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
    if verb.sharp && matches!(value, Value::Float(_)) {
        return Err(Fault::new(
            "`printf` does not support the flag `#` for fractions; use `int64`",
        ));
    }
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
        // Of a negative number Go writes the two's complement.
        'U' => return pad(draft, &format!("U+{:04X}", int.cast_unsigned()), verb),
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
