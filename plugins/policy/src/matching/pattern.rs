//! One compiled `match.url`.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;

#[cfg(feature = "regexp")]
use super::regexp;
use super::{
    glob,
    pieces::{self, split},
};
#[cfg(feature = "regexp")]
use crate::expression::Group;
use crate::expression::{Compiler, Part, Piece, Program, Scratch, TooManySteps};

/// How long a pattern may be, in bytes.
const MAX_PATTERN_BYTES: usize = 16_384;

/// The language inside `<…>`: Oathkeeper's `access_rules.matching_strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Regular expressions.
    #[default]
    Regexp,
    /// Globs with the separators `.` and `/`.
    Glob,
    /// Globs with the separator `/` alone: `*` is what stands between two slashes. Ours.
    PathGlob,
}

impl Strategy {
    /// What a configuration tree names; the default for one that is broken.
    pub(crate) fn of(config: &Value) -> Self {
        let named = |pointer| config.pointer(pointer).and_then(Value::as_str);
        match named("/access_rules/matching_strategy") {
            Some("glob") if named("/gatepost/glob_separators") == Some("/") => Self::PathGlob,
            Some("glob") => Self::Glob,
            _ => Self::Regexp,
        }
    }
}

/// Why a pattern cannot be used. Found when the rules are loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{piece}`: {reason}")]
pub struct PatternError {
    /// The part of the pattern that is at fault.
    pub piece: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A compiled pattern: its literal texts, and the expressions between them.
#[derive(Clone, Debug)]
pub struct Pattern(Box<[Part]>);

impl Pattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// Names the piece at fault and what is wrong with it.
    pub fn compile(strategy: Strategy, pattern: &str) -> Result<Self, PatternError> {
        PatternCompiler::default().compile(strategy, pattern)
    }

    /// Matches the whole of `subject`: the capture groups, or `None` where it does not match.
    ///
    /// A regular expression has one group for each `<…>` and each group inside it: unnamed ones
    /// from left to right, then named ones; a group that took no part is `""`. A glob has none.
    ///
    /// # Errors
    /// [`TooManySteps`] where the match had to be given up.
    pub fn captures(&self, subject: &str) -> Result<Option<Vec<String>>, TooManySteps> {
        self.captures_with(&mut Scratch::default(), subject)
    }

    /// The same, within what `scratch` has left of its steps.
    pub(super) fn captures_with(
        &self,
        scratch: &mut Scratch,
        subject: &str,
    ) -> Result<Option<Vec<String>>, TooManySteps> {
        if !self.could_match(subject) {
            return Ok(None);
        }
        scratch.captures(&self.0, subject)
    }

    /// Whether the two ends are right, which is seen without running anything.
    fn could_match(&self, subject: &str) -> bool {
        let starts = match self.0.first() {
            Some(Part::Text(text)) => subject.starts_with(&**text),
            _ => true,
        };
        starts
            && match self.0.last() {
                Some(Part::Text(text)) => subject.ends_with(&**text),
                _ => true,
            }
    }

    /// The expressions in it, in order.
    #[cfg(feature = "analysis")]
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Program> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Program { program, .. } => Some(&**program),
        })
    }

    /// Texts that every subject which the pattern matches must hold.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Part::required)
    }
}

/// Compiles patterns, keeping one copy of what several of them share. Ten thousand rules that all
/// end in `<[0-9]+>` need that expression once.
#[derive(Debug, Default)]
pub struct PatternCompiler {
    compiler: Compiler,
    programs: HashMap<Language, HashMap<Box<str>, Arc<Program>>>,
}

/// What decides how a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Language {
    Regexp,
    /// A glob, whether nothing follows it, and where its `*` stops.
    Glob {
        last: bool,
        separators: &'static [char],
    },
}

