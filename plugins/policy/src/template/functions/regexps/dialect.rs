//! Go's regular expressions, written for Rust's engine.
//!
//! The two share nearly everything. Where one text means different things to them: `\d`, `\w`,
//! `\s`, `\b` and their opposites know ASCII only in Go; `\Q…\E` quotes; and inside `[…]`, `[` and
//! `&&`, `--`, `~~` have no meaning of their own.

/// A repetition in Go goes up to this.
const MAX_REPETITION: u32 = 1000;

/// The pattern for Rust's engine.
///
/// # Errors
/// What only Rust's engine would take.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let mut text = String::with_capacity(pattern.len().saturating_mul(2));
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => escape(rest, in_class, &mut text)?,
            '[' if in_class => class_bracket(rest, &mut text),
            '[' => {
                in_class = true;
                class_start(rest, &mut text)
            }
            ']' if in_class => {
                in_class = false;
                copied("]", &mut text)
            }
            '&' | '~' if in_class => copied_as(c, &["\\", c.encode_utf8(&mut [0; 4])], &mut text),
            '-' if in_class && rest.starts_with("--") => copied_as('-', &["\\-"], &mut text),
            '(' if !in_class => group(rest, &mut text)?,
            '{' if !in_class => repetition(rest, &mut text)?,
            c => copied(c.encode_utf8(&mut [0; 4]), &mut text),
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    Ok(text)
}

fn copied(part: &str, text: &mut String) -> usize {
    text.push_str(part);
    part.len()
}

fn copied_as(c: char, parts: &[&str], text: &mut String) -> usize {
    parts.iter().for_each(|part| text.push_str(part));
    c.len_utf8()
}

/// An escape; how many bytes it took.
fn escape(rest: &str, in_class: bool, text: &mut String) -> Result<usize, String> {
    let Some(letter) = rest.chars().nth(1) else {
        return Err("a backslash ends the pattern".to_owned());
    };
    let ascii = match (letter, in_class) {
        ('d', true) => "0-9",
        ('d', false) => "[0-9]",
        ('D', _) => "[^0-9]",
        ('w', true) => "0-9A-Za-z_",
        ('w', false) => "[0-9A-Za-z_]",
        ('W', _) => "[^0-9A-Za-z_]",
        ('s', true) => "\\t\\n\\x0C\\r ",
        ('s', false) => "[\\t\\n\\x0C\\r ]",
        ('S', _) => "[^\\t\\n\\x0C\\r ]",
        ('b', false) => "(?-u:\\b)",
        ('B', false) => "(?-u:\\B)",
        ('Q', false) => return Ok(quoted(rest, text)),
        ('<' | '>' | 'C' | 'u' | 'U', _) | ('b' | 'B', true) => {
            return Err(format!("`\\{letter}` is not supported"));
        }
        _ => {
            text.push('\\');
            text.push(letter);
            return Ok(letter.len_utf8().saturating_add(1));
        }
    };
    if rest
        .get(2..)
        .is_some_and(|rest| "bB".contains(letter) && rest.starts_with('{'))
    {
        return Err(format!("`\\{letter}` cannot be repeated"));
    }
    text.push_str(ascii);
    Ok(2)
}

/// `\Q…\E`, or up to the pattern's end.
fn quoted(rest: &str, text: &mut String) -> usize {
    let inside = rest.get(2..).unwrap_or_default();
    let (inside, end) = match inside.split_once("\\E") {
        Some((inside, _)) => (inside, 4),
        None => (inside, 2),
    };
    text.push_str(&regex_syntax::escape(inside));
    inside.len().saturating_add(end)
}

/// A class's `[`, with the `^` and the `]` that may stand right behind it.
fn class_start(rest: &str, text: &mut String) -> usize {
    for start in ["[^]", "[]", "[^", "["] {
        if rest.starts_with(start) {
            text.push_str(start.trim_end_matches(']'));
            if start.ends_with(']') {
                text.push_str("\\]");
            }
            return start.len();
        }
    }
    0
}

/// A `[` inside a class: a POSIX class such as `[:alpha:]`, or itself.
fn class_bracket(rest: &str, text: &mut String) -> usize {
    let name = rest
        .strip_prefix("[:")
        .and_then(|name| name.split_once(":]"));
    match name {
        Some((name, _)) => {
            text.push_str(&format!("[:{name}:]"));
            name.len().saturating_add(4)
        }
        None => copied_as('[', &["\\["], text),
    }
}

/// Go has the flags `i`, `m`, `s` and `U` only.
fn group(rest: &str, text: &mut String) -> Result<usize, String> {
    let flags = rest.strip_prefix("(?").unwrap_or_default();
    let end = flags.find([':', ')', 'P', '<']).unwrap_or(0);
    let flags = flags.get(..end).unwrap_or_default();
    if let Some(flag) = flags.chars().find(|flag| !"imsU-".contains(*flag)) {
        return Err(format!("the flag `{flag}` is not supported"));
    }
    Ok(copied("(", text))
}

/// `{n}`, `{n,}` and `{n,m}`; any other brace is itself.
fn repetition(rest: &str, text: &mut String) -> Result<usize, String> {
    let inside = rest.get(1..).and_then(|rest| rest.split_once('}'));
    let bounds = inside.map(|(bounds, _)| bounds).filter(|bounds| {
        let digits = bounds.bytes().all(|b| b.is_ascii_digit() || b == b',');
        let commas = bounds.bytes().filter(|b| *b == b',').count();
        digits && commas <= 1 && bounds.starts_with(|c: char| c.is_ascii_digit())
    });
    let Some(bounds) = bounds else {
        return Ok(copied_as('{', &["\\{"], text));
    };
    let too_many = bounds
        .split(',')
        .any(|bound| !bound.is_empty() && bound.parse().unwrap_or(u32::MAX) > MAX_REPETITION);
    if too_many {
        return Err(format!("a repetition of more than {MAX_REPETITION}"));
    }
    text.push_str(&format!("{{{bounds}}}"));
    Ok(bounds.len().saturating_add(2))
}
