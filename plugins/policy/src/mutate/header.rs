//! `header`: sets request headers to what templates make of the session.

use crate::{
    Denial, Session,
    ask::Progress,
    compile::{Compiler, Entry},
    headers::HeaderTemplate,
    pipeline::Facts,
    template::Data,
};

/// Header names with the templates of their values.
#[derive(Debug)]
pub(crate) struct Header {
    fields: Vec<HeaderTemplate>,
}

impl Header {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        if section.value("headers").is_none() {
            section.wrong(
                "headers",
                "is required: header names with the templates of their values",
            );
        }
        let fields = HeaderTemplate::read_map(&mut section, "headers");
        section.finish();
        for field in &fields {
            compiler.settable_header(&field.name);
        }
        Some(Self { fields })
    }

    pub(super) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Progress {
        self.set(session, facts).into()
    }

    fn set(&self, session: &mut Session, facts: &Facts<'_>) -> Result<(), Denial> {
        for field in &self.fields {
            let data = Data {
                session,
                context: facts.match_context(),
            };
            let value = field.render(&data)?;
            session.set_header(&field.name, value);
        }
        Ok(())
    }
}
