//! `cookie_session`: asks a session store, such as Kratos' `/sessions/whoami`, whose cookies these are.

use crate::{
    ask::{Answer, Told},
    compile::{Compiler, Entry},
    cookies,
    pipeline::Facts,
};

use super::{
    Authentication,
    session_check::{Credential, SessionCheck},
};

/// Responsible for requests with one of its cookies.
#[derive(Debug)]
pub(crate) struct CookieSession {
    /// The cookies that make it responsible; any cookie does where the list is empty.
    only: Vec<String>,
    check: SessionCheck,
}

impl CookieSession {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let only = section.strings("only").unwrap_or_default();
        let check =
            SessionCheck::compile(&mut section, entry.extension, Credential::Cookie, compiler);
        section.finish();
        Some(Self {
            only,
            check: check?,
        })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        let responsible = cookies::pairs(&facts.request.headers)
            .any(|(name, _)| self.only.is_empty() || self.only.iter().any(|only| only == name));
        if responsible {
            self.check.ask(facts, None)
        } else {
            Authentication::NotResponsible
        }
    }

    pub(super) fn resume(&self, facts: &Facts<'_>, answer: &Answer) -> Told<Authentication> {
        self.check.resume(facts, answer)
    }
}
