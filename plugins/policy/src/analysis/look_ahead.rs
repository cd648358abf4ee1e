//! Takes the look-aheads out of an expression, so that the rest is a regular expression.

use crate::expression::Group;

/// Bytes that no UTF-8 text holds (RFC 3629 section 3): each stands for one look-ahead.
const MARKERS: [u8; 10] = [0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0xf7, 0xf6];

/// One `(?=…)` or `(?!…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LookAhead {
    /// The byte that stands for it in the rest.
    pub(super) marker: u8,
    /// Whether what follows must *not* begin with a match.
    pub(super) negative: bool,
    /// What it holds, within the flags that it stands in.
    pub(super) expression: String,
}

/// `expression` with a marker for each look-ahead, and these. The error says which use of
/// look-ahead cannot be taken apart.
///
/// Reads what the matching room writes: literal brackets are escaped, also within classes.
pub(super) fn split(expression: &str) -> Result<(String, Vec<LookAhead>), String> {
    if !expression.contains("(?=") && !expression.contains("(?!") {
        return Ok((expression.to_owned(), Vec::new()));
    }
    let mut splitter = Splitter::default();
    let mut rest = expression;
    while !rest.is_empty() {
        rest = splitter.step(rest)?;
    }
    Ok((splitter.marked, splitter.found))
}

/// `expression`, in which look-aheads are written as plain groups, with `(?=…)` and `(?!…)` for
/// those of its `groups` that are look-aheads.
pub(super) fn write(expression: &str, groups: &[Group]) -> String {
    let mut written = String::with_capacity(expression.len());
    let mut groups = groups.iter();
    let mut rest = expression;
    while !rest.is_empty() {
        let token = token(rest);
        let group = (token == "(" || token.starts_with("(?P<"))
            .then(|| groups.next())
            .flatten();
        written.push_str(match group {
            Some(Group::Ahead { negative: true }) => "(?!",
            Some(Group::Ahead { negative: false }) => "(?=",
            _ => token,
        });
        rest = rest.strip_prefix(token).unwrap_or_default();
    }
    written
}

/// `expression` without its look-aheads: it matches all that `expression` does, and more.
pub(super) fn drop_all(expression: &str) -> String {
    let mut left = String::new();
    let mut rest = expression;
    while !rest.is_empty() {
        let inside = rest
            .strip_prefix("(?=")
            .or_else(|| rest.strip_prefix("(?!"));
        let token = match inside.and_then(|inside| Some((inside, closing(inside)?))) {
            Some((inside, end)) => {
                rest = inside.get(end.saturating_add(1)..).unwrap_or_default();
                continue;
            }
            None => token(rest),
        };
        left.push_str(token);
        rest = rest.strip_prefix(token).unwrap_or_default();
    }
    left
}

#[derive(Default)]
struct Splitter {
    marked: String,
    found: Vec<LookAhead>,
    /// What opened the groups around here, where that sets flags; else empty.
    open: Vec<String>,
    ended: bool,
}

impl Splitter {
    fn step<'e>(&mut self, rest: &'e str) -> Result<&'e str, String> {
        if let Some(inside) = rest.strip_prefix("(?=") {
            return self.look_ahead(inside, false);
        }
        if let Some(inside) = rest.strip_prefix("(?!") {
            return self.look_ahead(inside, true);
        }
        let token = token(rest);
        match token {
            "^" | r"\A" | r"\b" | r"\B" => {
                return Err(format!("`{token}` beside a look-ahead"));
            }
            "$" | r"\z" => self.ended = true,
            ")" => drop(self.open.pop()),
            _ if token.starts_with('(') => {
                let flags = token.ends_with(':') && token != "(?:";
                self.open.push(if flags { token } else { "" }.to_owned());
            }
            _ => {}
        }
        self.marked.push_str(token);
        Ok(rest.strip_prefix(token).unwrap_or_default())
    }

    fn look_ahead<'e>(&mut self, inside: &'e str, negative: bool) -> Result<&'e str, String> {
        if self.ended {
            return Err("a look-ahead after the end of the text".to_owned());
        }
        let end = closing(inside).ok_or("a look-ahead that is not closed")?;
        let (body, rest) = inside.split_at_checked(end).unwrap_or_default();
        if body.contains("(?=") || body.contains("(?!") {
            return Err("a look-ahead within a look-ahead".to_owned());
        }
        let marker = *MARKERS
            .get(self.found.len())
            .ok_or_else(|| format!("more than {} look-aheads", MARKERS.len()))?;
        let mut expression: String = self.open.iter().map(String::as_str).collect();
        expression.push_str(&format!("(?:{body})"));
        let opened = self.open.iter().filter(|opening| !opening.is_empty());
        expression.extend(opened.map(|_| ')'));
        self.marked.push_str(&format!(r"(?-u:\x{marker:02X})"));
        self.found.push(LookAhead {
            marker,
            negative,
            expression,
        });
        Ok(rest.strip_prefix(')').unwrap_or_default())
    }
}

/// The first element of `rest`: an escape, a class, the opening of a group, or one character.
fn token(rest: &str) -> &str {
    let length = match rest.as_bytes() {
        [b'\\', ..] => 1_usize.saturating_add(char_length(rest.get(1..))),
        [b'[', ..] => class_length(rest),
        [b'(', b'?', ..] => group_length(rest),
        _ => char_length(Some(rest)),
    };
    rest.get(..length).unwrap_or(rest)
}

fn char_length(text: Option<&str>) -> usize {
    text.and_then(|text| text.chars().next())
        .map_or(0, char::len_utf8)
}

fn class_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, next) in rest.char_indices() {
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => return at.saturating_add(1),
            _ => {}
        }
    }
    rest.len()
}

/// `(?:`, `(?i:`, `(?P<name>`, `(?=`, `(?!`.
fn group_length(rest: &str) -> usize {
    if rest.starts_with("(?=") || rest.starts_with("(?!") {
        return 3;
    }
    let end = rest.find([':', '>']).unwrap_or(rest.len());
    end.saturating_add(1).min(rest.len())
}

/// Where the `)` stands that closes the group whose inside begins here.
fn closing(inside: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = inside;
    while !rest.is_empty() {
        let token = token(rest);
        if token == ")" {
            match depth.checked_sub(1) {
                Some(shallower) => depth = shallower,
                None => return inside.len().checked_sub(rest.len()),
            }
        } else if token.starts_with('(') {
            depth = depth.saturating_add(1);
        }
        rest = rest.strip_prefix(token)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_look_ahead_becomes_a_byte_that_no_text_holds() {
        let (rest, found) = split(r"a(?i:(?!b[)\]]\))c)(?=d(e|f))g").unwrap();
        assert_eq!(rest, r"a(?i:(?-u:\xFF)c)(?-u:\xFE)g");
        assert_eq!(found[0].expression, r"(?i:(?:b[)\]]\)))");
        assert!(found[0].negative && !found[1].negative);
        assert_eq!(found[1].expression, "(?:d(e|f))");
        assert!(split("(?!a(?!b))").is_err());
        assert!(split(r"\b(?!a)").is_err());
        assert_eq!(split(r"\(?!").unwrap().0, r"\(?!");
        let ahead = Group::Ahead { negative: true };
        let groups = [Group::Unnamed, ahead, Group::Named("n".into())];
        assert_eq!(
            write("(a(b)(?P<n>c)(?:d))", &groups),
            "(a(?!b)(?P<n>c)(?:d))"
        );
        assert_eq!(drop_all("a(?!b(?=c))(d)[(?!]"), "a(d)[(?!]");
    }
}
