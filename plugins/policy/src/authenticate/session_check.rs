//! What `cookie_session` and `bearer_token` ask a session store: the request as it came, without its
//! body and with one credential only.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Call, Denial, FailedCall, Session, UnixTime,
    ask::{Answer, Ask, Retry, Told, reuse},
    call::Endpoint,
    compile::Compiler,
    config::Section,
    headers::{holds_control, is_token},
    json_path::JsonPath,
    pipeline::Facts,
};

use super::Authentication;

/// A session store, and how it is asked.
#[derive(Debug)]
pub(super) struct SessionCheck {
    endpoint: Endpoint,
    preserve_path: bool,
    preserve_query: bool,
    preserve_host: bool,
    force_method: Option<String>,
    /// In lower case; the credential is among them.
    forward_headers: Vec<String>,
    additional_headers: Vec<(String, String)>,
    subject_from: JsonPath,
    extra_from: JsonPath,
    /// How old a remembered answer may be.
    reuse: Option<Duration>,
}

/// What of the request says who is calling. Nothing else goes to the store unless the rule lists it:
/// a credential that another handler is responsible for must not decide here (T26).
#[derive(Clone, Copy, Debug)]
pub(super) enum Credential {
    /// `Cookie`.
    Cookie,
    /// `Authorization`.
    Authorization,
}

impl Credential {
    const fn header(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Authorization => "authorization",
        }
    }

    /// Where the subject stands unless the rule says so.
    const fn subject_from(self) -> &'static str {
        match self {
            Self::Cookie => "subject",
            Self::Authorization => "sub",
        }
    }
}

impl SessionCheck {
    pub(super) fn compile(
        section: &mut Section<'_>,
        extension: &mut Section<'_>,
        credential: Credential,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        let endpoint = compiler.endpoint(section, "check_session_url");
        let subject_from = json_path(section, "subject_from", credential.subject_from());
        let extra_from = json_path(section, "extra_from", "extra");
        Some(Self {
            preserve_path: section.bool("preserve_path", false),
            preserve_query: section.bool("preserve_query", true),
            preserve_host: section.bool("preserve_host", false),
            force_method: force_method(section),
            forward_headers: forward_headers(section, credential),
            additional_headers: section.static_headers("additional_headers"),
            reuse: reuse::compile_extension(extension),
            endpoint: endpoint?,
            subject_from: subject_from?,
            extra_from: extra_from?,
        })
    }

    /// Asks the store about a request. `token` is a bearer token that the request carries in a place
    /// where the store does not look; it goes along where the request's own `Authorization` does not.
    pub(super) fn ask(&self, facts: &Facts<'_>, token: Option<&str>) -> Authentication {
        if token.is_some_and(|token| holds_control(token.as_bytes())) {
            let reason = "the token holds control characters".to_owned();
            return Authentication::Refused(Denial::Unauthorized(reason));
        }
        Authentication::Ask(Box::new(Ask {
            reuse: self.reuse,
            ..Ask::once(self.call(facts, token))
        }))
    }

    /// The session store's verdict. Only a 200 with a JSON object lets a caller in: Oathkeeper
    /// also takes a 200 with anything else for a session without a subject. Only such an answer is
    /// remembered, and not past the end of the session that it names.
    pub(super) fn resume(&self, facts: &Facts<'_>, answer: &Answer) -> Told<Authentication> {
        match self.judge(answer) {
            Ok((session, body)) => Told {
                outcome: Authentication::Known(session),
                good_for: time_left(&body, facts.now),
            },
            Err(denial) => Told::once(Authentication::Refused(denial)),
        }
    }

    fn judge(&self, answer: &Answer) -> Result<(Session, Value), Denial> {
        let response = answer
            .reply
            .as_ref()
            .map_err(|failure| store_failed(*failure))?;
        match response.status {
            200 => self
                .session(&response.body)
                .map_err(|reason| Denial::Forbidden(reason.to_owned())),
            429 => Err(Denial::rate_limited(&response.headers)),
            status => Err(Denial::Unauthorized(format!(
                "the session store answered {status}"
            ))),
        }
    }

    fn call(&self, facts: &Facts<'_>, token: Option<&str>) -> Call {
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
            headers: self.headers(facts, token),
            body: Vec::new(),
            timeout: Retry::ONCE.max_delay,
        }
    }

    /// The credential and the listed headers of the client; static ones replace them, and the
    /// client's host, where it is to be kept, replaces those.
    fn headers(&self, facts: &Facts<'_>, token: Option<&str>) -> Vec<(String, Vec<u8>)> {
        let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
        for name in &self.forward_headers {
            let values = facts.request.headers.all(name);
            headers.extend(values.map(|value| (name.clone(), value.to_vec())));
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
        let authorization = Credential::Authorization.header();
        if let Some(token) = token
            && headers.iter().all(|(name, _)| name != authorization)
        {
            headers.push((
                authorization.to_owned(),
                format!("Bearer {token}").into_bytes(),
            ));
        }
        headers
    }

    fn session(&self, body: &[u8]) -> Result<(Session, Value), &'static str> {
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
        let session = Session {
            subject,
            extra,
            ..Session::default()
        };
        Ok((session, body))
    }
}

fn force_method(section: &mut Section<'_>) -> Option<String> {
    let method = section.string("force_method").filter(|m| !m.is_empty())?;
    if !is_token(method.as_bytes()) {
        let message = format!("`{method}` is not a request method");
        section.wrong("force_method", message);
    }
    Some(method)
}

/// The names of what is copied, each once.
fn forward_headers(section: &mut Section<'_>, credential: Credential) -> Vec<String> {
    let mut names = vec![credential.header().to_owned()];
    for name in section.forwarded_headers("forward_http_headers") {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// How long the session goes on that an answer describes: until its `expires_at` (RFC 3339), as Kratos
/// writes it, or for as long as the configuration says where there is none.
fn time_left(session: &Value, now: UnixTime) -> Duration {
    let end = match session.get("expires_at") {
        None | Some(Value::Null) => return Duration::MAX,
        Some(Value::String(text)) => OffsetDateTime::parse(text, &Rfc3339).ok(),
        Some(_) => None,
    };
    end.and_then(|end| u64::try_from(end.unix_timestamp()).ok())
        .map_or(Duration::ZERO, |end| UnixTime::from_secs(end).since(now))
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
