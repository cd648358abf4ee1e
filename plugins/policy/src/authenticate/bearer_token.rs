//! `bearer_token`: asks a session store whose token this is.

use crate::{
    ask::{Answer, Told},
    compile::{Compiler, Entry},
    pipeline::Facts,
};

use super::{
    Authentication,
    session_check::{Credential, SessionCheck},
    token_from::OpaqueToken,
};

/// Responsible for requests with a token, whatever it is made of.
#[derive(Debug)]
pub(crate) struct BearerToken {
    token: OpaqueToken,
    check: SessionCheck,
}

impl BearerToken {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let token = OpaqueToken::compile(&mut section);
        let check = SessionCheck::compile(
            &mut section,
            entry.extension,
            Credential::Authorization,
            compiler,
        );
        section.finish();
        Some(Self {
            token,
            check: check?,
        })
    }

    /// Oathkeeper looks for the token everywhere that `token_from` allows, but sends only the request's
    /// `Authorization` on (ory/oathkeeper#786); the store would see no token, or another one.
    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        match self.token.find(facts) {
            Ok(Some(token)) => self.check.ask(facts, Some(&token)),
            Ok(None) => Authentication::NotResponsible,
            Err(several) => Authentication::Refused(several.into()),
        }
    }

    pub(super) fn resume(&self, facts: &Facts<'_>, answer: &Answer) -> Told<Authentication> {
        self.check.resume(facts, answer)
    }
}
