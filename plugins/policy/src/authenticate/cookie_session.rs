//! `cookie_session`: asks a session store, such as Kratos' `/sessions/whoami`, whose cookies these are.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    Call, Denial, FailedCall, Session,
    ask::{Answer, Ask, Told},
    call::Endpoint,
    compile::{Compiler, Entry},
    config::Section,
    cookies,
    headers::{check_settable, holds_control},
    json_path::JsonPath,
    pipeline::Facts,
};

use super::Authentication;

/// How long the session store may take. Oathkeeper waits for ever; a paused request costs the
/// proxy memory, so ours ends.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Responsible for requests with one of its cookies.
#[derive(Debug)]
pub(crate) struct CookieSession {
    /// The cookies that make it responsible; any cookie does where the list is empty.
    only: Vec<String>,
    endpoint: Endpoint,
    preserve_path: bool,
    preserve_query: bool,
    preserve_host: bool,
    force_method: Option<String>,
    forward_headers: Vec<String>,
    additional_headers: Vec<(String, String)>,
    subject_from: JsonPath,
    extra_from: JsonPath,
}

impl CookieSession {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let endpoint = compiler.endpoint(&mut section, "check_session_url");
        let subject_from = json_path(&mut section, "subject_from", "subject");
        let extra_from = json_path(&mut section, "extra_from", "extra");
        let only = section.strings("only").unwrap_or_default();
        let preserve_path = section.bool("preserve_path", false);
        let preserve_query = section.bool("preserve_query", true);
        let preserve_host = section.bool("preserve_host", false);
        let force_method = section.string("force_method").filter(|m| !m.is_empty());
        let forward_headers = section.strings("forward_http_headers").unwrap_or_default();
        let additional_headers = section.string_map("additional_headers").unwrap_or_default();
        check_headers(&section, &forward_headers, &additional_headers);
        section.finish();
        Some(Self {
            only,
            endpoint: endpoint?,
            preserve_path,
            preserve_query,
            preserve_host,
            force_method,
            forward_headers,
            additional_headers,
            subject_from: subject_from?,
            extra_from: extra_from?,
        })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        let responsible = cookies::pairs(&facts.request.headers)
            .any(|(name, _)| self.only.is_empty() || self.only.iter().any(|only| only == name));
        if responsible {
            Authentication::Ask(Box::new(Ask::once(self.call(facts))))
        } else {
            Authentication::NotResponsible
        }
    }

    /// The session store's verdict. Only a 200 with a JSON object lets a caller in: Oathkeeper
    /// also takes a 200 with anything else for a session without a subject.
    pub(super) fn resume(&self, answer: &Answer) -> Told<Authentication> {
        Told::once(self.judge(answer).unwrap_or_else(Authentication::Refused))
    }

    fn judge(&self, answer: &Answer) -> Result<Authentication, Denial> {
        let response = answer
            .reply
            .as_ref()
            .map_err(|failure| store_failed(*failure))?;
        match response.status {
            200 => self
                .session(&response.body)
                .map(Authentication::Known)
                .map_err(|reason| Denial::Forbidden(reason.to_owned())),
            429 => Err(Denial::rate_limited(&response.headers)),
            status => Err(Denial::Unauthorized(format!(
                "the session store answered {status}"
            ))),
        }
    }

    fn call(&self, facts: &Facts<'_>) -> Call {
        let asked = facts.url.upstream_path(&[]).unwrap_or_default();
        let (asked_path, asked_query) = split_query(&asked);
        let (own_path, own_query) = split_query(&self.endpoint.path);
        let path = if self.preserve_path {
            own_path
        } else {
            asked_path
        };
        let query = if self.preserve_query {
            own_query
        } else {
            asked_query
        };
        Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: self
                .force_method
                .clone()
                .unwrap_or_else(|| facts.method.to_owned()),
            path: match query {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
            headers: self.headers(facts),
            body: Vec::new(),
            timeout: TIMEOUT,
        }
    }

    /// `Cookie` and the listed headers of the client; static ones replace them, and the client's
    /// host, where it is to be kept, replaces those.
    fn headers(&self, facts: &Facts<'_>) -> Vec<(String, Vec<u8>)> {
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        let forwarded =
            std::iter::once("cookie").chain(self.forward_headers.iter().map(String::as_str));
        for name in forwarded {
            let name = name.to_ascii_lowercase();
            if headers.iter().all(|(present, _)| *present != name) {
                let values = facts.request.headers.all(&name);
                headers.extend(values.map(|value| (name.clone(), value.to_vec())));
            }
        }
        let mut set = |name: &str, value: &str| {
            let name = name.to_ascii_lowercase();
            headers.retain(|(present, _)| *present != name);
            headers.push((name, value.as_bytes().to_vec()));
        };
        for (name, value) in &self.additional_headers {
            set(name, value);
        }
        if self.preserve_host {
            set("x-forwarded-host", &facts.url.host);
        }
        headers
    }

    fn session(&self, body: &[u8]) -> Result<Session, &'static str> {
        let body: Value = serde_json::from_slice(body)
            .ok()
            .filter(Value::is_object)
            .ok_or("the session store's answer is not a JSON object")?;
        let subject = match self.subject_from.get(&body).as_deref() {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(subject)) => subject.clone(),
            Some(_) => return Err("the session's subject is not a string"),
        };
        let extra = match self.extra_from.get(&body).as_deref() {
            None | Some(Value::Null) => None,
            Some(Value::Object(extra)) => Some(Arc::new(extra.clone())),
            Some(_) => return Err("the session's extra is not an object"),
        };
        Ok(Session {
            subject,
            extra,
            headers: Vec::new(),
        })
    }
}

/// A header that frames the message would let a client's value cut the call in two.
fn check_headers(section: &Section<'_>, forwarded: &[String], additional: &[(String, String)]) {
    for name in forwarded {
        if let Err(problem) = check_settable(name) {
            section.wrong("forward_http_headers", problem);
        }
    }
    for (name, value) in additional {
        if let Err(problem) = check_settable(name) {
            section.wrong("additional_headers", problem);
        }
        if holds_control(value.as_bytes()) {
            section.wrong(
                "additional_headers",
                format!("the value of `{name}` holds a control character"),
            );
        }
    }
}

fn split_query(path: &str) -> (&str, Option<&str>) {
    match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    }
}

fn json_path(section: &mut Section<'_>, key: &'static str, default: &str) -> Option<JsonPath> {
    let path = section
        .string(key)
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| default.to_owned());
    match JsonPath::parse(&path) {
        Ok(path) => Some(path),
        Err(error) => {
            section.wrong(key, error.to_string());
            None
        }
    }
}

/// A store that cannot be asked refuses with 403, as in Oathkeeper (case A18).
fn store_failed(failure: FailedCall) -> Denial {
    Denial::Forbidden(format!("the session store could not be asked: {failure}"))
}
