//! What stands in for the handlers that a build leaves out.
//!
//! A small module has some of the handlers only: the crate's features say which. In the place of every
//! other there is [`LeftOut`], which has no values: the code that would run it is not there either, and a
//! rule that names it is told so when it is loaded.

use crate::{
    Session,
    ask::{Answer, Progress, Told},
    authenticate::Authentication,
    challenge::Offer,
    compile::{Compiler, Entry},
    config::Place,
    pipeline::{Facts, Memory},
};

/// A handler that is not in this build.
#[derive(Debug)]
pub(crate) enum LeftOut {}

// With all rules only an authorizer is left out.
#[cfg_attr(
    feature = "rules",
    expect(dead_code, reason = "for the handlers of smaller modules")
)]
impl LeftOut {
    /// Notes that a rule names it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "called as the handlers' own `compile` is"
    )]
    pub(crate) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let remedy = match entry.name {
            "cel" => "build one that has it with `cargo xtask build --cel`, see docs/cel.md",
            _ => "`access_rules.wasm` has it",
        };
        let message = format!(
            "`{}` is left out of this module to keep it small; {remedy}",
            entry.name
        );
        let place = entry.config.place().clone();
        compiler.errors().add(place, message);
        None
    }

    pub(crate) const fn authenticate(&self, _: &Facts<'_>) -> Authentication {
        match *self {}
    }

    pub(crate) const fn authenticate_with(&self, _: &Facts<'_>, _: &mut Memory) -> Authentication {
        match *self {}
    }

    pub(crate) const fn offers(&self) -> Vec<Offer> {
        match *self {}
    }

    pub(crate) const fn reads_peer_certificate(&self) -> bool {
        match *self {}
    }

    pub(crate) const fn authorize(&self, _: &Session, _: &Facts<'_>) -> Progress {
        match *self {}
    }

    pub(crate) const fn reads_client_address(&self) -> bool {
        match *self {}
    }

    pub(crate) const fn mutate(&self, _: &mut Session, _: &Facts<'_>) -> Progress {
        match *self {}
    }

    pub(crate) const fn mutate_with(
        &self,
        _: &mut Session,
        _: &Facts<'_>,
        _: &mut Memory,
    ) -> Progress {
        match *self {}
    }

    pub(crate) const fn signs_with(&self) -> (usize, &Place) {
        match *self {}
    }

    pub(crate) fn resume<W, T>(&self, _: W, _: &Answer) -> Told<T> {
        match *self {}
    }
}
