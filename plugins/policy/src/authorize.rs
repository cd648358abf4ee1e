//! The second stage: may this caller do this? Exactly one authorizer a rule.

use crate::Denial;

/// The authorizer of a rule, ready to use.
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

    /// The authorizer `name`. Both take any configuration, as they do in Oathkeeper.
    pub(crate) fn compile(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// Whether the caller may.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn authorize(&self) -> Result<(), Denial> {
        match self {
            Self::Allow => Ok(()),
            Self::Deny => Err(Denial::Forbidden("the rule denies every caller".to_owned())),
        }
    }
}
