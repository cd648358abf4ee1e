//! `header`: sets request headers to what templates make of the session.

use std::sync::Arc;

use crate::{
    Denial, Session,
    compile::Compiler,
    config::Section,
    headers::{check_settable, holds_control},
    pipeline::Facts,
    template::{Data, Template},
};

use super::set;

/// Header names with the templates of their values.
#[derive(Debug)]
pub(crate) struct Header {
    templates: Vec<(Arc<str>, Template)>,
}

impl Header {
    pub(super) fn compile(mut section: Section<'_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        if section.value("headers").is_none() {
            section.wrong(
                "headers",
                "is required: header names with the templates of their values",
            );
        }
        let headers = section.string_map("headers");
        let place = section.place().key("headers");
        section.finish();
        let mut templates: Vec<(Arc<str>, Template)> = Vec::new();
        for (name, source) in headers? {
            let place = place.key(&name);
            if let Err(problem) = check_settable(&name) {
                compiler.errors().add(place, problem);
                continue;
            }
            if templates
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(&name))
            {
                compiler
                    .errors()
                    .add(place, "is set twice, in different letter case");
                continue;
            }
            match Template::parse(&source) {
                Ok(template) => {
                    compiler.settable_header(&name);
                    templates.push((name.into(), template));
                }
                Err(error) => compiler.errors().add(place, error.to_string()),
            }
        }
        Some(Self { templates })
    }

    pub(super) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Result<(), Denial> {
        for (name, template) in &self.templates {
            let data = Data {
                session,
                context: facts.match_context(),
            };
            let value = template.render(&data).map_err(|error| {
                Denial::Internal(format!("the template of header `{name}` failed: {error}"))
            })?;
            if holds_control(value.as_bytes()) {
                // A line break would let a claim write headers of its own.
                return Err(Denial::Internal(format!(
                    "the value of header `{name}` holds a control character"
                )));
            }
            set(&mut session.headers, name, value);
        }
        Ok(())
    }
}
