//! Why a request was decided as it was, in a form to show: for command lines and for browsers.
//!
//! ```text
//!   Engine::explain -> Decision with its Trace --+
//!                                                +--> Explanation -> JSON, or text
//!   rule files -> near: rules that nearly match -+
//! ```

mod near;

use serde::Serialize;

use crate::{
    Changes, Decision, Response, Stage, Trace, Verdict,
    trace::{mask, masked},
};

pub use near::{Miss, NearMiss, near};

/// Why a request was decided as it was. Holds no credential in clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What happened on the way.
    #[serde(flatten)]
    pub trace: Trace,
    /// The rules that nearly match, the nearest first.
    pub near: Vec<NearMiss>,
    /// What was decided; `None` for a request that waits for an answer.
    pub decision: Option<Decided>,
}

/// A decision as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The id of the rule that decided.
    pub rule: Option<String>,
    /// How far the request came.
    pub stage: Stage,
    /// Who the caller is, where that was established.
    pub subject: Option<String>,
    /// What becomes of the request.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What would become of it if the rule were enforced and not only tried.
    pub shadow: Option<Outcome>,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Outcome {
    /// It goes upstream with these changes.
    Allow {
        /// The path that the upstream gets, where it differs from the client's.
        path: Option<String>,
        /// The client's fields that are taken away.
        remove: Vec<String>,
        /// The fields that are set.
        set: Vec<(String, String)>,
    },
    /// The client is answered.
    Deny {
        /// The reason's stable code.
        reason: &'static str,
        /// The reason in words. The client does not learn it.
        detail: String,
        /// The status of the answer.
        status: u16,
        /// Its header fields.
        headers: Vec<(String, String)>,
        /// Its body, as text.
        body: String,
    },
}

impl Explanation {
    /// Of a decision that [`crate::Engine::explain`] led to.
    #[must_use]
    pub fn of(decision: Decision, near: Vec<NearMiss>) -> Self {
        let decided = Decided {
            rule: decision.rule.map(|rule| rule.to_string()),
            stage: decision.stage,
            subject: decision.subject.as_deref().map(masked),
            outcome: Outcome::of(&decision.verdict),
            shadow: decision.shadow.as_deref().map(Outcome::of),
        };
        Self {
            trace: decision.trace.map(|trace| *trace).unwrap_or_default(),
            near,
            decision: Some(decided),
        }
    }

    /// Of a request that waits for an answer that nobody gives.
    #[must_use]
    pub fn unfinished(trace: Option<&Trace>, near: Vec<NearMiss>) -> Self {
        Self {
            trace: trace.cloned().unwrap_or_default(),
            near,
            decision: None,
        }
    }
}

impl Outcome {
    /// Of a verdict.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Allow(changes) => Self::allow(changes),
            Verdict::Deny { reason, response } => Self::Deny {
                reason: reason.code(),
                detail: masked(&reason.to_string()),
                status: response.status,
                headers: fields(response),
                body: masked(&String::from_utf8_lossy(&response.body)),
            },
        }
    }

    fn allow(changes: &Changes) -> Self {
        let name = |name: &Vec<u8>| String::from_utf8_lossy(name).into_owned();
        Self::Allow {
            path: changes.path.as_deref().map(masked),
            remove: changes.remove.iter().map(name).collect(),
            set: changes
                .set
                .iter()
                .map(|(name, value)| (name.to_string(), shown(name, value)))
                .collect(),
        }
    }
}

fn fields(response: &Response) -> Vec<(String, String)> {
    let fields = response.headers.iter();
    fields
        .map(|(name, value)| ((*name).to_owned(), shown(name, value)))
        .collect()
}

/// A header field's value as it may be shown.
fn shown(name: &str, value: &[u8]) -> String {
    const CREDENTIALS: &[&str] = &[
        "authorization",
        "cookie",
        "proxy-authorization",
        "set-cookie",
        "x-api-key",
    ];
    let value = String::from_utf8_lossy(value);
    if CREDENTIALS.iter().any(|it| name.eq_ignore_ascii_case(it)) {
        mask(&value)
    } else {
        masked(&value)
    }
}

#[cfg(test)]
mod tests;
