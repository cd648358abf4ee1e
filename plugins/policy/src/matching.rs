//! Which rule a request falls under: Oathkeeper's two pattern languages, and an index over them.
//!
//! A pattern describes the whole of `scheme://host[:port]/path`. Text outside `<…>` is literal; what
//! a `<…>` holds is a regular expression or a glob, by the policy's [`Strategy`].

mod index;
mod pattern;

pub use index::{Lookup, RuleIndex};
pub use pattern::{Pattern, PatternError, Strategy, TooManySteps};
