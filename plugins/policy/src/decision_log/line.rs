//! One decision in one line of JSON.
//!
//! A line never holds a credential: the engine's reasons do not quote any, the path comes without its
//! query, and what looks like a token nevertheless is masked. Nor can a client end the line or colour
//! a terminal with what it sends.

use serde::Serialize;

use crate::{UnixTime, Verdict, trace::masked};

use super::Observed;

/// The longest text that a client can put into a line, in characters.
const MAX_TEXT: usize = 512;

/// A line of the decision log.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    /// What the line is, for those who filter logs.
    log: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    stage: &'static str,
    #[serde(flatten)]
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    latency_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    /// What the rule would have done, had it been enforced.
    #[serde(skip_serializing_if = "Option::is_none")]
    shadow: Option<Outcome>,
}

#[derive(Serialize)]
struct Outcome {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl<'a> Line<'a> {
    pub(super) fn of(observed: &Observed<'a>, ended: UnixTime, digest: Option<&'a str>) -> Self {
        let Observed {
            decision, request, ..
        } = observed;
        let latency = ended.since(observed.began).as_micros();
        Self {
            log: "gatepost.decision",
            rule: decision.rule.as_deref(),
            stage: decision.stage.name(),
            outcome: Outcome::of(&decision.verdict),
            subject: decision.subject.as_deref().map(clean),
            method: clean(request.headers.first_str(":method").unwrap_or_default()),
            path: observed
                .policy
                .canonical_path(request)
                .map(|path| clean(&path)),
            request_id: request.headers.first_str("x-request-id").map(clean),
            latency_us: u64::try_from(latency).unwrap_or(u64::MAX),
            digest,
            shadow: decision.shadow.as_deref().map(Outcome::of),
        }
    }

    pub(super) fn text(&self) -> String {
        // Nothing in it can fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Outcome {
    fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Allow(_) => Self {
                verdict: "allow",
                status: None,
                reason: None,
                detail: None,
            },
            Verdict::Deny { reason, response } => Self {
                verdict: "deny",
                status: Some(response.status),
                reason: Some(reason.code()),
                detail: Some(clean(&reason.to_string())),
            },
        }
    }
}

/// A text as it may stand in a log: short, without tokens, and without what moves a terminal's cursor.
/// JSON escapes only some control characters.
fn clean(text: &str) -> String {
    masked(text)
        .chars()
        .take(MAX_TEXT)
        .map(|character| {
            if character.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
