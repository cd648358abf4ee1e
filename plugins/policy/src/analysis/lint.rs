//! Doubtful rules, one by one: each finding has a place, a code and a remedy.

mod codes;
mod credentials;
#[cfg(feature = "cel")]
mod expressions;
mod files;
mod patterns;
mod responses;
mod templates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::{
    ConfigError, RuleSource, Sources, authenticate::Authenticator, authorize::Authorizer, compile,
    compile::UNREADABLE_THERE, config::Place, mutate::Mutator, on_error::ErrorHandler,
};

use super::rule;

pub use codes::{CODES, Code, Severity};

/// Something wrong or doubtful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, see [`CODES`].
    pub code: &'static str,
    /// Where it stands.
    #[serde(serialize_with = "place")]
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

fn place<S: Serializer>(place: &Place, serializer: S) -> Result<S::Ok, S::Error> {
    json!({"file": place.file.as_deref(), "rule": place.rule.as_deref(), "key": place.path})
        .serialize(serializer)
}

/// The findings of one run.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        code: Code,
        place: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Finding {
            severity: code.severity,
            code: code.name,
            place,
            message: message.into(),
            remedy: remedy.into(),
        });
    }
}

/// Everything wrong or doubtful in `sources`, in the order of the files.
///
/// Without `config`, Oathkeeper's configuration, every handler counts as enabled, and what the
/// configuration might say is not missed.
#[must_use]
pub fn lint(config: Option<&Value>, sources: &[RuleSource<'_>]) -> Vec<Finding> {
    let stand_in = Value::Object(everything_enabled(sources));
    let effective = config.unwrap_or(&stand_in);
    let mut findings = Findings::default();
    mistakes(&mut findings, effective, sources, config.is_some());
    let rules = rule::read(effective, sources);
    patterns::check(&mut findings, &rules, effective);
    files::check(&mut findings, &rules, config);
    for rule in &rules {
        credentials::check(&mut findings, rule, config.is_some());
        #[cfg(feature = "cel")]
        expressions::check(&mut findings, rule);
        responses::check(&mut findings, rule);
        templates::check(&mut findings, rule);
    }
    in_order(findings.0, sources)
}

/// What could not be read, as findings.
#[must_use]
pub fn unreadable(errors: &[ConfigError]) -> Vec<Finding> {
    let mut findings = Findings::default();
    for error in errors {
        report(&mut findings, codes::UNREADABLE, error);
    }
    findings.0
}

/// What the compiler says.
fn mistakes(findings: &mut Findings, config: &Value, sources: &[RuleSource<'_>], complete: bool) {
    let compiled = compile(&Sources {
        config,
        rules: sources,
        documents: &BTreeMap::new(),
    });
    let mistakes = match compiled {
        Ok(policy) => policy.faults().to_vec(),
        Err(errors) => errors.0,
    };
    // Without the configuration nobody knows what it adds to a handler's own.
    let may_be_elsewhere = |error: &ConfigError| {
        !complete
            && error.place.path.contains(".config")
            && error.message.starts_with("is required")
    };
    let is_ours = |error: &&ConfigError| !may_be_elsewhere(error) && !is_in_a_file(&error.message);
    for error in mistakes.iter().filter(is_ours) {
        report(findings, codes::INVALID, error);
    }
}

/// Whether something is amiss only because a key set lies in a file: what such files hold is for those
/// to look at who read them, the bundler and the decision endpoint.
fn is_in_a_file(message: &str) -> bool {
    message.starts_with("`file:") && message.contains(UNREADABLE_THERE)
}

/// Messages say what to do after a `;`.
fn report(findings: &mut Findings, code: Code, error: &ConfigError) {
    let (message, remedy) = match error.message.split_once("; ") {
        Some((message, remedy)) => (message, remedy),
        None => (error.message.as_str(), ""),
    };
    findings.add(code, error.place.clone(), message, remedy);
}

/// A configuration in which all handlers that rules name may be used.
fn everything_enabled(sources: &[RuleSource<'_>]) -> Map<String, Value> {
    let rules = rule::read(&Value::Null, sources);
    let authenticators = rules.iter().flat_map(|rule| &rule.authenticators);
    let authorizers = rules.iter().flat_map(|rule| &rule.authorizers);
    let mutators = rules.iter().flat_map(|rule| &rule.mutators);
    let errors = rules.iter().flat_map(|rule| &rule.errors);
    let handlers = enabled(ErrorHandler::NAMES, errors);
    let stages = [
        (
            "authenticators",
            enabled(Authenticator::NAMES, authenticators),
        ),
        ("authorizers", enabled(Authorizer::NAMES, authorizers)),
        ("mutators", enabled(Mutator::NAMES, mutators)),
        ("errors", json!({ "handlers": handlers })),
    ];
    let stages = stages.into_iter();
    stages.map(|(stage, it)| (stage.to_owned(), it)).collect()
}

fn enabled<'r>(names: &[&str], used: impl Iterator<Item = &'r rule::Handler>) -> Value {
    let used = used.filter(|handler| names.contains(&handler.name.as_str()));
    used.map(|handler| (handler.name.clone(), json!({"enabled": true})))
        .collect::<Map<_, _>>()
        .into()
}

/// By file, then by rule, as they were given; the configuration's own first.
fn in_order(mut findings: Vec<Finding>, sources: &[RuleSource<'_>]) -> Vec<Finding> {
    let rank = |finding: &Finding| {
        let file = finding.place.file.as_deref()?;
        let (at, source) = sources.iter().enumerate().find(|(_, it)| it.file == file)?;
        let rules = source.rules.as_array().into_iter().flatten().enumerate();
        let named = rules
            .filter_map(|(at, rule)| Some((at, rule::name(at, rule.as_object()?))))
            .find(|(_, name)| finding.place.rule.as_deref() == Some(name));
        Some((at, named.map(|(at, _)| at)))
    };
    findings.sort_by_cached_key(|finding| (rank(finding), std::cmp::Reverse(finding.severity)));
    findings
}
