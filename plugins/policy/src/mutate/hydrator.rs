//! `hydrator`: shows the session to a server, which may enrich it.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Call, Denial, Headers, Session,
    ask::{Answer, Ask, Progress, Retry, Told},
    call::Endpoint,
    compile::{Compiler, Entry},
    config::Section,
    headers::{check_settable, holds_control},
    pipeline::Facts,
    session::MatchContext,
    template::{Data, session_json},
};

/// How long a cached answer is good unless the rule says otherwise.
const TTL: Duration = Duration::from_secs(60);

/// What speaks of the client's body or of how the answer may come, and is not true of the call.
const NOT_COPIED: &[&str] = &[
    "accept-encoding",
    "content-encoding",
    "content-type",
    "expect",
];

/// Posts the session to an API, and merges its answer into the session.
#[derive(Debug)]
pub(crate) struct Hydrator {
    endpoint: Endpoint,
    /// Our `Authorization`, in place of the client's.
    credentials: Option<String>,
    retry: Retry,
    reuse: Option<Duration>,
    /// The client's headers that are shown; all where it is `None`.
    shown: Option<Vec<String>>,
}

impl Hydrator {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let mut api = section.section("api");
        let endpoint = compiler.endpoint(&mut api, "url");
        let retry = Retry::compile(&mut api, Retry::REPEATED);
        let mut auth = api.section("auth");
        let credentials = auth.basic_credentials("basic");
        auth.finish();
        api.finish();
        let reuse = cache(&mut section);
        section.finish();
        let shown = entry.extension.strings("forward_headers");
        declared_headers(entry.extension, compiler);
        Some(Self {
            endpoint: endpoint?,
            credentials,
            retry,
            reuse,
            shown,
        })
    }

    pub(super) fn mutate(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        let headers = self.shown(&facts.request.headers);
        let data = Data {
            session,
            context: MatchContext {
                headers: &headers,
                ..facts.match_context()
            },
        };
        match session_json(&data) {
            Ok(body) => Progress::Ask(Box::new(Ask {
                reuse: self.reuse,
                ..self.retry.ask(self.call(&headers, facts, body))
            })),
            Err(error) => Progress::Refused(Denial::Internal(format!(
                "the session cannot be shown to the hydrator: {error}"
            ))),
        }
    }

    /// Merges the answer. The subject stays whom the rule has let in, and what matched stays what it is.
    pub(super) fn resume(&self, session: &mut Session, answer: &Answer) -> Told<Progress> {
        match hydrated(session, answer) {
            Ok(()) => Told::lasting(Progress::Done),
            Err(denial) => Told::once(Progress::Refused(denial)),
        }
    }

    fn shown<'h>(&self, headers: &'h Headers) -> Cow<'h, Headers> {
        let Some(shown) = &self.shown else {
            return Cow::Borrowed(headers);
        };
        let is_shown = |name: &[u8]| {
            shown
                .iter()
                .any(|shown| shown.as_bytes().eq_ignore_ascii_case(name))
        };
        Cow::Owned(headers.iter().filter(|(name, _)| is_shown(name)).collect())
    }

    fn call(&self, headers: &Headers, facts: &Facts<'_>, body: String) -> Call {
        let mut fields = copied(headers);
        fields.push(("content-type".to_owned(), b"application/json".to_vec()));
        if let Some(credentials) = &self.credentials {
            fields.retain(|(name, _)| name != "authorization");
            fields.push(("authorization".to_owned(), credentials.clone().into_bytes()));
        }
        let path = self.endpoint.path.split('?').next().unwrap_or_default();
        Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: "POST".to_owned(),
            path: match &facts.url.query {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
            headers: fields,
            body: body.into_bytes(),
            timeout: Duration::ZERO,
        }
    }
}

/// Reads `cache`: how long an answer is reused, if at all.
fn cache(section: &mut Section<'_>) -> Option<Duration> {
    let mut cache = section.section("cache");
    let enabled = cache.bool("enabled", false);
    let ttl = cache.duration("ttl").unwrap_or(TTL);
    cache.finish();
    enabled.then_some(ttl)
}

/// Names below `gatepost.headers` are the hydrator's: no client may send them, also where an answer
/// does not set them.
fn declared_headers(extension: &mut Section<'_>, compiler: &mut Compiler<'_>) {
    for name in extension.strings("headers").unwrap_or_default() {
        match check_settable(&name) {
            Ok(()) => compiler.settable_header(&name),
            Err(problem) => extension.wrong("headers", problem),
        }
    }
}

/// The client's fields that go along: none that belongs to its connection or its body.
fn copied(headers: &Headers) -> Vec<(String, Vec<u8>)> {
    let of_connection: Vec<String> = headers
        .all("connection")
        .flat_map(|names| names.split(|byte| *byte == b','))
        .map(|name| String::from_utf8_lossy(name).trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter_map(|(name, value)| {
            let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
            let is_copied = check_settable(&name).is_ok()
                && !NOT_COPIED.contains(&name.as_str())
                && !of_connection.contains(&name);
            is_copied.then(|| (name, value.to_vec()))
        })
        .collect()
}

fn hydrated(session: &mut Session, answer: &Answer) -> Result<(), Denial> {
    let response = answer.reply.as_ref().map_err(|failure| {
        Denial::Internal(format!("the hydrator could not be asked: {failure}"))
    })?;
    match response.status {
        200 => merge(session, &response.body)
            .map_err(|problem| Denial::Internal(format!("the hydrator's answer {problem}"))),
        401 => Err(Denial::Internal(
            "the hydrator did not accept the credentials".to_owned(),
        )),
        status => Err(Denial::Internal(format!("the hydrator answered {status}"))),
    }
}

fn merge(session: &mut Session, body: &[u8]) -> Result<(), String> {
    let answer: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| "is not a JSON object".to_owned())?;
    let subject = match member(&answer, "subject") {
        None | Some(Value::Null) => "",
        Some(Value::String(subject)) => subject,
        Some(_) => return Err("has a subject that is no string".to_owned()),
    };
    if subject != session.subject {
        return Err("changes the subject".to_owned());
    }
    let headers = match member(&answer, "header") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(headers)) => fields(headers)?,
        Some(_) => return Err("has a `header` that is no object".to_owned()),
    };
    match member(&answer, "extra") {
        None => {}
        Some(Value::Null) => session.extra = None,
        Some(Value::Object(extra)) => session.extra = Some(Arc::new(extra.clone())),
        Some(_) => return Err("has an `extra` that is no object".to_owned()),
    }
    for (name, value) in headers {
        session.set_header(&name, value);
    }
    Ok(())
}

/// Go reads the members of an answer whatever their letter case.
fn member<'a>(answer: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    answer.get(name).or_else(|| {
        let mut members = answer.iter();
        let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    })
}

/// The first value of each header, as Oathkeeper sets them.
fn fields(headers: &Map<String, Value>) -> Result<Vec<(Arc<str>, String)>, String> {
    let mut fields = Vec::new();
    for (name, values) in headers {
        let values = match values {
            Value::Null => continue,
            Value::Array(values) => values,
            _ => return Err(format!("does not have a list of values for `{name}`")),
        };
        let value = match values.first() {
            None => continue,
            Some(Value::String(value)) if !holds_control(value.as_bytes()) => value,
            Some(_) => return Err(format!("has a bad value for `{name}`")),
        };
        check_settable(name).map_err(|problem| format!("sets a header: {problem}"))?;
        fields.push((name.as_str().into(), value.clone()));
    }
    Ok(fields)
}
