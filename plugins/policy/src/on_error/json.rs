//! `json`: the status of the refusal with Ory's JSON error body.

use serde_json::{Map, Value, json};

use crate::{Denial, Response, config::Section};

use super::Refused;

/// Ory's error body; the reason is shown only where the operator asks for it.
#[derive(Debug, Default)]
pub(crate) struct Json {
    verbose: bool,
}

impl Json {
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        Self {
            verbose: section.bool("verbose", false),
        }
    }

    pub(super) fn respond(&self, refused: &Refused<'_>) -> Response {
        let status = refused.denial.status();
        let (title, message) = text(status);
        let mut error = Map::new();
        error.insert("code".to_owned(), json!(status));
        error.insert("status".to_owned(), json!(title));
        error.insert("message".to_owned(), json!(message));
        if self.verbose {
            error.insert("reason".to_owned(), json!(refused.denial.to_string()));
        }
        if let Some(id) = refused.request.headers.first_str("x-request-id") {
            error.insert("request".to_owned(), json!(id));
        }
        let mut headers = vec![("content-type", b"application/json".to_vec())];
        if let Denial::TooManyRequests { headers: limits } = refused.denial {
            headers.extend(limits.iter().cloned());
        }
        Response {
            status,
            headers,
            body: Value::Object(Map::from_iter([("error".to_owned(), Value::Object(error))]))
                .to_string()
                .into_bytes(),
        }
    }
}

/// The status text and what the client may know of every refusal with that status.
const fn text(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("Bad Request", "The request is malformed"),
        401 => ("Unauthorized", "Valid credentials are required"),
        403 => ("Forbidden", "Access is not allowed"),
        404 => ("Not Found", "Nothing was found here"),
        429 => ("Too Many Requests", "Too many requests, try again later"),
        503 => (
            "Service Unavailable",
            "The request cannot be decided at the moment",
        ),
        504 => (
            "Gateway Timeout",
            "The request could not be decided in time",
        ),
        _ => ("Internal Server Error", "The request could not be handled"),
    }
}
