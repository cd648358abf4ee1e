//! `token_headers`: tells the upstream of a token's claims, and keeps the token itself from it. An
//! extension: with Oathkeeper these are templates, and the token always goes on.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    Denial, Session,
    ask::Progress,
    authenticate::TokenFrom,
    compile::{Compiler, Entry},
    config::Section,
    cookies,
    headers::{check_settable, holds_control},
    json_path::JsonPath,
    pipeline::Facts,
};

/// What becomes of a token behind the module.
#[derive(Debug)]
pub(crate) struct TokenHeaders {
    headers: Vec<ClaimHeader>,
    /// The issuers whose tokens do not go upstream.
    kept: Vec<String>,
    token_from: TokenFrom,
}

/// A header with a claim's value.
#[derive(Debug)]
struct ClaimHeader {
    name: Arc<str>,
    claim: JsonPath,
    /// Whose tokens it is for; `None` for all.
    issuer: Option<String>,
}

impl TokenHeaders {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let mut headers = Vec::new();
        for (place, entry) in section.list("headers") {
            let of = Section::new(Some(&entry), place, section.errors());
            if let Some(header) = ClaimHeader::compile(of) {
                compiler.settable_header(&header.name);
                headers.push(header);
            }
        }
        let kept = section.strings("keep_from_upstream").unwrap_or_default();
        let token_from = TokenFrom::compile_list(&mut section).unwrap_or_default();
        section.finish();
        Some(Self {
            headers,
            kept,
            token_from,
        })
    }

    pub(super) fn mutate(&self, session: &mut Session, facts: &Facts<'_>) -> Progress {
        let Some(claims) = session.extra.clone() else {
            return Progress::Done;
        };
        let issuer = claims
            .get("iss")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for header in &self.headers {
            if header.issuer.as_deref().is_some_and(|of| of != issuer) {
                continue;
            }
            match header.claim.get_in(&claims).map(|claim| text(&claim)) {
                None | Some(Ok(None)) => {}
                Some(Ok(Some(value))) => session.set_header(&header.name, value),
                Some(Err(())) => {
                    let name = &header.name;
                    return Progress::Refused(Denial::Internal(format!(
                        "the claim for header `{name}` holds a control character"
                    )));
                }
            }
        }
        if self.kept.iter().any(|kept| kept == issuer) {
            self.withhold(session, facts);
        }
        Progress::Done
    }

    /// Keeps the token from the upstream, wherever it stands.
    fn withhold(&self, session: &mut Session, facts: &Facts<'_>) {
        if let Ok(Some(_)) = self.token_from.find_dpop(facts) {
            session.withheld.headers.push("authorization".into());
            session.withheld.headers.push("dpop".into());
            return;
        }
        let Ok(Some((place, _))) = self.token_from.find_at(facts) else {
            return;
        };
        match place {
            TokenFrom::Bearer => session.withheld.headers.push("authorization".into()),
            TokenFrom::Header { name, .. } => {
                session.withheld.headers.push(name.as_str().into());
            }
            TokenFrom::QueryParameter(name) => {
                session.withheld.parameters.push(name.as_str().into());
            }
            TokenFrom::Cookie(name) => match cookies::without(&facts.request.headers, name) {
                Some(others) => session.set_header(&"cookie".into(), others),
                None => session.withheld.headers.push("cookie".into()),
            },
            TokenFrom::OneOf(_) => {}
        }
    }
}

impl ClaimHeader {
    fn compile(mut section: Section<'_>) -> Option<Self> {
        let name = section.required_string("header");
        if let Some(problem) = name.as_deref().and_then(|name| check_settable(name).err()) {
            section.wrong("header", problem);
        }
        let path = section.required_string("claim");
        let claim = path.and_then(|path| {
            JsonPath::parse(&path)
                .map_err(|error| section.wrong("claim", error.to_string()))
                .ok()
        });
        let issuer = section.string("issuer");
        section.finish();
        Some(Self {
            name: name?.into(),
            claim: claim?,
            issuer,
        })
    }
}

/// A claim as a header has it: what is no list and no object as it is, those as base64url of their
/// JSON, as Envoy does. There is none for `null`.
fn text(claim: &Value) -> Result<Option<String>, ()> {
    match claim {
        Value::Null => Ok(None),
        Value::String(text) if holds_control(text.as_bytes()) => Err(()),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(claim.to_string())),
        Value::Array(_) | Value::Object(_) => Ok(Some(URL_SAFE_NO_PAD.encode(claim.to_string()))),
    }
}
