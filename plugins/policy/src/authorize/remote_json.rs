//! `remote_json`: sends a server what a template makes of the session, and its status decides.

use serde::de::IgnoredAny;

use crate::{
    Denial, Session,
    ask::{Answer, Ask, Progress, Told},
    compile::{Compiler, Entry},
    pipeline::Facts,
    template::{Data, Template},
};

use super::callout::Callout;

/// Sends its `payload`, which must be JSON once it is rendered.
#[derive(Debug)]
pub(crate) struct RemoteJson {
    callout: Callout,
    payload: Template,
}

impl RemoteJson {
    pub(super) fn compile(mut entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let callout = Callout::compile(&mut entry, compiler);
        let mut section = entry.config;
        let source = section.required_string("payload");
        let payload = source.and_then(|source| match Template::parse(&source) {
            Ok(template) => Some(template),
            Err(error) => {
                section.wrong("payload", error.to_string());
                None
            }
        });
        section.finish();
        Some(Self {
            callout: callout?,
            payload: payload?,
        })
    }

    pub(super) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        match self.ask(session, facts) {
            Ok(ask) => Progress::Ask(Box::new(ask)),
            Err(denial) => Progress::Refused(denial),
        }
    }

    pub(super) fn resume(&self, session: &mut Session, answer: &Answer) -> Told<Progress> {
        self.callout.resume(session, answer)
    }

    fn ask(&self, session: &Session, facts: &Facts<'_>) -> Result<Ask, Denial> {
        let data = Data {
            session,
            context: facts.match_context(),
        };
        let payload = self.payload.render_json(&data).map_err(|error| {
            Denial::Internal(format!("the template of the payload failed: {error}"))
        })?;
        if serde_json::from_str::<IgnoredAny>(&payload).is_err() {
            return Err(Denial::Internal(
                "the payload is not JSON once it is rendered; `toJson` writes a value as JSON"
                    .to_owned(),
            ));
        }
        let json = std::iter::once(b"application/json".to_vec());
        self.callout.ask(session, facts, json, payload.into_bytes())
    }
}
