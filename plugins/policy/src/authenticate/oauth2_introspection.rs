//! `oauth2_introspection`: asks the issuer what a token is worth (RFC 7662).

mod introspection;
mod pre_authorization;

use std::{sync::Arc, time::Duration};

use crate::{
    Call, Denial,
    ask::{Answer, Ask, Leg, Retry, Told, reuse},
    call::Endpoint,
    compile::{Compiler, Entry},
    pipeline::Facts,
};

use self::{introspection::Demands, pre_authorization::PreAuthorization};
use super::{Authentication, token_endpoint::FORM, token_from::OpaqueToken};

/// Responsible for requests with a token, whatever it is made of.
#[derive(Debug)]
pub(crate) struct OAuth2Introspection {
    token: OpaqueToken,
    endpoint: Endpoint,
    /// The same for every call; names in lower case.
    headers: Vec<(String, String)>,
    preserve_host: bool,
    /// Where the endpoint wants to know by a token who asks.
    pre_authorization: Option<PreAuthorization>,
    demands: Demands,
    retry: Retry,
    /// How old a remembered answer may be.
    reuse: Option<Duration>,
}

impl OAuth2Introspection {
    pub(super) fn compile(entry: Entry<'_, '_>, compiler: &mut Compiler<'_>) -> Option<Self> {
        let mut section = entry.config;
        let endpoint = compiler.endpoint(&mut section, "introspection_url");
        let retry = Retry::compile(&mut section, Retry::ONCE);
        let pre_authorization = PreAuthorization::compile(&mut section, retry, compiler);
        let token = OpaqueToken::compile(&mut section);
        let headers = section.static_headers("introspection_request_headers");
        let preserve_host = section.bool("preserve_host", false);
        let demands = Demands::compile(&mut section);
        let reuse = reuse::compile(&mut section, "max_cost");
        section.finish();
        Some(Self {
            token,
            endpoint: endpoint?,
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value))
                .collect(),
            preserve_host,
            pre_authorization,
            demands,
            retry,
            reuse,
        })
    }

    pub(super) fn authenticate(&self, facts: &Facts<'_>) -> Authentication {
        match self.token.find(facts) {
            Ok(Some(token)) => Authentication::Ask(Box::new(match &self.pre_authorization {
                Some(client) => client.ask(),
                None => self.ask(&token, None, facts),
            })),
            Ok(None) => Authentication::NotResponsible,
            Err(several) => Authentication::Refused(several.into()),
        }
    }

    pub(super) fn resume(&self, facts: &Facts<'_>, answer: &Answer) -> Told<Authentication> {
        let told = match answer.leg {
            Leg::Preliminary => self.pre_authorized(facts, answer),
            Leg::Main => self.judge(facts, answer),
        };
        told.unwrap_or_else(|denial| Told::once(Authentication::Refused(denial)))
    }

    /// Goes on to the introspection with the token for it, which is remembered until it expires.
    fn pre_authorized(
        &self,
        facts: &Facts<'_>,
        answer: &Answer,
    ) -> Result<Told<Authentication>, Denial> {
        let granted = pre_authorization::granted(answer)?;
        let ask = match self.token.find(facts)? {
            Some(token) => self.ask(&token, Some(&granted.access_token), facts),
            None => return Err(Denial::Internal("the request has changed".to_owned())),
        };
        Ok(Told {
            outcome: Authentication::Ask(Box::new(ask)),
            good_for: granted.good_for,
        })
    }

    /// Only an answer that lets the caller in is remembered, and not past the token's expiry. What is
    /// demanded is checked anew whenever it is used, by each rule for itself.
    fn judge(&self, facts: &Facts<'_>, answer: &Answer) -> Result<Told<Authentication>, Denial> {
        let introspection = introspection::read(answer)?;
        self.demands.check(&introspection, facts.now)?;
        Ok(Told {
            good_for: introspection.time_left(facts.now),
            outcome: Authentication::Known(introspection.into_session()),
        })
    }

    fn ask(&self, token: &str, bearer: Option<&str>, facts: &Facts<'_>) -> Ask {
        Ask {
            reuse: self.reuse,
            give_up_after: self.retry.give_up_after,
            ..Ask::once(Call {
                origin: Arc::clone(&self.endpoint.origin),
                method: "POST".to_owned(),
                path: self.endpoint.path.clone(),
                headers: self.headers(bearer, facts),
                body: self.form(token).into_bytes(),
                timeout: self.retry.max_delay,
            })
        }
    }

    /// The static fields, replaced by those that the call needs.
    fn headers(&self, bearer: Option<&str>, facts: &Facts<'_>) -> Vec<(String, Vec<u8>)> {
        let mut headers: Vec<(String, Vec<u8>)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
            .collect();
        let mut set = |name: &str, value: Vec<u8>| {
            headers.retain(|(present, _)| present != name);
            headers.push((name.to_owned(), value));
        };
        set("content-type", FORM.to_vec());
        if self.preserve_host {
            set("x-forwarded-host", facts.url.host.clone().into_bytes());
        }
        if let Some(bearer) = bearer {
            set("authorization", format!("Bearer {bearer}").into_bytes());
        }
        headers
    }

    /// The fields in the order of their names. Where scopes are not compared here the endpoint is asked
    /// to (a field that RFC 7662 does not have, but Hydra).
    fn form(&self, token: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if let Some(scope) = self.demands.scope_for_endpoint() {
            form.append_pair("scope", &scope);
        }
        form.append_pair("token", token);
        form.finish()
    }
}
