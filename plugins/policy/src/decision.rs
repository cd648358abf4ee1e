//! What the engine decided, for the driver to carry out.

use std::sync::Arc;

use serde::Serialize;

use crate::{Headers, denial::Denial, trace::Trace};

/// The end of the pipeline for one request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The id of the rule that decided; `None` where no single rule matched.
    pub rule: Option<Arc<str>>,
    /// How far the request came.
    pub stage: Stage,
    /// Who the caller is, where that was established.
    pub subject: Option<String>,
    /// Let it through, or answer it.
    pub verdict: Verdict,
    /// What the verdict would be if the rule were enforced and not only tried. [`Decision::verdict`]
    /// then lets the request pass as it came.
    pub shadow: Option<Box<Verdict>>,
    /// What happened on the way; only where [`crate::Engine::explain`] was asked.
    pub trace: Option<Box<Trace>>,
}

/// A stage of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reading the request.
    Request,
    /// Finding its rule.
    Match,
    /// Finding out who is calling.
    Authenticate,
    /// Finding out whether they may.
    Authorize,
    /// Preparing what the upstream is told.
    Mutate,
    /// All of them were passed.
    Done,
}

impl Stage {
    /// Its name in logs, metrics and explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Match => "match",
            Self::Authenticate => "authenticate",
            Self::Authorize => "authorize",
            Self::Mutate => "mutate",
            Self::Done => "done",
        }
    }
}

/// Allow with changes, or answer in the upstream's place.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The request goes upstream with these changes.
    Allow(Changes),
    /// The client gets this response; the upstream sees nothing.
    Deny {
        /// Why, for logs, metrics and tests. Never shown to the client as such.
        reason: Denial,
        /// What the client gets.
        response: Response,
    },
}

/// Changes to the request on its way upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The canonical path with query, where it differs from what the client sent.
    pub path: Option<String>,
    /// Fields to remove: those the client sent under names that only rules may set. Names as the
    /// client sent them.
    pub remove: Vec<Vec<u8>>,
    /// Fields to set, replacing every field of that name.
    pub set: Vec<(Arc<str>, Vec<u8>)>,
}

impl Changes {
    /// The fields that the upstream gets of a request with `headers`. For drivers without a proxy that
    /// carries the changes out.
    #[must_use]
    pub fn applied_to(&self, headers: &Headers) -> Vec<(String, Vec<u8>)> {
        let is_set = |name: &[u8]| {
            let mut set = self.set.iter();
            set.any(|(set, _)| set.as_bytes().eq_ignore_ascii_case(name))
        };
        let mut fields: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !is_set(name) && !self.remove.iter().any(|it| it == name))
            .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()))
            .collect();
        let set = self.set.iter();
        fields.extend(set.map(|(name, value)| (name.to_string(), value.clone())));
        if let Some(path) = &self.path {
            fields.retain(|(name, _)| name != ":path");
            fields.push((":path".to_owned(), path.clone().into_bytes()));
        }
        fields
    }
}

/// A response to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}
