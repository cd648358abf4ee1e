//! The third stage: what the upstream is told about the caller. All mutators run, in order.

mod header;

use serde_json::Value;

use crate::{
    Denial, Session,
    compile::Compiler,
    config::{Place, Section},
    pipeline::Facts,
};

use self::header::Header;

/// One mutator of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Mutator {
    /// Changes nothing.
    Noop,
    /// Sets headers from templates.
    Header(Header),
}

impl Mutator {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] = &["noop", "header"];

    /// Makes the mutator `name` from its effective configuration.
    pub(crate) fn compile(
        name: &str,
        config: &Value,
        place: Place,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        match name {
            "noop" => Some(Self::Noop),
            "header" => {
                let section = Section::new(Some(config), place, compiler.errors());
                Header::compile(section, compiler).map(Self::Header)
            }
            _ => None,
        }
    }

    /// Changes the session.
    ///
    /// # Errors
    /// The refusal, where a value cannot be made.
    pub(crate) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Result<(), Denial> {
        match self {
            Self::Noop => Ok(()),
            Self::Header(handler) => handler.mutate(session, facts),
        }
    }
}
