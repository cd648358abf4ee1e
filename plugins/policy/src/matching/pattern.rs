//! One compiled `match.url`.

use std::{collections::HashMap, sync::Arc};

use super::{
    engine::{self, Linear, LookAhead},
    glob,
    pieces::{Piece, split},
    regexp,
};

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

/// The match was given up after a fixed number of steps: whether the pattern matches is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern takes too many steps to match")]
pub struct TooManySteps;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The literal text in it, in order.
    literals: Box<[Box<str>]>,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// The pattern is its one literal.
    Literal(Box<str>),
    /// The subject begins with `prefix`; the expression describes the rest.
    Linear { prefix: Box<str>, rest: Arc<Linear> },
    /// The subject begins with `prefix`; the expression describes all of it.
    LookAhead {
        prefix: Box<str>,
        whole: Arc<LookAhead>,
    },
}

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
    /// [`TooManySteps`] where a pattern with look-ahead had to be given up.
    pub fn captures(&self, subject: &str) -> Result<Option<Vec<String>>, TooManySteps> {
        match &self.matcher {
            Matcher::Literal(literal) => Ok((subject == &**literal).then(Vec::new)),
            Matcher::Linear { prefix, rest } if subject.starts_with(&**prefix) => {
                rest.captures(subject, prefix.len())
            }
            Matcher::LookAhead { prefix, whole } if subject.starts_with(&**prefix) => {
                whole.captures(subject)
            }
            Matcher::Linear { .. } | Matcher::LookAhead { .. } => Ok(None),
        }
    }

    /// The only text that the pattern matches, where it has no `<…>`.
    pub(super) fn literal(&self) -> Option<&str> {
        match &self.matcher {
            Matcher::Literal(literal) => Some(literal),
            Matcher::Linear { .. } | Matcher::LookAhead { .. } => None,
        }
    }

    /// Texts that every subject which the pattern matches must hold.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        self.literals.iter().map(|literal| &**literal)
    }
}

/// Compiles patterns, keeping one copy of what several of them share. Ten thousand rules that all
/// end in `<[0-9]+>` need that expression once.
#[derive(Debug, Default)]
pub struct PatternCompiler {
    linear: HashMap<(String, Strategy), Arc<Linear>>,
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
        let pieces = split(pattern)?;
        let literals = pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(Box::from(*literal)),
            Piece::Body(_) => None,
        });
        Ok(Pattern {
            literals: literals.collect(),
            matcher: self.matcher(strategy, pattern, &pieces)?,
        })
    }

    fn matcher(
        &mut self,
        strategy: Strategy,
        pattern: &str,
        pieces: &[Piece<'_>],
    ) -> Result<Matcher, PatternError> {
        let (prefix, rest) = match pieces {
            [] => return Ok(Matcher::Literal(Box::default())),
            [Piece::Literal(only)] => return Ok(Matcher::Literal(Box::from(*only))),
            [Piece::Literal(prefix), rest @ ..] => (*prefix, rest),
            all => ("", all),
        };
        let expression = match strategy {
            Strategy::Regexp => regexp_expression(rest)?,
            Strategy::Glob => glob_expression(rest)?,
        };
        if expression.looks_ahead {
            let mut whole = String::new();
            prefix
                .chars()
                .for_each(|next| regexp::push_literal(&mut whole, next));
            whole.push_str(&expression.text);
            let look_ahead = LookAhead::compile(&whole).map_err(|it| fault(pattern, it))?;
            return Ok(Matcher::LookAhead {
                prefix: Box::from(prefix),
                whole: Arc::new(look_ahead),
            });
        }
        let rest = self.linear(strategy, expression.text);
        Ok(Matcher::Linear {
            prefix: Box::from(prefix),
            rest: rest.map_err(|reason| fault(pattern, reason))?,
        })
    }

    fn linear(&mut self, strategy: Strategy, expression: String) -> Result<Arc<Linear>, String> {
        let key = (expression, strategy);
        if let Some(shared) = self.linear.get(&key) {
            return Ok(Arc::clone(shared));
        }
        let compiled = Arc::new(Linear::compile(&key.0, strategy == Strategy::Regexp)?);
        self.linear.insert(key, Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// One group for each body, literal text between them.
fn regexp_expression(pieces: &[Piece<'_>]) -> Result<regexp::Translated, PatternError> {
    let mut text = String::new();
    let mut looks_ahead = false;
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => literal
                .chars()
                .for_each(|next| regexp::push_literal(&mut text, next)),
            Piece::Body(body) => {
                let translated = regexp_body(body).map_err(|it| fault(&bracketed(body), it))?;
                text.extend(["(", &translated.text, ")"]);
                looks_ahead |= translated.looks_ahead;
            }
        }
    }
    Ok(regexp::Translated { text, looks_ahead })
}

/// Each body has to stand by itself.
fn regexp_body(body: &str) -> Result<regexp::Translated, String> {
    let translated = regexp::translate(body)?;
    if translated.looks_ahead {
        LookAhead::compile(&format!("(?:{})", translated.text))?;
    } else {
        engine::check(&translated.text)?;
    }
    Ok(translated)
}

fn glob_expression(pieces: &[Piece<'_>]) -> Result<regexp::Translated, PatternError> {
    let mut text = String::new();
    let mut pieces = pieces.iter().peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::Literal(literal) => literal
                .chars()
                .for_each(|next| regexp::push_literal(&mut text, next)),
            Piece::Body(body) => {
                let last = pieces.peek().is_none();
                let translated = glob::translate(body, last);
                text.push_str(&translated.map_err(|reason| fault(&bracketed(body), reason))?);
            }
        }
    }
    Ok(regexp::Translated {
        text,
        looks_ahead: false,
    })
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
