//! Plays cases against rules, and keeps count of what they reach.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use gatepost_cases::{Case, Door, Outcome, RequestSpec, Script};
use gatepost_policy::{
    Call, Decision, Headers, Policy, Reply, RuleSource, Sources, Stage, Trace, UnixTime, Verdict,
    compile,
};
use serde::Serialize;
use serde_json::Value;

use super::{Answers, Driver, End, Files, Subject, drive::reply};

/// What cases are played against: the rules of files, or those that each case brings along.
#[derive(Debug)]
pub struct Trial<'f> {
    files: Option<&'f Files>,
    driver: Option<Driver>,
    reached: BTreeMap<String, Reached>,
}

/// What of a rule there is, and what of it was reached.
#[derive(Debug, Default)]
struct Reached {
    handlers: BTreeMap<(Stage, usize), &'static str>,
    matched: bool,
    asked: BTreeSet<(Stage, usize)>,
}

/// What cases reach.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Coverage {
    /// How many rules and handlers there are.
    pub total: usize,
    /// How many of them were matched or asked.
    pub reached: usize,
    /// The share, in whole percent, rounded down; 100 where there is nothing.
    pub percent: usize,
    /// Each rule.
    pub rules: Vec<RuleCoverage>,
}

/// What cases reach of one rule.
#[derive(Clone, Debug, Serialize)]
pub struct RuleCoverage {
    /// Its id.
    pub rule: String,
    /// Whether it decided a request.
    pub matched: bool,
    /// How many handlers it has.
    pub handlers: usize,
    /// Those that were never asked, by stage and name.
    pub unasked: Vec<(Stage, &'static str)>,
}

impl<'f> Trial<'f> {
    /// Plays against the rules of `files`, or each case against its own.
    #[must_use]
    pub const fn new(files: Option<&'f Files>) -> Self {
        Self {
            files,
            driver: None,
            reached: BTreeMap::new(),
        }
    }

    /// What the cases played so far reach.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let rules: Vec<_> = self
            .reached
            .iter()
            .map(|(rule, reached)| reached.report(rule))
            .collect();
        let total = rules
            .iter()
            .map(|rule| rule.handlers.saturating_add(1))
            .sum::<usize>();
        let missed = rules
            .iter()
            .map(|rule| {
                rule.unasked
                    .len()
                    .saturating_add(usize::from(!rule.matched))
            })
            .sum::<usize>();
        let reached = total.saturating_sub(missed);
        Coverage {
            total,
            reached,
            percent: reached
                .saturating_mul(100)
                .checked_div(total)
                .unwrap_or(100),
            rules,
        }
    }

    fn compile(&self, case: &Case) -> Result<Policy, Vec<String>> {
        let own = [RuleSource {
            file: &case.file,
            rules: &case.rules,
        }];
        let none = Value::Null;
        let (config, rules) = match self.files {
            Some(files) => (files.config.as_ref().unwrap_or(&none), files.sources()),
            None => (&case.config, own.to_vec()),
        };
        let mut documents = case.documents.clone();
        if let Some(files) = self.files {
            // Keys of the case go before: it can sign with those alone.
            let (key_sets, mistakes) = files.key_sets_but(&documents);
            if !mistakes.is_empty() {
                return Err(mistakes.iter().map(ToString::to_string).collect());
            }
            documents.extend(key_sets.documents);
        }
        compile(&Sources {
            config,
            rules: &rules,
            documents: &documents,
        })
        .map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
    }

    /// Takes the rules of a policy into the count.
    fn expect(&mut self, policy: &Policy) {
        for outline in policy.outline() {
            let stages = [
                (Stage::Authenticate, outline.authenticators),
                (Stage::Authorize, outline.authorizers),
                (Stage::Mutate, outline.mutators),
            ];
            let reached = self.reached.entry(outline.rule.to_owned()).or_default();
            reached.handlers = stages
                .into_iter()
                .flat_map(|(stage, names)| {
                    let numbered = names.into_iter().enumerate();
                    numbered.map(move |(number, name)| ((stage, number), name))
                })
                .collect();
        }
    }

    fn note(&mut self, rule: Option<&str>, trace: Option<&Trace>) {
        let Some(reached) = rule.and_then(|rule| self.reached.get_mut(rule)) else {
            return;
        };
        reached.matched = true;
        let turns = trace.into_iter().flat_map(|trace| &trace.turns);
        reached
            .asked
            .extend(turns.map(|turn| (turn.stage, turn.number)));
    }
}

impl Reached {
    fn report(&self, rule: &str) -> RuleCoverage {
        let unasked = self
            .handlers
            .iter()
            .filter(|(place, _)| !self.asked.contains(*place));
        RuleCoverage {
            rule: rule.to_owned(),
            matched: self.matched,
            handlers: self.handlers.len(),
            unasked: unasked.map(|((stage, _), name)| (*stage, *name)).collect(),
        }
    }
}

impl Door for Trial<'_> {
    fn load(&mut self, case: &Case) -> Result<(), Vec<String>> {
        let policy = self.compile(case)?;
        let faults: Vec<_> = policy.faults().iter().map(ToString::to_string).collect();
        self.expect(&policy);
        self.driver = Some(Driver::new(policy));
        if faults.is_empty() {
            Ok(())
        } else {
            Err(faults)
        }
    }

    fn send(
        &mut self,
        at: u64,
        request: &RequestSpec,
        script: &mut Script<'_>,
    ) -> anyhow::Result<Outcome> {
        let driver = self.driver.as_mut().context("no rules are loaded")?;
        let subject = Subject::new(request, UnixTime::from_secs(at))?;
        let mut answers = FromScript {
            script,
            problem: None,
        };
        let end = driver.decide(&subject, &mut answers)?;
        if let Some(problem) = answers.problem {
            return Err(problem);
        }
        match end {
            End::Decided(decision) => {
                self.note(decision.rule.as_deref(), decision.trace.as_deref());
                Ok(outcome(*decision, subject.headers()))
            }
            End::Stopped { call, .. } => bail!("unexpected call: {} {}", call.method, call.url),
        }
    }
}

/// Answers by the script of a case.
struct FromScript<'s, 'c> {
    script: &'s mut Script<'c>,
    problem: Option<anyhow::Error>,
}

impl Answers for FromScript<'_, '_> {
    fn answer(&mut self, call: &Call) -> Option<Reply> {
        let url = format!("{}{}", call.origin, call.path);
        match self
            .script
            .answer(&call.method, &url, &call.headers, &call.body)
        {
            Ok(spec) => Some(reply(&spec)),
            Err(problem) => {
                self.problem.get_or_insert(problem);
                None
            }
        }
    }
}

fn outcome(decision: Decision, headers: &Headers) -> Outcome {
    let rule = decision.rule.map(|rule| rule.to_string());
    let stage = Some(decision.stage.name().to_owned());
    match decision.verdict {
        Verdict::Allow(changes) => Outcome {
            status: 200,
            rule,
            stage,
            reason: None,
            headers: changes.applied_to(headers),
            body: Vec::new(),
        },
        Verdict::Deny { reason, response } => Outcome {
            status: response.status,
            rule,
            stage,
            reason: Some(reason.code().to_owned()),
            headers: response
                .headers
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: response.body,
        },
    }
}
