//! What becomes of requests under two rule sets.

use std::collections::{BTreeMap, HashMap};

use gatepost_cases::RequestSpec;
use gatepost_policy::{UnixTime, Verdict};
use serde::Serialize;

use crate::rules::{Driver, End, Line, Scripted, Subject};

/// How many examples of each difference are kept.
const MAX_EXAMPLES: usize = 3;

/// How many unreadable lines are told.
const MAX_UNREADABLE: usize = 5;

/// The two sides, request by request.
#[derive(Default)]
pub(super) struct Comparison {
    requests: usize,
    /// Requests that ended at a call on some side.
    waiting: usize,
    unreadable: usize,
    unreadable_lines: Vec<String>,
    differences: BTreeMap<[Ending; 2], Examples>,
    /// What became of requests that came before: logs repeat themselves.
    known: HashMap<String, [Ending; 2]>,
}

/// What becomes of a request, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "ending", rename_all = "snake_case")]
pub(super) enum Ending {
    Allowed {
        rule: Option<String>,
        /// What the upstream is told.
        changes: Vec<String>,
    },
    Refused {
        rule: Option<String>,
        status: u16,
        reason: String,
    },
    NeedsCall {
        rule: Option<String>,
        call: String,
    },
}

#[derive(Default)]
struct Examples {
    count: usize,
    requests: Vec<Example>,
}

/// A request that ends differently.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Example {
    pub(super) request: String,
    pub(super) log: String,
    pub(super) line: usize,
}

/// What is told of a comparison.
#[derive(Serialize)]
pub(super) struct Report<'c> {
    pub(super) requests: usize,
    pub(super) changed: usize,
    /// Requests that cannot be decided without a call.
    pub(super) waiting: usize,
    pub(super) unreadable: usize,
    pub(super) unreadable_lines: &'c [String],
    pub(super) differences: Vec<Difference<'c>>,
}

/// Requests that ended in one way, and end in another.
#[derive(Serialize)]
pub(super) struct Difference<'c> {
    pub(super) count: usize,
    pub(super) old: &'c Ending,
    pub(super) new: &'c Ending,
    pub(super) examples: &'c [Example],
}

impl Comparison {
    pub(super) fn add(
        &mut self,
        log: &str,
        line: &Line,
        old: &mut Driver,
        new: &mut Driver,
        replies: &Scripted,
    ) -> anyhow::Result<()> {
        let Some(spec) = &line.request else {
            self.unreadable = self.unreadable.saturating_add(1);
            if self.unreadable_lines.len() < MAX_UNREADABLE {
                self.unreadable_lines.push(format!("{log}:{}", line.number));
            }
            return Ok(());
        };
        let request = format!("{} {}", spec.method, spec.url);
        let key = format!(
            "{request} {:?} {:?} {:?}",
            spec.headers, spec.client_address, spec.body
        );
        let endings = match self.known.get(&key) {
            Some(endings) => endings.clone(),
            None => {
                let endings = [ending(old, spec, replies)?, ending(new, spec, replies)?];
                self.known.insert(key, endings.clone());
                endings
            }
        };
        self.requests = self.requests.saturating_add(1);
        if endings
            .iter()
            .any(|ending| matches!(ending, Ending::NeedsCall { .. }))
        {
            self.waiting = self.waiting.saturating_add(1);
        }
        let [before, after] = &endings;
        if before != after {
            let examples = self.differences.entry(endings).or_default();
            examples.count = examples.count.saturating_add(1);
            let is_new = !examples
                .requests
                .iter()
                .any(|example| example.request == request);
            if is_new && examples.requests.len() < MAX_EXAMPLES {
                examples.requests.push(Example {
                    request,
                    log: log.to_owned(),
                    line: line.number,
                });
            }
        }
        Ok(())
    }

    /// Whether every request ends as it did.
    pub(super) fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// The differences, the most frequent first.
    pub(super) fn report(&self) -> Report<'_> {
        let mut differences: Vec<_> = self
            .differences
            .iter()
            .map(|([old, new], examples)| Difference {
                count: examples.count,
                old,
                new,
                examples: &examples.requests,
            })
            .collect();
        differences.sort_by_key(|difference| std::cmp::Reverse(difference.count));
        Report {
            requests: self.requests,
            changed: differences.iter().map(|difference| difference.count).sum(),
            waiting: self.waiting,
            unreadable: self.unreadable,
            unreadable_lines: &self.unreadable_lines,
            differences,
        }
    }
}

fn ending(driver: &mut Driver, spec: &RequestSpec, replies: &Scripted) -> anyhow::Result<Ending> {
    // Of the time of a request only tokens depend, and logs hold none.
    let subject = Subject::new(spec, UnixTime::from_secs(0))?;
    Ok(match driver.decide(&subject, &mut replies.clone())? {
        End::Stopped { call, trace } => Ending::NeedsCall {
            rule: trace.and_then(|trace| trace.rules.into_iter().next()),
            call: format!("{} {}", call.method, call.url),
        },
        End::Decided(decision) => {
            let rule = decision.rule.map(|rule| rule.to_string());
            match decision.verdict {
                Verdict::Allow(changes) => Ending::Allowed {
                    rule,
                    changes: changes
                        .set
                        .iter()
                        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                        .chain(changes.path.map(|path| format!("path {path}")))
                        .collect(),
                },
                Verdict::Deny { reason, response } => Ending::Refused {
                    rule,
                    status: response.status,
                    reason: reason.code().to_owned(),
                },
            }
        }
    })
}
