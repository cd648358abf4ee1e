//! One expression by itself, to be found anywhere in a text: what templates ask for.

use std::{ops::Range, sync::Arc};

use super::{Compiler, Part, Piece, Program, Scratch, TooManySteps};

/// An expression in the syntax that RE2 and `regex-syntax` share.
#[derive(Clone, Debug)]
pub(crate) struct Regex {
    source: Box<str>,
    program: Arc<Program>,
    row: Box<[Part]>,
}

impl Regex {
    /// Compiles `source`. The error says what is wrong with it.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let program = Arc::new(Compiler::default().compile_plain(source)?);
        Ok(Self {
            source: source.into(),
            row: Part::row([Piece::Program(Arc::clone(&program))]),
            program,
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether it matches any part of `text`.
    ///
    /// # Errors
    /// [`TooManySteps`] for a text of megabytes.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, TooManySteps> {
        self.find_iter(text)
            .next()
            .transpose()
            .map(|found| found.is_some())
    }

    /// The same, with at most `steps` of the runner, from which those that it took are taken.
    #[cfg(feature = "cel")]
    pub(crate) fn is_match_within(
        &self,
        text: &str,
        steps: &mut usize,
    ) -> Result<bool, TooManySteps> {
        let mut scratch = Scratch::of_steps(*steps);
        let found = scratch.find(&self.row, text, 0);
        *steps = scratch.steps_left();
        found.map(|found| found.is_some())
    }

    /// All matches, from left to right; none overlaps another, and an empty one does not touch the
    /// one before it.
    pub(crate) fn find_iter<'t>(&self, text: &'t str) -> Matches<'_, 't> {
        Matches {
            regex: self,
            text,
            scratch: Scratch::default(),
            next: Some(0),
            last: None,
        }
    }
}

/// The matches in a text.
pub(crate) struct Matches<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    scratch: Scratch,
    /// Where to look on; `None` at the end.
    next: Option<usize>,
    /// Where the last match ended.
    last: Option<usize>,
}

impl<'r, 't> Iterator for Matches<'r, 't> {
    type Item = Result<Match<'r, 't>, TooManySteps>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let start = self.next.take()?;
            let ends = match self.scratch.find(&self.regex.row, self.text, start) {
                Ok(ends) => ends?,
                Err(error) => return Some(Err(error)),
            };
            let found = Match {
                regex: self.regex,
                text: self.text,
                ends,
            };
            let range = found.range();
            let behind = self
                .text
                .get(range.end..)
                .and_then(|rest| rest.chars().next());
            self.next = match behind {
                _ if !range.is_empty() => Some(range.end),
                Some(skipped) => Some(range.end.saturating_add(skipped.len_utf8())),
                None => None,
            };
            let touches = range.is_empty() && self.last == Some(range.end);
            self.last = Some(range.end);
            if !touches {
                return Some(Ok(found));
            }
        }
    }
}

/// A match with its groups.
pub(crate) struct Match<'r, 't> {
    regex: &'r Regex,
    text: &'t str,
    /// Where it and each of its groups are; a group that took no part is nowhere.
    ends: Vec<Option<Range<usize>>>,
}

impl<'t> Match<'_, 't> {
    pub(crate) fn range(&self) -> Range<usize> {
        self.ends.first().cloned().flatten().unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &'t str {
        self.group(0)
    }

    fn group(&self, number: usize) -> &'t str {
        let range = self.ends.get(number).cloned().flatten();
        range
            .and_then(|range| self.text.get(range))
            .unwrap_or_default()
    }

    fn named(&self, name: &str) -> &'t str {
        if let Ok(number) = name.parse() {
            return self.group(number);
        }
        let mut names = self.regex.program.groups.iter();
        let at = names.position(|other| other.as_deref() == Some(name));
        at.map_or("", |at| self.group(at.saturating_add(1)))
    }

    /// `template` with `$name`, `${name}` and their like replaced by groups, a name reaching as far as
    /// it can; `$$` is a dollar sign, and a group that is not there is empty.
    pub(crate) fn expanded(&self, template: &str) -> String {
        let mut expanded = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            expanded.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                expanded.push('$');
                rest = after;
                continue;
            }
            let braced = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let (name, after) = match braced {
                Some((name, after)) if is_name(name) => (name, after),
                _ => {
                    let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
                    rest.split_at_checked(end).unwrap_or((rest, ""))
                }
            };
            if name.is_empty() {
                expanded.push('$');
            } else {
                expanded.push_str(self.named(name));
                rest = after;
            }
        }
        expanded.push_str(rest);
        expanded
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
