//! What can go wrong, at load and per request.

use std::borrow::Cow;

/// A place in a template's source; both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Place {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// Moves past `text`.
    pub(super) fn advance(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
    }
}

/// Why a template was refused when it was loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template line {line}, column {column}: {problem}")]
pub struct TemplateError {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted in characters from 1.
    pub column: u32,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl TemplateError {
    pub(super) fn new(place: Place, problem: impl Into<String>) -> Self {
        Self {
            line: place.line,
            column: place.column,
            problem: problem.into(),
        }
    }
}

/// Why a template could not be rendered for this request. It names places, fields and types,
/// never the value of a claim or a header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template line {line}, column {column}: {problem}")]
pub struct RenderError {
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted in characters from 1.
    pub column: u32,
    /// What went wrong.
    pub problem: String,
}

/// What went wrong while rendering, before the place is known.
#[derive(Debug)]
pub(super) struct Fault(Cow<'static, str>);

impl Fault {
    pub(super) fn new(problem: impl Into<Cow<'static, str>>) -> Self {
        Self(problem.into())
    }

    pub(super) fn at(self, place: Place) -> RenderError {
        RenderError {
            line: place.line,
            column: place.column,
            problem: self.0.into_owned(),
        }
    }
}
