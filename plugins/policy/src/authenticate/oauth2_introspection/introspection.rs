//! What an introspection endpoint says of a token (RFC 7662 section 2.2), and what a rule demands.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Denial, Session, UnixTime, ask::Answer, config::Section, jose::ScopeStrategy};

use super::super::jwt::scope_strategy;

/// An endpoint's answer; a member that is absent or `null` says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Introspection {
    active: Option<bool>,
    sub: Option<String>,
    username: Option<String>,
    client_id: Option<String>,
    scope: Option<String>,
    aud: Option<Audience>,
    iss: Option<String>,
    exp: Option<u64>,
    token_use: Option<String>,
    token_type: Option<String>,
    cnf: Option<Value>,
    ext: Option<Map<String, Value>>,
}

/// One string or an array of them, as in a token (RFC 7519 section 4.1.3).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token must be.
#[derive(Debug)]
pub(super) struct Demands {
    required_scope: Vec<String>,
    scope_strategy: ScopeStrategy,
    target_audience: Vec<String>,
    trusted_issuers: Vec<String>,
}

/// Reads the endpoint's answer. What cannot be read is the endpoint's fault, not the caller's.
pub(super) fn read(answer: &Answer) -> Result<Introspection, Denial> {
    let response = answer.reply.as_ref().map_err(|failure| {
        let reason = format!("the introspection endpoint could not be asked: {failure}");
        Denial::Internal(reason)
    })?;
    match response.status {
        200 => serde_json::from_slice(&response.body).map_err(|_| {
            let reason = "the introspection endpoint's answer cannot be read";
            Denial::Internal(reason.to_owned())
        }),
        429 => Err(Denial::rate_limited(&response.headers)),
        status => {
            let reason = format!("the introspection endpoint answered {status}");
            Err(Denial::Internal(reason))
        }
    }
}

impl Introspection {
    /// How long the token goes on, for as long as the configuration says where it has no end.
    pub(super) fn time_left(&self, now: UnixTime) -> Duration {
        self.expires()
            .map_or(Duration::MAX, |expires| expires.since(now))
    }

    /// Who calls, with Oathkeeper's choice of what else is told.
    pub(super) fn into_session(self) -> Session {
        let mut extra = self.ext.unwrap_or_default();
        for (name, value) in [
            ("username", self.username),
            ("client_id", self.client_id),
            ("scope", self.scope),
        ] {
            extra.insert(name.to_owned(), Value::String(value.unwrap_or_default()));
        }
        let audience = self.aud.map(Audience::into_list).unwrap_or_default();
        if !audience.is_empty() {
            extra.insert("aud".to_owned(), Value::from(audience));
        }
        Session {
            subject: self.sub.unwrap_or_default(),
            extra: Some(Arc::new(extra)),
            ..Session::default()
        }
    }

    /// 0 is how some endpoints write that there is none.
    fn expires(&self) -> Option<UnixTime> {
        self.exp.filter(|exp| *exp > 0).map(UnixTime::from_secs)
    }

    /// Whether the token is bound to its holder (RFC 8705 section 3.2, RFC 9449 section 6.2): then it
    /// must not be taken from whoever happens to send it.
    fn is_bound(&self) -> bool {
        let of_type = |kind: &String| kind.eq_ignore_ascii_case("DPoP");
        self.cnf.is_some() || self.token_type.as_ref().is_some_and(of_type)
    }

    fn is_meant_for(&self, audience: &String) -> bool {
        match &self.aud {
            None => false,
            Some(Audience::One(only)) => only == audience,
            Some(Audience::Many(many)) => many.contains(audience),
        }
    }
}

impl Audience {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::One(audience) => vec![audience],
            Self::Many(audiences) => audiences,
        }
    }
}

impl Demands {
    pub(super) fn compile(section: &mut Section<'_>) -> Self {
        Self {
            required_scope: section.strings("required_scope").unwrap_or_default(),
            scope_strategy: scope_strategy(section),
            target_audience: section.strings("target_audience").unwrap_or_default(),
            trusted_issuers: section.strings("trusted_issuers").unwrap_or_default(),
        }
    }

    /// What the endpoint is to compare the token's scopes with; `None` where that is done here.
    pub(super) fn scope_for_endpoint(&self) -> Option<String> {
        (self.scope_strategy == ScopeStrategy::None).then(|| self.required_scope.join(" "))
    }

    /// Oathkeeper's checks in its order: the first that fails is the one that the client is told of.
    pub(super) fn check(&self, token: &Introspection, now: UnixTime) -> Result<(), Denial> {
        let kind = token.token_use.as_deref().unwrap_or_default();
        if !matches!(kind, "" | "access_token") {
            return Err(forbidden("the token is no access token"));
        }
        if token.active != Some(true) {
            return Err(unauthorized("the token is not active"));
        }
        if token.expires().is_some_and(|expires| expires <= now) {
            return Err(unauthorized("the token has expired"));
        }
        if token.is_bound() {
            let reason = "the token is bound to its holder, which introspection cannot check";
            return Err(unauthorized(reason));
        }
        if !self.target_audience.iter().all(|it| token.is_meant_for(it)) {
            return Err(forbidden("the token is not meant for this audience"));
        }
        let issuer = token.iss.as_deref().unwrap_or_default();
        if !self.trusted_issuers.is_empty() && !self.trusted_issuers.iter().any(|it| it == issuer) {
            return Err(forbidden("the token's issuer is not trusted"));
        }
        self.check_scope(token.scope.as_deref().unwrap_or_default())
    }

    fn check_scope(&self, scope: &str) -> Result<(), Denial> {
        let granted: Vec<&str> = scope.split(' ').filter(|scope| !scope.is_empty()).collect();
        let is_covered = self.scope_strategy == ScopeStrategy::None
            || self
                .scope_strategy
                .covers_all(&granted, &self.required_scope);
        is_covered
            .then_some(())
            .ok_or_else(|| forbidden("the token lacks a required scope"))
    }
}

fn unauthorized(reason: &str) -> Denial {
    Denial::Unauthorized(reason.to_owned())
}

fn forbidden(reason: &str) -> Denial {
    Denial::Forbidden(reason.to_owned())
}
