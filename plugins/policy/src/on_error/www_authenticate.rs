//! `www_authenticate`: makes a browser ask for a user name and password.

use crate::{Response, config::Section};

/// Always 401 with a Basic challenge (RFC 7617 section 2), whatever the refusal was.
#[derive(Debug)]
pub(crate) struct WwwAuthenticate {
    challenge: String,
}

impl WwwAuthenticate {
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        let realm = section
            .string("realm")
            .unwrap_or_else(|| "Please authenticate.".to_owned());
        if realm.chars().any(char::is_control) {
            section.wrong("realm", "must not hold control characters");
        }
        // Quoted, as RFC 9110 section 11.5 asks for; Oathkeeper leaves the quotes out.
        let realm = realm.replace('\\', "\\\\").replace('"', "\\\"");
        Self {
            challenge: format!("Basic realm=\"{realm}\""),
        }
    }

    pub(super) fn respond(&self) -> Response {
        Response {
            status: 401,
            headers: vec![
                ("www-authenticate", self.challenge.clone().into_bytes()),
                ("content-type", b"text/plain; charset=utf-8".to_vec()),
            ],
            body: b"Please sign in.\n".to_vec(),
        }
    }
}
