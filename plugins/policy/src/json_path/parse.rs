//! A path's text, taken apart.

use super::{Component, JsonPathError};

/// Deeper than any claim; it bounds the recursion over `#`.
const MAX_COMPONENTS: usize = 32;

pub(super) fn components(path: &str) -> Result<Vec<Component>, JsonPathError> {
    let mut components = Vec::new();
    for (offset, part) in split(path) {
        let fail = |at: usize, problem: &str| JsonPathError {
            path: path.to_owned(),
            offset: offset.saturating_add(at),
            problem: problem.to_owned(),
        };
        if components.len() >= MAX_COMPONENTS {
            return Err(fail(0, "the path has more than 32 components"));
        }
        if part == "@this" && !matches!(components.last(), Some(Component::Each)) {
            continue;
        }
        components.push(component(part).map_err(|(at, problem)| fail(at, &problem))?);
    }
    Ok(components)
}

/// The components with the byte at which each starts: cut at dots that no backslash precedes.
fn split(path: &str) -> Vec<(usize, &str)> {
    let mut escaped = false;
    let mut start = 0_usize;
    path.split(move |c: char| {
        let cut = c == '.' && !escaped;
        escaped = c == '\\' && !escaped;
        cut
    })
    .map(|part| {
        let at = start;
        start = start.saturating_add(part.len()).saturating_add(1);
        (at, part)
    })
    .collect()
}

fn component(part: &str) -> Result<Component, (usize, String)> {
    if part == "#" {
        return Ok(Component::Each);
    }
    refuse_by_first_character(part).map_err(|problem| (0, problem))?;
    let mut name = String::with_capacity(part.len());
    let mut characters = part.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some((_, literal)) => name.push(literal),
                None => return Err((at, "a backslash ends the path; write `\\\\` for one".into())),
            },
            '*' | '?' => return Err((at, unsupported("wildcard", c))),
            '|' => return Err((at, unsupported("pipe", c))),
            _ => name.push(c),
        }
    }
    let index = name
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| name.parse().ok())
        .flatten();
    Ok(Component::Key { name, index })
}

fn refuse_by_first_character(part: &str) -> Result<(), String> {
    match part.chars().next() {
        None => Err("a component is empty; name a key, or `@this` for the whole document".into()),
        Some('#') if part.starts_with("#(") => Err(unsupported("query", '#')),
        Some('#') => Err("`#` must stand alone between dots; write `\\#` for a key".into()),
        Some('@') => Err(format!(
            "the modifier `{part}` is not supported, only `@this` before any `#`; write `\\@` for a key"
        )),
        Some('!') => Err(unsupported("literal", '!')),
        Some(c @ ('{' | '[')) => Err(unsupported("multipath", c)),
        Some(_) => Ok(()),
    }
}

fn unsupported(what: &str, c: char) -> String {
    format!("a {what} (`{c}`) is not supported; write `\\{c}` if the key contains it")
}
