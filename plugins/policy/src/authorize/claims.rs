//! `claims`: decides by what the authenticator learned of the caller.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{
    Denial, Session,
    challenge::{Challenge, ChallengeError, Scheme},
    config::{Place, Section},
    jose::ScopeStrategy,
    json_path::JsonPath,
    pipeline::Facts,
};

/// Where scopes stand that a token carries (RFC 8693 section 4.2, RFC 7662 section 2.2, and what
/// `jwt` makes of them).
const SCOPES: &[&str] = &["scp", "scope", "scopes"];

/// What the session's `extra` must hold. All of it must hold.
#[derive(Debug)]
pub(crate) struct Claims {
    scopes: Vec<String>,
    strategy: ScopeStrategy,
    demands: Vec<Demand>,
}

/// A claim, and what it must be.
#[derive(Debug)]
struct Demand {
    name: String,
    claim: JsonPath,
    test: Test,
}

#[derive(Debug)]
enum Test {
    /// Exactly this value.
    Equals(Value),
    /// One of these.
    OneOf(Vec<Value>),
    /// A list with this value in it.
    Contains(Value),
    /// One of these, or a list with one of these in it.
    AnyOf(Vec<Value>),
}

impl Claims {
    pub(super) fn compile(mut section: Section<'_>) -> Self {
        let scopes = section.strings("required_scope").unwrap_or_default();
        let strategy = section
            .string("scope_strategy")
            .unwrap_or_else(|| "exact".to_owned());
        let strategy = match strategy.parse() {
            Ok(ScopeStrategy::None) => {
                section.wrong(
                    "scope_strategy",
                    "must be `exact`, `hierarchic` or `wildcard`",
                );
                ScopeStrategy::None
            }
            Ok(strategy) => strategy,
            Err(error) => {
                section.wrong("scope_strategy", format!("{error}"));
                ScopeStrategy::None
            }
        };
        let errors = section.errors();
        let entries = section.list("require");
        if scopes.is_empty() && entries.is_empty() {
            section.wrong(
                "require",
                "is required, or `required_scope`: what a caller must have",
            );
        }
        let demands = entries
            .into_iter()
            .filter_map(|(place, entry)| Demand::compile(Section::new(Some(&entry), place, errors)))
            .collect();
        section.finish();
        Self {
            scopes,
            strategy,
            demands,
        }
    }

    pub(super) fn authorize(&self, session: &Session, facts: &Facts<'_>) -> Result<(), Denial> {
        let extra = session.extra.as_deref();
        let granted = extra.map(granted).unwrap_or_default();
        if !self.strategy.covers_all(&granted, &self.scopes) {
            return Err(self.lacks_scope(facts));
        }
        let holds = |demand: &Demand| extra.is_some_and(|extra| demand.holds(extra));
        match self.demands.iter().find(|demand| !holds(demand)) {
            None => Ok(()),
            Some(demand) => Err(Denial::Forbidden(format!(
                "the caller's claim `{}` is not as the rule requires",
                demand.name
            ))),
        }
    }
}

impl Claims {
    /// Whoever came with a token is told, where the rule has it so, which scopes one would need (RFC 6750
    /// section 3.1).
    fn lacks_scope(&self, facts: &Facts<'_>) -> Denial {
        let authorization = facts.request.headers.first("authorization");
        let is_dpop = authorization
            .and_then(|value| value.get(..5))
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"DPoP "));
        Denial::Challenged {
            reason: format!("the caller lacks a scope of `{}`", self.scopes.join(" ")),
            challenge: Box::new(Challenge {
                scheme: if is_dpop {
                    Scheme::Dpop
                } else {
                    Scheme::Bearer
                },
                error: ChallengeError::InsufficientScope(self.scopes.clone()),
            }),
            is_forbidden: true,
        }
    }
}

impl Demand {
    fn compile(mut section: Section<'_>) -> Option<Self> {
        let name = section.required_string("claim");
        let equals = section.value("equals").cloned().map(Test::Equals);
        let contains = section.value("contains").cloned().map(Test::Contains);
        let one_of: Vec<Value> = section
            .list("one_of")
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let one_of = (!one_of.is_empty()).then_some(Test::OneOf(one_of));
        let any_of: Vec<Value> = section
            .list("any_of")
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        let any_of = (!any_of.is_empty()).then_some(Test::AnyOf(any_of));
        let mut tests = [equals, contains, one_of, any_of].into_iter().flatten();
        let test = tests.next();
        if test.is_none() || tests.next().is_some() {
            let place: &Place = section.place();
            let message =
                "must have one of `equals`, `contains` and the lists `one_of` and `any_of`";
            section.errors().add(place.clone(), message);
        }
        let name = name?;
        let claim = match JsonPath::parse(&name) {
            Ok(path) => Some(path),
            Err(error) => {
                section.wrong("claim", error.to_string());
                None
            }
        };
        section.finish();
        Some(Self {
            name,
            claim: claim?,
            test: test?,
        })
    }

    /// A claim that is not there is nothing.
    fn holds(&self, extra: &Map<String, Value>) -> bool {
        let Some(claim) = self.claim.get_in(extra) else {
            return false;
        };
        match (&self.test, claim.as_ref()) {
            (Test::Equals(value), claim) => claim == value,
            (Test::OneOf(values), claim) => values.contains(claim),
            (Test::Contains(value), Value::Array(claims)) => claims.contains(value),
            (Test::Contains(_), _) => false,
            (Test::AnyOf(values), Value::Array(claims)) => {
                claims.iter().any(|claim| values.contains(claim))
            }
            (Test::AnyOf(values), claim) => values.contains(claim),
        }
    }
}

/// The scopes of a session: a list, or words between blanks.
fn granted(extra: &Map<String, Value>) -> Vec<Cow<'_, str>> {
    let mut granted = Vec::new();
    for value in SCOPES.iter().filter_map(|name| extra.get(*name)) {
        match value {
            Value::String(words) => {
                granted.extend(
                    words
                        .split(' ')
                        .filter(|word| !word.is_empty())
                        .map(Cow::Borrowed),
                );
            }
            Value::Array(scopes) => {
                granted.extend(scopes.iter().filter_map(Value::as_str).map(Cow::Borrowed));
            }
            _ => {}
        }
    }
    granted
}
