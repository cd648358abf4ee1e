//! What the page is told, as JSON.

use gatepost_policy::{
    Call, Changes, ConfigError, Decision, Headers, Verdict, analysis::Finding, explain::Explanation,
};
use serde::Serialize;

/// What became of rules.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Loaded {
    /// Whether there is a policy that decides.
    pub ready: bool,
    /// How many rules there are, those with mistakes among them.
    pub rules: usize,
    /// The mistakes. One in the configuration leaves nothing to decide with; a rule with one is put aside.
    pub errors: Vec<Mistake>,
    /// Everything that is wrong or doubtful, with a remedy.
    pub findings: Vec<Finding>,
}

/// A mistake, and where it is.
#[derive(Clone, Debug, Serialize)]
pub struct Mistake {
    /// The file, where one is to blame.
    pub file: Option<String>,
    /// The rule.
    pub rule: Option<String>,
    /// The keys down to the value.
    pub key: String,
    /// What is wrong, and what to do about it.
    pub message: String,
    /// All of this in a line.
    pub text: String,
}

/// How far a request has come.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It waits for the answer to a call.
    Call {
        /// The call.
        call: Asked,
        /// What happened so far.
        explanation: Box<Explanation>,
        /// Fetches that a proxy makes now though this request does not wait for them: keys of other issuers.
        background: Vec<Asked>,
    },
    /// It is decided.
    Decided {
        /// Why. Credentials are masked.
        explanation: Box<Explanation>,
        /// What client or upstream sees. Nothing is masked.
        seen: Seen,
        /// Fetches that a proxy makes by now though this request did not wait for them.
        background: Vec<Asked>,
    },
    /// There is nothing to decide.
    Failed {
        /// Why not.
        message: String,
    },
}

/// A call in full: who looks at it has typed all that is in it.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Its body, as text.
    pub body: String,
    /// Whether it fetches keys or metadata, which is remembered.
    pub keys: bool,
}

/// What client or upstream sees.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Whether the request goes upstream.
    pub allowed: bool,
    /// `200`, or the status that the client gets.
    pub status: u16,
    /// The fields that the upstream gets, or those of the answer.
    pub headers: Vec<(String, String)>,
    /// Of these, the names of those that the rule set.
    pub set: Vec<String>,
    /// The names of the client's fields that were taken away.
    pub removed: Vec<String>,
    /// The answer's body.
    pub body: String,
    /// How far the request came.
    pub stage: &'static str,
    /// The reason of a refusal.
    pub reason: Option<&'static str>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Who the caller is.
    pub subject: Option<String>,
}

impl Loaded {
    /// Nothing was loaded.
    #[must_use]
    pub fn refused(message: String) -> Self {
        let error = Mistake {
            file: None,
            rule: None,
            key: String::new(),
            text: message.clone(),
            message,
        };
        Self {
            errors: vec![error],
            ..Self::default()
        }
    }
}

impl From<&ConfigError> for Mistake {
    fn from(error: &ConfigError) -> Self {
        Self {
            file: error.place.file.as_deref().map(str::to_owned),
            rule: error.place.rule.as_deref().map(str::to_owned),
            key: error.place.path.clone(),
            message: error.message.clone(),
            text: error.to_string(),
        }
    }
}

impl Step {
    /// There is nothing to decide.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
        }
    }
}

impl Asked {
    pub(crate) fn of(call: &Call, keys: bool) -> Self {
        let fields = call.headers.iter();
        Self {
            method: call.method.clone(),
            url: format!("{}{}", call.origin, call.path),
            headers: fields
                .map(|(name, value)| (name.clone(), lossy(value)))
                .collect(),
            body: lossy(&call.body),
            keys,
        }
    }
}

impl Seen {
    /// What becomes of the request that `sent` these fields.
    pub(crate) fn of(decision: &Decision, sent: &Headers) -> Self {
        let seen = match &decision.verdict {
            Verdict::Allow(changes) => Self::by_upstream(changes, sent),
            Verdict::Deny { reason, response } => Self {
                status: response.status,
                reason: Some(reason.code()),
                headers: response
                    .headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), lossy(value)))
                    .collect(),
                body: lossy(&response.body),
                ..Self::blank()
            },
        };
        Self {
            stage: decision.stage.name(),
            rule: decision.rule.as_ref().map(ToString::to_string),
            subject: decision.subject.as_deref().map(str::to_owned),
            ..seen
        }
    }

    const fn blank() -> Self {
        Self {
            allowed: false,
            status: 0,
            headers: Vec::new(),
            set: Vec::new(),
            removed: Vec::new(),
            body: String::new(),
            stage: "",
            reason: None,
            rule: None,
            subject: None,
        }
    }

    fn by_upstream(changes: &Changes, sent: &Headers) -> Self {
        let fields = changes.applied_to(sent).into_iter();
        let mut names: Vec<_> = changes
            .set
            .iter()
            .map(|(name, _)| name.to_string())
            .collect();
        if changes.path.is_some() {
            names.push(":path".to_owned());
        }
        Self {
            allowed: true,
            status: 200,
            headers: fields.map(|(name, value)| (name, lossy(&value))).collect(),
            set: names,
            removed: changes
                .remove
                .iter()
                .filter(|name| sent.iter().any(|(it, _)| it == name.as_slice()))
                .map(|name| lossy(name))
                .collect(),
            ..Self::blank()
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
