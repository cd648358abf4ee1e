//! Reads the body of a `<…>` as a glob (gobwas/glob with the separators `.` and `/`).
//!
//! What comes out is what a regular expression of the same meaning is read into. None is written out
//! first: a module without regular expressions has globs all the same, and not the parser.

use std::{iter::Peekable, str::Chars};

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Dot, Hir, Repetition};

/// Oathkeeper's separators.
pub(super) const SEPARATORS: &[char] = &['.', '/'];
/// The one of paths.
pub(super) const SLASH: &[char] = &['/'];

/// How deep `{…}` may nest.
const MAX_DEPTH: usize = 32;

/// Reads one body; `last` says that nothing follows it in the pattern. The error says what is wrong
/// with it.
///
/// | Glob | Matches |
/// | --- | --- |
/// | `*` | any run without separators, also an empty one |
/// | `**` | any run |
/// | `?` | one character that is no separator |
/// | `[abc]`, `[!abc]` | one of these characters, or one that is none of them |
/// | `[a-z]`, `[!a-z]` | one character in this range, or outside it |
/// | `{a,b}` | one of the alternatives, which may be empty and may nest |
/// | `\x` | `x` itself |
///
/// As in gobwas, a class is either one range or a list (`[a-z_]` is refused, `[ab-z]` lists four
/// characters), and a class may match a separator. A `{` that is not closed counts as closed where
/// the pattern ends; elsewhere, where gobwas would draw the text that follows into the last
/// alternative, it is refused. One thing is not copied: to gobwas `h/<**>/x` matches `h/x`, its
/// two ends overlapping in the one `/`. Here each `/` of a pattern needs one in the URL.
pub(super) fn read(body: &str, last: bool, separators: &[char]) -> Result<Hir, String> {
    let mut rest = body.chars().peekable();
    let mut row = Row::default();
    let mut open: Vec<Row> = Vec::new();
    while let Some(next) = rest.next() {
        match next {
            '*' if rest.next_if_eq(&'*').is_some() => row.push(run(Hir::dot(Dot::AnyChar))),
            '*' => row.push(run(no_separator(separators))),
            '?' => row.push(no_separator(separators)),
            '[' => row.push(class(&mut rest)?),
            '{' if open.len() >= MAX_DEPTH => {
                return Err(format!("alternatives nest more than {MAX_DEPTH} deep"));
            }
            '{' => open.push(std::mem::take(&mut row)),
            ',' if !open.is_empty() => row.end_arm(),
            '}' => match open.pop() {
                Some(outer) => row = outer.with(row),
                None => row.push(literal('}')),
            },
            '\\' => row.push(literal(rest.next().ok_or("`\\` with nothing after it")?)),
            plain => row.push(literal(plain)),
        }
    }
    if !open.is_empty() && !last {
        return Err("`{` without its `}`".to_owned());
    }
    while let Some(outer) = open.pop() {
        row = outer.with(row);
    }
    Ok(row.into_hir())
}

/// What follows one another, and the alternatives before it.
#[derive(Default)]
struct Row {
    arms: Vec<Hir>,
    parts: Vec<Hir>,
}

impl Row {
    fn push(&mut self, part: Hir) {
        self.parts.push(part);
    }

    fn end_arm(&mut self) {
        let parts = std::mem::take(&mut self.parts);
        self.arms.push(Hir::concat(parts));
    }

    /// This row, with what stood in braces at its end.
    fn with(mut self, inner: Self) -> Self {
        self.push(inner.into_hir());
        self
    }

    fn into_hir(mut self) -> Hir {
        self.end_arm();
        Hir::alternation(self.arms)
    }
}

fn literal(plain: char) -> Hir {
    Hir::literal(plain.to_string().into_bytes())
}

fn no_separator(separators: &[char]) -> Hir {
    one_of(
        separators.iter().map(|separator| (*separator, *separator)),
        true,
    )
}

fn one_of(ranges: impl IntoIterator<Item = (char, char)>, negated: bool) -> Hir {
    let ranges = ranges
        .into_iter()
        .map(|(low, high)| ClassUnicodeRange::new(low, high));
    let mut class = ClassUnicode::new(ranges);
    if negated {
        class.negate();
    }
    Hir::class(Class::Unicode(class))
}

fn run(of: Hir) -> Hir {
    Hir::repetition(Repetition {
        min: 0,
        max: None,
        greedy: true,
        sub: Box::new(of),
    })
}

type Rest<'b> = Peekable<Chars<'b>>;

/// A class whose `[` has been read.
fn class(rest: &mut Rest<'_>) -> Result<Hir, String> {
    let negated = rest.next_if_eq(&'!').is_some();
    let first = *rest.peek().ok_or(UNCLOSED)?;
    let mut ahead = rest.clone();
    ahead.next();
    let ranges = if ahead.next_if_eq(&'-').is_some() {
        *rest = ahead;
        vec![range(first, rest)?]
    } else {
        list(rest)?
    };
    match rest.next() {
        Some(']') => Ok(one_of(ranges, negated)),
        Some(_) => Err("a class is either one range or a list of characters".to_owned()),
        None => Err(UNCLOSED.to_owned()),
    }
}

const UNCLOSED: &str = "`[` without its `]`";

/// The end of a range whose beginning and `-` have been read.
fn range(low: char, rest: &mut Rest<'_>) -> Result<(char, char), String> {
    let high = rest.next().ok_or(UNCLOSED)?;
    if high < low {
        return Err(format!("the range `{low}-{high}` is empty"));
    }
    Ok((low, high))
}

fn list(rest: &mut Rest<'_>) -> Result<Vec<(char, char)>, String> {
    let mut listed = Vec::new();
    while let Some(next) = rest.next_if(|next| *next != ']') {
        let one = match next {
            '\\' => rest.next().ok_or("`\\` with nothing after it")?,
            one => one,
        };
        listed.push((one, one));
    }
    if listed.is_empty() {
        return Err("`[]` lists no characters".to_owned());
    }
    Ok(listed)
}
