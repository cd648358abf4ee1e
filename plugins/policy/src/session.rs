//! Who the caller is, as far as is known: Oathkeeper's authentication session.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{headers::Headers, path::Url};

/// The result of authentication, changed on its way through the mutators.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The subject (`sub`); empty for the `noop` authenticator.
    pub subject: String,
    /// What the authenticator learned besides; `None` is Oathkeeper's `null`. Shared, so that a
    /// cached token's claims are not copied for each request.
    pub extra: Option<Arc<Map<String, Value>>>,
    /// Headers to set on the request that goes upstream: name as the rule wrote it, value.
    pub headers: Vec<(Arc<str>, String)>,
    /// What of the client's request does not go upstream.
    pub(crate) withheld: Withheld,
}

/// Parts of a request that are not for the upstream, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Withheld {
    /// Header fields.
    pub(crate) headers: Vec<Arc<str>>,
    /// Query parameters.
    pub(crate) parameters: Vec<Arc<str>>,
}

impl Session {
    /// Sets a header for the upstream; it replaces one that was set under that name before.
    pub(crate) fn set_header(&mut self, name: &Arc<str>, value: String) {
        let known = self
            .headers
            .iter_mut()
            .find(|(present, _)| present.eq_ignore_ascii_case(name));
        match known {
            Some((_, present)) => *present = value,
            None => self.headers.push((Arc::clone(name), value)),
        }
    }
}

/// What matched: the values behind `.MatchContext` in a template.
#[derive(Clone, Copy, Debug)]
pub struct MatchContext<'a> {
    /// `.RegexpCaptureGroups`, 0-based; a group that took no part is `""`.
    pub captures: &'a [String],
    /// `.URL`: the canonical URL that was matched.
    pub url: &'a Url,
    /// `.Method`.
    pub method: &'a str,
    /// `.Header`: the client's header fields.
    pub headers: &'a Headers,
}
