//! What happened to one request on its way, step by step, for those who ask why.
//!
//! Recorded only for requests that [`crate::Engine::explain`] began; for all others it costs a
//! comparison with `None`. A trace is meant to be shown and sent around, so it never holds a
//! credential: calls are told without their bodies, and of their header fields only those in clear
//! that no credential stands in.

use serde::Serialize;

use crate::{Call, Denial, FailedCall, FetchId, Policy, Reply, Session, decision::Stage, digest};

/// The longest trace, in turns: more than any rule has handlers.
const MAX_TURNS: usize = 256;

/// The most that is noted of one turn. A handler makes two calls, each a few times at most.
const MAX_EVENTS: usize = 32;

/// What happened to one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Its method.
    pub method: Option<String>,
    /// Its canonical URL without query: what patterns are matched against. `None` where it has none.
    pub url: Option<String>,
    /// The ids of the rules that match: the request can be decided only if there is just one.
    pub rules: Vec<String>,
    /// What the pattern of the one rule captured.
    pub captures: Vec<String>,
    /// The handlers that were asked, in order.
    pub turns: Vec<Turn>,
}

/// What one handler of the rule did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// The stage that it belongs to.
    pub stage: Stage,
    /// Which of the stage's handlers it is, from 0.
    pub number: usize,
    /// Its name, as in `handler: jwt`.
    pub handler: &'static str,
    /// What it did, in order.
    pub events: Vec<Event>,
}

/// One thing that a handler did, or that it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The request carries nothing for this authenticator; the next one is asked.
    NotResponsible,
    /// This authenticator knows the caller.
    Known {
        /// Who it is; empty for a caller without a name.
        subject: String,
        /// The names of what is known besides (`.Extra` in templates).
        extra: Vec<String>,
    },
    /// The authorizer or mutator agrees.
    Passed,
    /// It refuses.
    Refused {
        /// The reason's stable code.
        reason: &'static str,
        /// The reason in words.
        detail: String,
        /// Whether the next authenticator is asked nevertheless.
        continued: bool,
    },
    /// It needs a call answered.
    Asked {
        /// The call.
        call: ShownCall,
        /// Whether the answer was still known.
        remembered: bool,
    },
    /// The answer to its call has come.
    Answered {
        /// The status; `None` where no answer came.
        status: Option<u16>,
        /// Why no answer came.
        failure: Option<String>,
    },
    /// It needs a key set that is not here.
    AwaitedKeys {
        /// Which.
        key_set: String,
    },
    /// It needs the request's body.
    NeededBody,
}

/// A call as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownCall {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its header fields, credentials masked.
    pub headers: Vec<(String, String)>,
    /// How many bytes of body it has.
    pub body_bytes: usize,
}

impl Trace {
    /// Notes what the handler at a position did.
    pub(crate) fn note(
        &mut self,
        stage: Stage,
        number: usize,
        handler: &'static str,
        event: Event,
    ) {
        if let Some(last) = self.turns.last_mut()
            && (last.stage, last.number) == (stage, number)
        {
            if last.events.len() < MAX_EVENTS {
                last.events.push(event);
            }
        } else if self.turns.len() < MAX_TURNS {
            self.turns.push(Turn {
                stage,
                number,
                handler,
                events: vec![event],
            });
        }
    }
}

impl Event {
    pub(crate) fn known(session: &Session) -> Self {
        let extra = session.extra.iter().flat_map(|extra| extra.keys());
        Self::Known {
            subject: masked(&session.subject),
            extra: extra.cloned().collect(),
        }
    }

    pub(crate) fn refused(denial: &Denial, continued: bool) -> Self {
        Self::Refused {
            reason: denial.code(),
            detail: masked(&denial.to_string()),
            continued,
        }
    }

    pub(crate) fn asked(call: &Call, remembered: bool) -> Self {
        Self::Asked {
            call: ShownCall::of(call),
            remembered,
        }
    }

    pub(crate) fn awaited_keys(policy: &Policy, fetch: FetchId) -> Self {
        let source = usize::try_from(fetch.0)
            .ok()
            .and_then(|at| policy.key_sets.get(at));
        Self::AwaitedKeys {
            key_set: source.map_or_else(String::new, ToString::to_string),
        }
    }

    pub(crate) fn answered(reply: &Reply) -> Self {
        Self::Answered {
            status: reply.as_ref().ok().map(|response| response.status),
            failure: reply.as_ref().err().map(FailedCall::to_string),
        }
    }
}

impl ShownCall {
    /// The call without what must not be shown.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        let shown = |(name, value): &(String, Vec<u8>)| {
            let value = String::from_utf8_lossy(value);
            let value = if is_harmless(name) {
                masked(&value)
            } else {
                mask(&value)
            };
            (name.clone(), value)
        };
        let path = call.path.split('?').next().unwrap_or_default();
        let query = if path.len() < call.path.len() {
            "?…"
        } else {
            ""
        };
        Self {
            method: call.method.clone(),
            url: format!("{}{path}{query}", call.origin),
            headers: call.headers.iter().map(shown).collect(),
            body_bytes: call.body.len(),
        }
    }
}

/// Header fields of calls that hold no credentials.
fn is_harmless(name: &str) -> bool {
    const HARMLESS: &[&str] = &["accept", "content-type", "user-agent"];
    HARMLESS.iter().any(|it| name.eq_ignore_ascii_case(it))
        || name
            .get(.."x-forwarded-".len())
            .is_some_and(|start| start.eq_ignore_ascii_case("x-forwarded-"))
}

/// A credential as it may be shown: `Bearer eyJ…(sha256:abcd)`. The two bytes of its hash tell two
/// credentials apart, and are too few to confirm a guess.
#[must_use]
pub fn mask(credential: &str) -> String {
    let (scheme, secret) = match credential.split_once(' ') {
        Some((scheme, secret)) if scheme.chars().all(|c| c.is_ascii_alphabetic()) => {
            (scheme, secret)
        }
        _ => ("", credential),
    };
    let space = if scheme.is_empty() { "" } else { " " };
    let start = if secret.starts_with("eyJ") { "eyJ" } else { "" };
    let [first, second, ..] = digest::sha256(secret.as_bytes());
    format!("{scheme}{space}{start}…(sha256:{first:02x}{second:02x})")
}

/// `text` with every JSON Web Token in it masked, for texts that should not hold any.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut clear = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("eyJ") {
        let (before, from) = rest.split_at(at);
        let end = from.find(is_outside).unwrap_or(from.len());
        let (token, after) = from.split_at(end);
        clear.push_str(before);
        if token.len() < SHORTEST_TOKEN {
            clear.push_str(token);
        } else {
            clear.push_str(&mask(token));
        }
        rest = after;
    }
    clear.push_str(rest);
    clear
}

/// `{"a":1}` three times over, encoded.
const SHORTEST_TOKEN: usize = 24;

/// Whether this cannot stand within a token in compact serialization (RFC 7515 section 7.1).
fn is_outside(character: char) -> bool {
    !character.is_ascii_alphanumeric() && !"-_.=~+/".contains(character)
}

#[cfg(test)]
mod tests;