impl PatternCompiler {
    /// Like [`Pattern::compile`].
    ///
    /// # Errors
    /// Names the piece at fault and what is wrong with it.
    pub fn compile(&mut self, strategy: Strategy, pattern: &str) -> Result<Pattern, PatternError> {
        if pattern.len() > MAX_PATTERN_BYTES {
            let start: String = pattern.chars().take(64).collect();
            let reason = format!("a pattern has at most {MAX_PATTERN_BYTES} bytes");
            return Err(fault(&start, reason));
        }
        let mut row = Vec::new();
        let mut pieces = split(pattern)?.into_iter().peekable();
        while let Some(piece) = pieces.next() {
            row.push(match piece {
                pieces::Piece::Literal(text) => Piece::Text(Box::from(text)),
                pieces::Piece::Body(body) => {
                    let last = pieces.peek().is_none();
                    let language = match strategy {
                        Strategy::Regexp => Language::Regexp,
                        Strategy::Glob => Language::Glob {
                            last,
                            separators: glob::SEPARATORS,
                        },
                        Strategy::PathGlob => Language::Glob {
                            last,
                            separators: glob::SLASH,
                        },
                    };
                    let program = self.program(language, body);
                    Piece::Program(program.map_err(|reason| fault(&bracketed(body), reason))?)
                }
            });
        }
        check_names(pattern, &row)?;
        Ok(Pattern(Part::row(row)))
    }

    fn program(&mut self, language: Language, body: &str) -> Result<Arc<Program>, String> {
        let known = self.programs.get(&language);
        if let Some(program) = known.and_then(|known| known.get(body)) {
            return Ok(Arc::clone(program));
        }
        let program = match language {
            Language::Regexp => self.regexp(body)?,
            Language::Glob { last, separators } => {
                let glob = glob::read(body, last, separators)?;
                self.compiler.program(&glob, Vec::new())?
            }
        };
        let program = Arc::new(program);
        let known = self.programs.entry(language).or_default();
        known.insert(Box::from(body), Arc::clone(&program));
        Ok(program)
    }

    #[cfg(feature = "regexp")]
    fn regexp(&mut self, body: &str) -> Result<Program, String> {
        let inner = regexp::translate(body)?;
        let groups = [Group::Unnamed].into_iter().chain(inner.groups);
        let text = format!("({})", inner.text);
        self.compiler.compile(&text, groups.collect())
    }

    #[cfg(not(feature = "regexp"))]
    fn regexp(&mut self, _: &str) -> Result<Program, String> {
        Err(
            "regular expressions are left out of this module to keep it small; \
             `access_rules.wasm` has them"
                .to_owned(),
        )
    }
}

/// A body as `regex-syntax` reads it, with its groups in the order of their opening brackets: for
/// those who ask what a pattern describes, where a [`Pattern`] only tells whether it matches.
#[cfg(feature = "analysis")]
pub(crate) fn translate(
    strategy: Strategy,
    body: &str,
    last: bool,
) -> Result<(String, Vec<Group>), String> {
    match strategy {
        Strategy::Regexp => regexp::translate(body).map(|it| (it.text, it.groups)),
        Strategy::Glob | Strategy::PathGlob => {
            let separators = match strategy {
                Strategy::PathGlob => glob::SLASH,
                _ => glob::SEPARATORS,
            };
            glob::read(body, last, separators).map(|glob| (glob.to_string(), Vec::new()))
        }
    }
}

/// Each name once in a pattern: which of two groups it would mean, rules could not say.
fn check_names(pattern: &str, row: &[Piece]) -> Result<(), PatternError> {
    let mut names = Vec::new();
    for piece in row {
        let Piece::Program(program) = piece else {
            continue;
        };
        for name in program.names() {
            if names.contains(&name) {
                return Err(fault(pattern, format!("duplicate group name `{name}`")));
            }
            names.push(name);
        }
    }
    Ok(())
}

fn bracketed(body: &str) -> String {
    format!("<{body}>")
}

fn fault(piece: &str, reason: String) -> PatternError {
    PatternError {
        piece: piece.to_owned(),
        reason,
    }
}
