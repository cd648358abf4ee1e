//! `remote`: shows the request's body to a server, whose status decides.

use crate::{
    Session,
    ask::{Answer, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::Facts,
};

use super::callout::Callout;

/// Needs the body before it asks.
#[derive(Debug)]
pub(crate) struct Remote(Callout);

impl Remote {
    pub(super) fn compile(mut entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let callout = Callout::compile(&mut entry, compiler);
        entry.config.finish();
        callout.map(Self)
    }

    pub(super) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        let Some(body) = &facts.request.body else {
            return Progress::NeedsBody;
        };
        let content_type = facts.request.headers.all("content-type");
        let ask = self.0.ask(
            session,
            facts,
            content_type.map(<[u8]>::to_vec),
            body.clone(),
        );
        match ask {
            Ok(ask) => Progress::Ask(Box::new(ask)),
            Err(denial) => Progress::Refused(denial),
        }
    }

    pub(super) fn resume(&self, session: &mut Session, answer: &Answer) -> Told<Progress> {
        self.0.resume(session, answer)
    }
}
