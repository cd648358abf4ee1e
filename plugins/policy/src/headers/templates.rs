//! Header fields whose values are drawn from the session.

use std::sync::Arc;

use super::{check_settable, holds_control};
use crate::{
    Denial,
    config::Section,
    template::{Data, Template},
};

/// A header field whose value is rendered for each request.
#[derive(Debug)]
pub(crate) struct HeaderTemplate {
    /// As the rule wrote it.
    pub(crate) name: Arc<str>,
    template: Template,
}

impl HeaderTemplate {
    /// Reads the map of names to templates at `key`, in the order of the names; mistakes are noted.
    pub(crate) fn read_map(section: &mut Section<'_>, key: &'static str) -> Vec<Self> {
        let place = section.place().key(key);
        let mut fields: Vec<Self> = Vec::new();
        for (name, source) in section.string_map(key).unwrap_or_default() {
            match Self::parse(&name, &source, &fields) {
                Ok(field) => fields.push(field),
                Err(problem) => section.errors().add(place.key(&name), problem),
            }
        }
        fields
    }

    fn parse(name: &str, source: &str, others: &[Self]) -> Result<Self, String> {
        check_settable(name)?;
        if others
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(name))
        {
            return Err("is set twice, in different letter case".to_owned());
        }
        Ok(Self {
            name: name.into(),
            template: Template::parse(source).map_err(|error| error.to_string())?,
        })
    }

    /// The field's value.
    pub(crate) fn render(&self, data: &Data<'_>) -> Result<String, Denial> {
        let name = &self.name;
        let value = self.template.render(data).map_err(|error| {
            Denial::Internal(format!("the template of header `{name}` failed: {error}"))
        })?;
        if holds_control(value.as_bytes()) {
            // A line break would let a claim write headers of its own.
            return Err(Denial::Internal(format!(
                "the value of header `{name}` holds a control character"
            )));
        }
        Ok(value)
    }
}
