//! The second stage: may this caller do this? Oathkeeper knows one authorizer a rule; further ones
//! stand below `gatepost.authorizers`, and all of them must agree.

use crate::{
    Denial, Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::Facts,
};

/// An authorizer of a rule, ready to use.
#[derive(Debug)]
pub(crate) enum Authorizer {
    /// Everybody who got this far may.
    Allow,
    /// Nobody may.
    Deny,
}

impl Authorizer {
    /// The handlers there are, by their names in a rule.
    pub(crate) const NAMES: &'static [&'static str] = &["allow", "deny"];

    /// The handlers that only we have. A rule names them below `gatepost.authorizers`.
    pub(crate) const EXTENSIONS: &'static [&'static str] = &[];

    /// Makes an authorizer from its effective configuration.
    pub(crate) fn compile(entry: &Entry<'_, '_>, _compiler: &mut Compiler<'_>) -> Option<Self> {
        match entry.name {
            // Both take any configuration, as they do in Oathkeeper.
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// Its name in a rule.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    /// Asks whether the caller may.
    pub(crate) fn authorize(&self, _session: &mut Session, _facts: &Facts<'_>) -> Progress {
        match self {
            Self::Allow => Progress::Done,
            Self::Deny => {
                Progress::Refused(Denial::Forbidden("the rule denies every caller".to_owned()))
            }
        }
    }

    /// Goes on with the answer to the call that this authorizer asked for.
    pub(crate) fn resume(
        &self,
        _session: &mut Session,
        _facts: &Facts<'_>,
        _answer: &Answer,
    ) -> Told<Progress> {
        match self {
            Self::Allow | Self::Deny => Progress::uncalled(),
        }
    }
}
