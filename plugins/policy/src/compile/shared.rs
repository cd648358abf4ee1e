//! Handlers that many rules have in common: what a hundred rules say alike is made and held once.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use crate::{
    authorize::Authorizer,
    config::{Place, Section},
    mutate::Mutator,
    on_error::ErrorHandler,
    policy::AuthenticatorEntry,
};

/// Small modules have few rules, and leave this out.
pub(super) const SHARES: bool = cfg!(feature = "rules");

/// How many handlers of a stage are looked for again. Rules that have nothing in common would only
/// fill the memory with what nobody finds.
const MOST: usize = 256;

/// The handlers so far, by stage.
#[derive(Debug, Default)]
pub(super) struct Shared {
    authenticators: Known<AuthenticatorEntry>,
    authorizers: Known<Authorizer>,
    mutators: Known<Mutator>,
    errors: Known<ErrorHandler>,
}

/// The handlers of a stage by what rules say of them. What the configuration tree adds to that is the
/// same for all rules.
#[derive(Debug)]
pub(super) struct Known<H>(HashMap<String, Made<H>>);

/// A handler, and the origins that it may call.
#[derive(Debug)]
pub(super) struct Made<H> {
    pub(super) handler: Arc<H>,
    pub(super) origins: Box<[(Arc<str>, Place)]>,
}

impl<H> Known<H> {
    pub(super) fn get(&self, key: &str) -> Option<&Made<H>> {
        self.0.get(key)
    }

    pub(super) fn insert(&mut self, key: String, made: Made<H>) {
        if self.0.len() < MOST {
            self.0.insert(key, made);
        }
    }
}

impl<H> Default for Known<H> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

/// What an entry says: its handler's name, and its own part of the configuration.
pub(super) fn key(name: &str, entry: &mut Section<'_>) -> String {
    let mut key = name.to_owned();
    for part in ["config", "gatepost"] {
        key.push('\n');
        if let Some(value) = entry.value(part) {
            // Into a string, which never fails.
            let _ = write!(key, "{value}");
        }
    }
    key
}

/// A handler of some stage.
pub(super) trait Kept: Sized {
    /// The handlers of its stage.
    fn known(shared: &Shared) -> &Known<Self>;

    /// The same, to add to them.
    fn known_mut(shared: &mut Shared) -> &mut Known<Self>;

    /// Whether it holds nothing of the rule that it stands in.
    fn is_shareable(&self) -> bool {
        true
    }
}

impl Kept for AuthenticatorEntry {
    fn known(shared: &Shared) -> &Known<Self> {
        &shared.authenticators
    }

    fn known_mut(shared: &mut Shared) -> &mut Known<Self> {
        &mut shared.authenticators
    }
}

impl Kept for Authorizer {
    fn known(shared: &Shared) -> &Known<Self> {
        &shared.authorizers
    }

    fn known_mut(shared: &mut Shared) -> &mut Known<Self> {
        &mut shared.authorizers
    }
}

impl Kept for Mutator {
    fn known(shared: &Shared) -> &Known<Self> {
        &shared.mutators
    }

    fn known_mut(shared: &mut Shared) -> &mut Known<Self> {
        &mut shared.mutators
    }

    /// One that signs knows its place, for the case that its key turns out not to work.
    fn is_shareable(&self) -> bool {
        self.signs_with().is_none()
    }
}

impl Kept for ErrorHandler {
    fn known(shared: &Shared) -> &Known<Self> {
        &shared.errors
    }

    fn known_mut(shared: &mut Shared) -> &mut Known<Self> {
        &mut shared.errors
    }
}
