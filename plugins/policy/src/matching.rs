//! Which rule a request falls under: Oathkeeper's two pattern languages, and an index over them.
//!
//! A pattern describes the whole of `scheme://host[:port]/path` ([`crate::path::Url::subject`]).
//! Text outside `<…>` is literal; what a `<…>` holds is a regular expression or a glob, by the
//! policy's [`Strategy`].
//!
//! ```text
//!   pattern -> pieces -> regexp or glob (translate) -> programs -> Pattern -> RuleIndex    at load
//!   Url -> RuleIndex: a handful of Patterns -> Lookup                                 per request
//! ```
//!
//! Regular expressions are not handed to `regex-syntax` as written: its dialect differs from Oathkeeper's in
//! quiet ways (`\<`, `[a&&b]`, `a++`, `[^[]`). A body is read by Oathkeeper's syntax, written out in
//! ours, and refused at load where there is no such form. Bodies are compiled one by one and shared
//! ([`crate::expression`]).

mod glob;
mod index;
mod pattern;
mod pieces;
#[cfg(feature = "regexp")]
mod regexp;

#[cfg(test)]
mod tests;

pub use index::{Admission, Lookup, Methods, RuleIndex};
#[cfg(feature = "analysis")]
pub(crate) use pattern::translate;
pub use pattern::{Pattern, PatternCompiler, PatternError, Strategy};
#[cfg(feature = "analysis")]
pub(crate) use pieces::{Piece, split};

pub use crate::expression::TooManySteps;
