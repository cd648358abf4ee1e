//! Finds the rule for a request without trying every rule.

use crate::{matching::Pattern, path::Url};

/// The rules' methods and patterns, arranged so that a request tries few of them.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {}

/// The outcome of a lookup. Rules are named by their position in what the index was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No rule matches.
    None,
    /// Exactly one rule matches.
    One {
        /// Which.
        rule: usize,
        /// What its groups captured.
        captures: Vec<String>,
    },
    /// These rules all match; none has precedence.
    Several(Vec<usize>),
    /// Whether this rule matches is unknown, so the request must be refused.
    TooManySteps(usize),
}

impl RuleIndex {
    /// An index over rules: each with its methods and its pattern.
    pub fn build(_rules: impl IntoIterator<Item = (Vec<String>, Pattern)>) -> Self {
        Self {}
    }

    /// The rule for a request with `method` for `url`.
    #[must_use]
    pub fn lookup(&self, _method: &str, _url: &Url) -> Lookup {
        Lookup::None
    }
}
