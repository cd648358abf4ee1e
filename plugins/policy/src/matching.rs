//! Which rule a request falls under: Oathkeeper's two pattern languages, and an index over them.
//!
//! A pattern describes the whole of `scheme://host[:port]/path` ([`crate::path::Url::subject`]).
//! Text outside `<…>` is literal; what a `<…>` holds is a regular expression or a glob, by the
//! policy's [`Strategy`].
//!
//! ```text
//!   pattern -> pieces -> regexp or glob (translate) -> engine -> Pattern -> RuleIndex    at load
//!   Url -> RuleIndex: a handful of Patterns -> Lookup                               per request
//! ```
//!
//! Neither language is handed to an engine as written: the engines' dialects differ from
//! Oathkeeper's in quiet ways (`\<`, `[a&&b]`, `a++`, `[^[]`). A body is read by Oathkeeper's
//! syntax, written out in the one form that our engines read alike, and refused at load where there
//! is none.

mod engine;
mod glob;
mod index;
mod pattern;
mod pieces;
mod regexp;

#[cfg(test)]
mod tests;

pub use index::{Lookup, RuleIndex};
pub use pattern::{Pattern, PatternCompiler, PatternError, Strategy, TooManySteps};
