//! `cel`: decides by an expression in the Common Expression Language.
//!
//! ```text
//!   text -> the crate `cel`'s parser -> lower.rs -> Program      at load
//!   Program + session + request -> evaluate.rs -> bool           per request
//! ```
//!
//! Only the parser is a library's. The evaluator there stops after no number of steps, which here a
//! client could make it run; so the tree is lowered to a [`Program`] in which every name is resolved,
//! and that is run by a small evaluator which pays for all it does out of a [budget](evaluate::BUDGET).
//!
//! | variable | what it is |
//! |---|---|
//! | `request.method`, `.scheme`, `.host`, `.path` | strings, as rules match them |
//! | `request.query`, `request.headers` | maps of strings |
//! | `subject` | the session's subject |
//! | `claims` | the session's `extra` |
//! | `match.groups` | what the rule's pattern captured |
//! | `remote_ip` | the client's address |

mod evaluate;
mod fault;
mod functions;
mod lower;
mod number;
mod program;
#[cfg(test)]
mod tests;
mod value;
mod variable;

use crate::{Denial, Session, ask::Progress, config::Section, pipeline::Facts};

use self::program::Program;

/// The longest expression, in bytes. What it costs to read one is bounded by this.
const MAX_SOURCE: usize = 4096;

/// An expression that must be true.
#[derive(Debug)]
pub(crate) struct Cel {
    program: Program,
}

impl Cel {
    pub(super) fn compile(mut section: Section<'_>) -> Option<Self> {
        let source = section.required_string("expression");
        let program = source.and_then(|source| match compile(&source) {
            Ok(program) => Some(program),
            Err(message) => {
                section.wrong("expression", message);
                None
            }
        });
        section.finish();
        Some(Self { program: program? })
    }

    pub(super) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        match evaluate::decide(&self.program, session, facts) {
            Ok(true) => Progress::Done,
            Ok(false) => Progress::Refused(Denial::Forbidden("the expression is false".to_owned())),
            Err(fault) => Progress::Refused(Denial::Forbidden(format!(
                "the expression has no result: {fault}"
            ))),
        }
    }

    /// Whether it decides by the client's address.
    pub(super) const fn reads_client_address(&self) -> bool {
        self.program.reads_client_address
    }
}

/// Whether an expression that can be loaded is the same for every request.
#[cfg(feature = "analysis")]
pub(crate) fn is_constant(source: &str) -> bool {
    compile(source).is_ok_and(|program| program.is_constant)
}

fn compile(source: &str) -> Result<Program, String> {
    if source.len() > MAX_SOURCE {
        return Err(format!(
            "is longer than {MAX_SOURCE} bytes; several `cel` authorizers, all of which must agree, may \
             share the work"
        ));
    }
    lower::program(&lower::parse(source)?)
}
