//! What an expression may ask about.

use crate::{Session, pipeline::Facts};

use super::{
    fault::Fault,
    value::{List, Map, Value},
};

/// A variable of the rule's expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Method,
    Scheme,
    Host,
    Path,
    Query,
    Headers,
    Subject,
    Claims,
    Groups,
    RemoteIp,
}

impl Variable {
    /// All of them, as expressions write them.
    pub(super) const ALL: &'static [(&'static str, Self)] = &[
        ("request.method", Self::Method),
        ("request.scheme", Self::Scheme),
        ("request.host", Self::Host),
        ("request.path", Self::Path),
        ("request.query", Self::Query),
        ("request.headers", Self::Headers),
        ("subject", Self::Subject),
        ("claims", Self::Claims),
        ("match.groups", Self::Groups),
        ("remote_ip", Self::RemoteIp),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|(_, variable)| *variable)
    }

    /// Whether `name` is only the first half of the names of variables.
    pub(super) fn is_half(name: &str) -> bool {
        let halves = Self::ALL.iter().filter_map(|(it, _)| it.split_once('.'));
        halves.into_iter().any(|(half, _)| half == name)
    }

    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Method
            | Self::Scheme
            | Self::Host
            | Self::Path
            | Self::Subject
            | Self::RemoteIp => "a string",
            Self::Query | Self::Headers | Self::Claims => "a map",
            Self::Groups => "a list",
        }
    }

    /// Its value for one request.
    pub(super) fn value<'v>(
        self,
        session: &'v Session,
        facts: &Facts<'v>,
    ) -> Result<Value<'v>, Fault> {
        Ok(match self {
            Self::Method => Value::from(facts.method),
            Self::Scheme => Value::from(facts.url.scheme.as_str()),
            Self::Host => Value::from(facts.url.host.as_str()),
            Self::Path => Value::from(facts.url.path.as_str()),
            Self::Query => Value::Map(Map::Query(facts.url.query.as_deref().unwrap_or_default())),
            Self::Headers => Value::Map(Map::Headers(&facts.request.headers)),
            Self::Subject => Value::from(session.subject.as_str()),
            Self::Claims => Value::Map(
                session
                    .extra
                    .as_deref()
                    .map_or_else(|| Map::Made([].into()), Map::Json),
            ),
            Self::Groups => Value::List(List::Texts(facts.captures)),
            Self::RemoteIp => {
                let address = facts.request.client_address.ok_or(Fault::NoAddress)?;
                Value::Text(address.to_canonical().to_string().into())
            }
        })
    }
}
