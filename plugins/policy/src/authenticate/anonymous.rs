//! `anonymous`: a caller without credentials gets a subject of its own.

use crate::{Session, config::Section, pipeline::Facts};

use super::Authentication;

/// Responsible only where no `Authorization` header was sent, so that a bad token never becomes
/// an anonymous caller. Cookies do not matter to it.
#[derive(Debug)]
pub(crate) struct Anonymous {
    subject: String,
}

impl Anonymous {
    pub(super) fn compile(mut section: Section<'_>) -> Self {
        let subject = section
            .string("subject")
            .filter(|subject| !subject.is_empty())
            .unwrap_or_else(|| "anonymous".to_owned());
        section.finish();
        Self { subject }
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        let credentials = facts.request.headers.all("authorization");
        if credentials.into_iter().any(|value| !value.is_empty()) {
            return Authentication::NotResponsible;
        }
        Authentication::Known(Session {
            subject: self.subject.clone(),
            ..Session::default()
        })
    }
}
