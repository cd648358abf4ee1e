//! The third stage: what the upstream is told about the caller. All mutators run, in order.

mod cookie;
mod header;

use std::sync::Arc;

use crate::{
    Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::{Facts, Memory},
};

use self::{cookie::Cookie, header::Header};

/// One mutator of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Mutator {
    /// Changes nothing.
    Noop,
    /// Sets headers from templates.
    Header(Header),
    /// Sets cookies from templates.
    Cookie(Cookie),
}

impl Mutator {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] = &["noop", "header", "cookie"];

    /// The handlers that only we have. A rule names them below `gatepost.mutators`.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &[];

    /// Makes a mutator from its effective configuration.
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            "noop" => Some(Self::Noop),
            "header" => Header::compile(entry.config, compiler).map(Self::Header),
            "cookie" => Cookie::compile(entry.config, compiler).map(Self::Cookie),
            _ => None,
        }
    }

    /// Its name in a rule.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Header(_) => "header",
            Self::Cookie(_) => "cookie",
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
            Self::Cookie(handler) => handler.mutate(session, facts).into(),
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
            Self::Noop | Self::Header(_) | Self::Cookie(_) => Progress::uncalled(),
        }
    }
}

/// Sets a header of the request that goes upstream, in the place of an earlier mutator's.
fn set(headers: &mut Vec<(Arc<str>, String)>, name: &Arc<str>, value: String) {
    match headers
        .iter_mut()
        .find(|(present, _)| present.eq_ignore_ascii_case(name))
    {
        Some((_, present)) => *present = value,
        None => headers.push((Arc::clone(name), value)),
    }
}
