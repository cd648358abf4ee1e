//! What the client is told when a request is refused (`oathkeeper.md` section 7).

mod json;
mod redirect;
mod when;
mod www_authenticate;

use std::sync::Arc;

use crate::{Denial, Request, Response, config::Section, path::Url};

use self::{json::Json, redirect::Redirect, when::When, www_authenticate::WwwAuthenticate};

/// An error handler with the conditions under which it is chosen.
#[derive(Debug)]
pub(crate) struct ErrorHandler {
    when: When,
    handler: Handler,
}

#[derive(Debug)]
enum Handler {
    Json(Json),
    Redirect(Redirect),
    WwwAuthenticate(WwwAuthenticate),
}

/// What an error handler may know of the refused request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused<'a> {
    pub(crate) denial: &'a Denial,
    pub(crate) request: &'a Request,
    /// The canonical URL; `None` where the request's own could not be read.
    pub(crate) url: Option<&'a Url>,
}

impl Refused<'_> {
    /// The URL that the client asked for, in its canonical form, to come back to.
    fn request_url(&self) -> Option<String> {
        let url = self.url?;
        let sent = self.request.headers.first(":path")?;
        let path = match url.upstream_path(sent) {
            Some(canonical) => canonical,
            None => std::str::from_utf8(sent).ok()?.to_owned(),
        };
        Some(format!("{}://{}{path}", url.scheme, url.host))
    }
}

impl ErrorHandler {
    /// The handlers there are, by their names.
    pub(crate) const NAMES: &'static [&'static str] = &["json", "redirect", "www_authenticate"];

    /// Whether it is chosen by the peer's address.
    pub(crate) fn reads_client_address(&self) -> bool {
        self.when.reads_client_address()
    }

    /// Makes the handler `name` from its effective configuration.
    pub(crate) fn compile(name: &str, mut section: Section<'_>) -> Option<Self> {
        let when = When::compile(&mut section);
        let handler = match name {
            "json" => Some(Handler::Json(Json::compile(&mut section))),
            "redirect" => Redirect::compile(&mut section).map(Handler::Redirect),
            "www_authenticate" => Some(Handler::WwwAuthenticate(WwwAuthenticate::compile(
                &mut section,
            ))),
            _ => None,
        };
        section.finish();
        Some(Self {
            when,
            handler: handler?,
        })
    }

    fn respond(&self, refused: &Refused<'_>) -> Response {
        match &self.handler {
            Handler::Json(handler) => handler.respond(refused),
            Handler::Redirect(handler) => handler.respond(refused),
            Handler::WwwAuthenticate(handler) => handler.respond(),
        }
    }
}

/// Chooses the handler and lets it answer. The rule's own handlers come first: exactly one must
/// match, and two are a mistake that is answered with 500. Where none does, the first of the
/// fallback handlers that matches answers.
pub(crate) fn respond(
    rule: &[Arc<ErrorHandler>],
    fallback: &[ErrorHandler],
    refused: &Refused<'_>,
) -> Response {
    let mut matching = rule.iter().filter(|handler| handler.when.matches(refused));
    match (matching.next(), matching.next()) {
        (Some(handler), None) => handler.respond(refused),
        (Some(_), Some(_)) => {
            let denial =
                Denial::Internal("more than one of the rule's error handlers match".to_owned());
            Json::default().respond(&Refused {
                denial: &denial,
                ..*refused
            })
        }
        (None, _) => fallback
            .iter()
            .find(|handler| handler.when.matches(refused))
            .map_or_else(
                || {
                    let denial = Denial::Internal("no error handler matches".to_owned());
                    Json::default().respond(&Refused {
                        denial: &denial,
                        ..*refused
                    })
                },
                |handler| handler.respond(refused),
            ),
    }
}
