//! The third stage: what the upstream is told about the caller. All mutators run, in order.

mod header;

use crate::{
    Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::{Facts, Memory},
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

    /// The handlers that only we have. A rule names them below `gatepost.mutators`.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &[];

    /// Makes a mutator from its effective configuration.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            "noop" => Some(Self::Noop),
            "header" => Header::compile(entry.config, compiler).map(Self::Header),
            _ => None,
        }
    }

    /// Changes the session.
    pub(crate) fn mutate(
        &self,
        session: &mut Session,
        facts: &Facts<'_>,
        _memory: &mut Memory,
    ) -> Progress {
        match self {
            Self::Noop => Progress::Done,
            Self::Header(handler) => handler.mutate(session, facts).into(),
        }
    }

    /// Goes on with the answer to the call that this mutator asked for.
    pub(crate) fn resume(
        &self,
        _session: &mut Session,
        _facts: &Facts<'_>,
        _answer: &Answer,
    ) -> Told<Progress> {
        match self {
            Self::Noop | Self::Header(_) => Progress::uncalled(),
        }
    }
}
