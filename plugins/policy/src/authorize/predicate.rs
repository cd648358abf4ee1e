//! `allow_when`: what the answer of a remote authorizer must say beyond its status, as Open Policy
//! Agent says its decision in the body of a 200.

use serde_json::Value;

use crate::{Denial, config::Section, json_path::JsonPath};

/// A place in the answer, and the one value there that allows.
#[derive(Debug)]
pub(super) struct Predicate {
    path: JsonPath,
    equals: Value,
}

impl Predicate {
    /// Reads `allow_when` below `gatepost`; `None` where there is none, or a wrong one.
    pub(super) fn read(extension: &mut Section<'_>) -> Option<Self> {
        extension.value("allow_when")?;
        let mut section = extension.section("allow_when");
        let path = section.required_string("path");
        let equals = section.value("equals").cloned();
        if equals.is_none() {
            section.wrong(
                "equals",
                "is required: the value that allows, such as `true`",
            );
        }
        let path = path.and_then(|path| match JsonPath::parse(&path) {
            Ok(path) => Some(path),
            Err(error) => {
                section.wrong("path", error.to_string());
                None
            }
        });
        section.finish();
        Some(Self {
            path: path?,
            equals: equals?,
        })
    }

    /// Whether an answer with this body allows.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), Denial> {
        let body: Value = serde_json::from_slice(body).map_err(|_| {
            Denial::Internal("the remote authorizer's answer is not JSON".to_owned())
        })?;
        if self.path.get(&body).as_deref() == Some(&self.equals) {
            return Ok(());
        }
        Err(Denial::Forbidden(
            "the remote authorizer's answer does not say what `allow_when` asks for".to_owned(),
        ))
    }
}
