//! `keto_engine_acp_ory`: asks the access control policies of Ory Keto 0.5 and older.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Call, Denial, Session, UnixTime,
    ask::{Answer, Ask, Progress, Retry, Told},
    call::Endpoint,
    compile::{Compiler, Entry},
    config::Section,
    matching::Strategy,
    pipeline::Facts,
    template::{Data, Template},
};

/// The way of matching that Keto uses unless the rule says otherwise.
const FLAVOR: &str = "regex";

/// Asks whether the subject may do the action on the resource.
#[derive(Debug)]
pub(crate) struct KetoEngineAcpOry {
    endpoint: Endpoint,
    action: Template,
    resource: Template,
    /// The session's subject where it is `None`.
    subject: Option<Template>,
}

/// What Keto answers, as far as it matters.
#[derive(Deserialize)]
struct Verdict {
    allowed: bool,
}

impl KetoEngineAcpOry {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        if compiler.strategy() != Strategy::Regexp {
            let message =
                "`keto_engine_acp_ory` works with `access_rules.matching_strategy: regexp` alone";
            compiler.errors().add(section.place().clone(), message);
        }
        let endpoint = compiler.endpoint(&mut section, "base_url");
        let flavor = flavor(&mut section);
        let action = required_template(&mut section, "required_action");
        let resource = required_template(&mut section, "required_resource");
        let subject = section
            .string("subject")
            .filter(|source| !source.is_empty());
        let subject = match subject {
            Some(source) => Some(template(&section, "subject", &source)?),
            None => None,
        };
        section.finish();
        let mut endpoint = endpoint?;
        let base = endpoint.path.split('?').next().unwrap_or_default();
        endpoint.path = format!(
            "{}/engines/acp/ory/{flavor}/allowed",
            base.trim_end_matches('/')
        );
        Some(Self {
            endpoint,
            action: action?,
            resource: resource?,
            subject,
        })
    }

    pub(super) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Progress {
        match self.ask(session, facts) {
            Ok(ask) => Progress::Ask(Box::new(ask)),
            Err(denial) => Progress::Refused(denial),
        }
    }

    fn ask(&self, session: &Session, facts: &Facts<'_>) -> Result<Ask, Denial> {
        let data = Data {
            session,
            context: facts.match_context(),
        };
        let render = |name: &str, template: &Template| {
            template.render(&data).map_err(|error| {
                Denial::Internal(format!("the template of `{name}` failed: {error}"))
            })
        };
        let subject = match &self.subject {
            Some(template) => render("subject", template)?,
            None => session.subject.clone(),
        };
        let address = facts.request.client_address.map(|ip| ip.to_string());
        let body = json!({
            "action": render("required_action", &self.action)?,
            "resource": render("required_resource", &self.resource)?,
            "subject": subject,
            "context": {
                "remoteIpAddress": address.unwrap_or_default(),
                "requestedAt": rfc3339(facts.now)?,
            },
        });
        let call = Call {
            origin: Arc::clone(&self.endpoint.origin),
            method: "POST".to_owned(),
            path: self.endpoint.path.clone(),
            headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
            body: body.to_string().into_bytes(),
            timeout: Duration::ZERO,
        };
        // Never remembered: a policy may have conditions on the time that is sent.
        Ok(Retry::REPEATED.ask(call))
    }

    /// `allowed` decides where Keto answers 200; Keto refuses with 403 too.
    pub(super) fn resume(&self, _: &Session, answer: &Answer) -> Told<Progress> {
        Told::once(judge(answer).into())
    }
}

fn judge(answer: &Answer) -> Result<(), Denial> {
    let response = answer
        .reply
        .as_ref()
        .map_err(|failure| Denial::Internal(format!("Keto could not be asked: {failure}")))?;
    let refused = || Err(Denial::Forbidden("Keto refused".to_owned()));
    match response.status {
        200 => match serde_json::from_slice(&response.body) {
            Ok(Verdict { allowed: true }) => Ok(()),
            Ok(Verdict { allowed: false }) => refused(),
            Err(_) => Err(Denial::Internal(
                "Keto's answer does not say whether it is `allowed`".to_owned(),
            )),
        },
        403 => refused(),
        status => Err(Denial::Internal(format!("Keto answered {status}"))),
    }
}

/// The flavor becomes a part of the URL, so it is a plain word.
fn flavor(section: &mut Section<'_>) -> String {
    let flavor = section.string("flavor").filter(|flavor| !flavor.is_empty());
    let flavor = flavor.unwrap_or_else(|| FLAVOR.to_owned());
    if !flavor.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        section.wrong(
            "flavor",
            "must be one of Keto's: `regex`, `glob` or `exact`",
        );
    }
    flavor
}

fn required_template(section: &mut Section<'_>, key: &'static str) -> Option<Template> {
    let source = section.required_string(key)?;
    template(section, key, &source)
}

fn template(section: &Section<'_>, key: &str, source: &str) -> Option<Template> {
    match Template::parse(source) {
        Ok(template) => Some(template),
        Err(error) => {
            section.wrong(key, error.to_string());
            None
        }
    }
}

/// In UTC, to the second.
fn rfc3339(time: UnixTime) -> Result<String, Denial> {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|secs| OffsetDateTime::from_unix_timestamp(secs).ok())
        .and_then(|time| time.format(&Rfc3339).ok())
        .ok_or_else(|| Denial::Internal("the clock is out of range".to_owned()))
}
