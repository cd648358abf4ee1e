//! For which requests and responses a rule is.

use serde_json::Value;

use crate::{
    config::{Section, kind},
    headers::{Headers, is_token},
    path::Url,
};

use super::wildcard::{PathGlob, Wildcard};

/// The conditions of one rule. Each is met by one of its list, and all must be met; an empty list is
/// met by everything.
#[derive(Debug, Default)]
pub(super) struct Condition {
    paths: Vec<PathCondition>,
    methods: Vec<String>,
    hosts: Vec<Host>,
    statuses: Vec<Statuses>,
}

#[derive(Debug)]
enum PathCondition {
    Exact(String),
    /// Without a slash at its end, so that `/` is empty.
    Prefix(String),
    Glob(PathGlob),
}

/// A host name, or `*.` and the domain below which it is.
#[derive(Debug)]
enum Host {
    Exact(String),
    Below(Wildcard),
}

/// Status codes from the first to the last.
#[derive(Debug)]
struct Statuses(u16, u16);

impl Condition {
    /// Reads the key `match` of a rule.
    pub(super) fn compile(rule: &mut Section<'_>) -> Self {
        let mut section = rule.section("match");
        let condition = Self {
            paths: paths(&mut section),
            methods: methods(&mut section),
            hosts: hosts(&mut section),
            statuses: statuses(&mut section),
        };
        section.finish();
        condition
    }

    /// Whether it asks for the URL.
    pub(super) const fn needs_url(&self) -> bool {
        !self.paths.is_empty() || !self.hosts.is_empty()
    }

    /// Whether every request meets it.
    pub(super) const fn admits_every_request(&self) -> bool {
        !self.needs_url() && self.methods.is_empty()
    }

    /// Whether it asks for the status of the response.
    pub(super) const fn asks_for_status(&self) -> bool {
        !self.statuses.is_empty()
    }

    /// Whether a request meets it, whatever the response will be.
    pub(super) fn admits(&self, headers: &Headers, url: Option<&Url>) -> bool {
        let path = url.map_or("", |url| &url.path);
        let host = url.map_or("", |url| without_port(&url.host));
        let method = headers.first(":method").unwrap_or_default();
        holds_any(&self.paths, |it| it.matches(path))
            && holds_any(&self.hosts, |it| it.matches(host))
            && holds_any(&self.methods, |it| it.as_bytes() == method)
    }

    /// Whether a response meets it.
    pub(super) fn admits_status(&self, status: u16) -> bool {
        holds_any(&self.statuses, |Statuses(first, last)| {
            (*first..=*last).contains(&status)
        })
    }
}

fn holds_any<T>(items: &[T], holds: impl Fn(&T) -> bool) -> bool {
    items.is_empty() || items.iter().any(holds)
}

impl PathCondition {
    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == path,
            Self::Prefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Glob(glob) => glob.matches(path),
        }
    }
}

impl Host {
    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == host,
            Self::Below(wildcard) => wildcard.matches(host.as_bytes()),
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The colons of a bracketed IPv6 address are its own.
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

/// A list of strings that has at least one; empty where there is none.
fn some_strings(section: &mut Section<'_>, key: &'static str) -> Vec<String> {
    if section.value(key).is_none() {
        return Vec::new();
    }
    let strings = section.strings(key).unwrap_or_default();
    if strings.is_empty() {
        section.wrong(key, "must be a list with at least one string");
    }
    strings
}

fn paths(section: &mut Section<'_>) -> Vec<PathCondition> {
    let mut paths = Vec::new();
    if section.value("paths").is_some() && section.list("paths").is_empty() {
        section.wrong("paths", "must be a list with at least one path");
    }
    for (place, item) in section.list("paths") {
        let errors = section.errors();
        let mut item = Section::new(Some(&item), place.clone(), errors);
        let written = [
            item.string("exact"),
            item.string("prefix"),
            item.string("glob"),
        ];
        item.finish();
        match path(written) {
            Ok(path) => paths.push(path),
            Err(problem) => errors.add(place, problem),
        }
    }
    paths
}

fn path(written: [Option<String>; 3]) -> Result<PathCondition, String> {
    let absolute = |path: String| {
        let is_plain = path.starts_with('/') && !path.contains(['?', '#']);
        if is_plain {
            Ok(path)
        } else {
            Err(format!("`{path}` must begin with `/` and hold no query"))
        }
    };
    let trimmed = |path: &str| match path.strip_suffix('/') {
        Some(trimmed) => trimmed.to_owned(),
        None => path.to_owned(),
    };
    Ok(match written {
        [Some(exact), None, None] => {
            let exact = trimmed(&absolute(exact)?);
            PathCondition::Exact(if exact.is_empty() {
                "/".to_owned()
            } else {
                exact
            })
        }
        [None, Some(prefix), None] => PathCondition::Prefix(trimmed(&absolute(prefix)?)),
        [None, None, Some(glob)] => {
            let parsed = PathGlob::parse(&glob).map_err(|problem| format!("`{glob}` {problem}"))?;
            PathCondition::Glob(parsed)
        }
        _ => return Err("needs one of `exact`, `prefix` and `glob`".to_owned()),
    })
}

fn methods(section: &mut Section<'_>) -> Vec<String> {
    let methods = some_strings(section, "methods");
    for method in &methods {
        if !is_token(method.as_bytes()) {
            section.wrong("methods", format!("`{method}` is not a method"));
        }
    }
    methods
}

fn hosts(section: &mut Section<'_>) -> Vec<Host> {
    let mut hosts = Vec::new();
    for written in some_strings(section, "hosts") {
        let host = written.to_ascii_lowercase();
        let name = host.strip_prefix("*.").unwrap_or(&host);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
        if name.is_empty() || !name.chars().all(is_name) || without_port(name) != name {
            section.wrong(
                "hosts",
                format!("`{written}` is neither a host without port nor `*.` and a domain"),
            );
            continue;
        }
        hosts.push(match (name.len() < host.len(), Wildcard::parse(&host)) {
            (true, Ok(wildcard)) => Host::Below(wildcard),
            _ => Host::Exact(host),
        });
    }
    hosts
}

fn statuses(section: &mut Section<'_>) -> Vec<Statuses> {
    let items: Vec<Value> = match section.value("status") {
        None => return Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(item) => vec![item.clone()],
    };
    if items.is_empty() {
        section.wrong("status", "must be a list with at least one status");
    }
    let mut statuses = Vec::new();
    for item in &items {
        match status(item) {
            Ok(status) => statuses.push(status),
            Err(problem) => section.wrong("status", problem),
        }
    }
    statuses
}

fn status(item: &Value) -> Result<Statuses, String> {
    let problem = |it: &dyn std::fmt::Display| {
        format!("{it} is neither a status, such as 404, nor a class, such as `5xx`")
    };
    match item {
        Value::Number(number) => match number.as_u64().and_then(|it| u16::try_from(it).ok()) {
            Some(code @ 100..=599) => Ok(Statuses(code, code)),
            _ => Err(problem(&number)),
        },
        Value::String(class) => {
            let first = match class.as_str() {
                "1xx" => 100,
                "2xx" => 200,
                "3xx" => 300,
                "4xx" => 400,
                "5xx" => 500,
                _ => return Err(problem(&format_args!("`{class}`"))),
            };
            Ok(Statuses(first, first.saturating_add(99)))
        }
        other => Err(problem(&kind(other))),
    }
}
