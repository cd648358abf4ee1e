//! What can go wrong, at load and per request.

/// A place in a template's source; both numbers count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
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
    #[expect(dead_code, reason = "the parser that calls it lands next")]
    pub(super) fn new(place: Place, problem: impl Into<String>) -> Self {
        Self {
            line: place.line,
            column: place.column,
            problem: problem.into(),
        }
    }
}

/// Why a template could not be rendered for this request. It names places, fields and types,
/// never the values of a token or a header.
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
