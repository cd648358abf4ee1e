//! One compiled `match.url`.

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
pub struct Pattern {}

impl Pattern {
    /// Compiles `pattern`.
    ///
    /// # Errors
    /// Names the piece at fault and what is wrong with it.
    pub fn compile(_strategy: Strategy, pattern: &str) -> Result<Self, PatternError> {
        Err(PatternError {
            piece: pattern.to_owned(),
            reason: "patterns are not there yet".to_owned(),
        })
    }

    /// Matches the whole of `subject`: the capture groups, or `None` where it does not match.
    ///
    /// # Errors
    /// [`TooManySteps`] where a pattern with look-ahead had to be given up.
    pub fn captures(&self, _subject: &str) -> Result<Option<Vec<String>>, TooManySteps> {
        Ok(None)
    }
}
