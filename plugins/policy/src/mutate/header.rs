//! `header`: sets request headers to what templates make of the session.

use crate::{
    Denial, Session, compile::Compiler, config::Section, headers::HeaderTemplate, pipeline::Facts,
    template::Data,
};

/// Header names with the templates of their values.
#[derive(Debug)]
pub(crate) struct Header {
    fields: Vec<HeaderTemplate>,
}

impl Header {
    pub(super) fn compile(mut section: Section<'_>, compiler: &mut Compiler<'_>) -> Self {
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
        Self { fields }
    }

    pub(super) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Result<(), Denial> {
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
