//! What `remote` and `remote_json` have in common: a `POST`, and a status that decides.

use std::{sync::Arc, time::Duration};

use crate::{
    Call, Denial, Session,
    ask::{Answer, Ask, Progress, Retry, Told, reuse},
    call::{Endpoint, Response},
    compile::{Compiler, Entry},
    config::Section,
    headers::{HeaderTemplate, check_settable, holds_control},
    pipeline::Facts,
    template::Data,
};

use super::predicate::Predicate;

/// Where the question goes and what is made of the answer.
#[derive(Debug)]
pub(super) struct Callout {
    endpoint: Endpoint,
    headers: Vec<HeaderTemplate>,
    /// Headers of the answer that the upstream gets.
    forward: Vec<Arc<str>>,
    retry: Retry,
    reuse: Option<Duration>,
    /// What we prove ourselves with, instead of the client's `Authorization`.
    credentials: Option<String>,
    allow_when: Option<Predicate>,
}

impl Callout {
    /// Reads all but what is asked. The caller finishes the section.
    pub(super) fn compile(entry: &mut Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let section = &mut entry.config;
        let endpoint = compiler.endpoint(section, "remote");
        let headers = HeaderTemplate::read_map(section, "headers");
        let retry = Retry::compile(section, Retry::REPEATED);
        let key = "forward_response_headers_to_upstream";
        let mut forward: Vec<Arc<str>> = Vec::new();
        for name in section.strings(key).unwrap_or_default() {
            match check_settable(&name) {
                Ok(()) => forward.push(name.into()),
                Err(problem) => section.wrong(key, problem),
            }
        }
        let extension = &mut *entry.extension;
        // Of a name that the answer lacks nothing else may speak: it is the authorizer's.
        if !extension.bool("keep_client_headers", false) {
            for name in &forward {
                compiler.settable_header(name);
            }
        }
        Some(Self {
            headers,
            forward,
            retry,
            reuse: reuse::compile_extension(extension),
            credentials: credentials(extension),
            allow_when: Predicate::read(extension),
            endpoint: endpoint?,
        })
    }

    /// The question with this body, of which `content_type` says what it is.
    pub(super) fn ask(
        &self,
        session: &Session,
        facts: &Facts<'_>,
        content_type: impl Iterator<Item = Vec<u8>>,
        body: Vec<u8>,
    ) -> Result<Ask, Denial> {
        let mut headers: Vec<(String, Vec<u8>)> = content_type
            .map(|value| ("content-type".to_owned(), value))
            .collect();
        let credentials = facts.request.headers.all("authorization");
        headers.extend(credentials.map(|value| ("authorization".to_owned(), value.to_vec())));
        let mut set = |name: &str, value: &str| {
            headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
            headers.push((name.to_ascii_lowercase(), value.as_bytes().to_vec()));
        };
        if let Some(credentials) = &self.credentials {
            set("authorization", credentials);
        }
        let data = Data {
            session,
            context: facts.match_context(),
        };
        for field in &self.headers {
            let value = field.render(&data)?;
            if !value.is_empty() {
                set(&field.name, &value);
            }
        }
        let call = Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: "POST".to_owned(),
            path: self.endpoint.path.clone(),
            headers,
            body,
            timeout: Duration::ZERO,
        };
        Ok(Ask {
            reuse: self.reuse,
            ..self.retry.ask(call)
        })
    }

    /// Only 200 agrees and only 403 refuses; anything else is no decision.
    pub(super) fn resume(&self, session: &mut Session, answer: &Answer) -> Told<Progress> {
        let response = match &answer.reply {
            Ok(response) => response,
            Err(failure) => {
                let reason = format!("the remote authorizer could not be asked: {failure}");
                return Told::once(Progress::Refused(Denial::Internal(reason)));
            }
        };
        let outcome = match response.status {
            200 => self.agreed(session, response),
            403 => Err(Denial::Forbidden(
                "the remote authorizer refused".to_owned(),
            )),
            429 => Err(Denial::rate_limited(&response.headers)),
            status => Err(Denial::Internal(format!(
                "the remote authorizer answered {status}"
            ))),
        };
        match outcome {
            Ok(()) => Told::lasting(Progress::Done),
            Err(denial @ Denial::Forbidden(_)) => Told::lasting(Progress::Refused(denial)),
            Err(denial) => Told::once(Progress::Refused(denial)),
        }
    }

    fn agreed(&self, session: &mut Session, response: &Response) -> Result<(), Denial> {
        if let Some(predicate) = &self.allow_when {
            predicate.check(&response.body)?;
        }
        for name in &self.forward {
            let fields = &response.headers;
            let found = fields
                .iter()
                .find(|(present, _)| present.eq_ignore_ascii_case(name));
            let Some((_, value)) = found else { continue };
            let value = std::str::from_utf8(value)
                .ok()
                .filter(|value| !holds_control(value.as_bytes()))
                .ok_or_else(|| {
                    Denial::Internal(format!(
                        "the header `{name}` of the remote authorizer's answer is not text"
                    ))
                })?;
            session.set_header(name, value.to_owned());
        }
        Ok(())
    }
}

/// Reads `credentials`: the `Authorization` that we send.
fn credentials(extension: &mut Section<'_>) -> Option<String> {
    let is_there = extension.value("credentials").is_some();
    let mut section = extension.section("credentials");
    let bearer = section.string("bearer");
    let has_basic = section.value("basic").is_some();
    let basic = section.basic_credentials("basic");
    section.finish();
    let credentials = basic.or_else(|| Some(format!("Bearer {}", bearer.as_ref()?)));
    if is_there && (has_basic == bearer.is_some()) {
        extension.wrong("credentials", "must have either `basic` or `bearer`");
    }
    if credentials
        .as_ref()
        .is_some_and(|value| holds_control(value.as_bytes()))
    {
        extension.wrong("credentials", "hold a control character");
    }
    credentials
}
