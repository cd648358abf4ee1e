//! The rules that a request nearly matches, and what keeps them from it.

use serde::Serialize;
use serde_json::Value;

use crate::{
    RuleSource, Trace,
    matching::{Pattern, Strategy},
};

/// How many near misses are told.
const MAX_NEAR: usize = 5;

/// How many patterns are looked at: they are compiled for this, and a file may hold very many.
const MAX_RULES: usize = 20_000;

/// A rule that does not match, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// The file that holds it.
    pub file: String,
    /// The rule's id.
    pub rule: String,
    /// Its methods.
    pub methods: Vec<String>,
    /// Its pattern, as written.
    pub url: String,
    /// What differs.
    pub misses: Vec<Miss>,
}

/// A part of a request that a rule does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// The rule is for other methods.
    Method,
    /// `http` or `https`.
    Scheme,
    /// The host or its port.
    Host,
    /// The path.
    Path,
    /// The URL, in a pattern whose parts cannot be told apart.
    Url,
    /// The header fields or parameters that the rule demands besides.
    Conditions,
    /// Nothing: another rule goes before it.
    Precedence,
}

/// The rules of `sources` that a request comes close to, by its trace. The nearest go first: those
/// where one part differs before those where two do, and those whose path begins alike.
#[must_use]
pub fn near(config: &Value, sources: &[RuleSource<'_>], trace: &Trace) -> Vec<NearMiss> {
    let strategy = Strategy::of(config);
    let Some(request) = Request::of(strategy, trace) else {
        return Vec::new();
    };
    let mut found: Vec<(Closeness, NearMiss)> = sources
        .iter()
        .flat_map(|source| {
            let rules = source.rules.as_array().into_iter().flatten();
            rules.map(|rule| (source.file, rule))
        })
        .take(MAX_RULES)
        .filter_map(|(file, rule)| request.judge(file, rule))
        .collect();
    found.sort_by_key(|(closeness, _)| *closeness);
    found.truncate(MAX_NEAR);
    found.into_iter().map(|(_, near)| near).collect()
}

/// How many parts differ, then how little of the path is alike.
type Closeness = (usize, usize);

/// What of a request is matched.
struct Request<'t> {
    strategy: Strategy,
    /// The ids of the rules that do match.
    matched: &'t [String],
    method: &'t str,
    url: &'t str,
    parts: Parts<'t>,
}

impl<'t> Request<'t> {
    fn of(strategy: Strategy, trace: &'t Trace) -> Option<Self> {
        let url = trace.url.as_deref()?;
        Some(Self {
            strategy,
            matched: &trace.rules,
            method: trace.method.as_deref()?,
            url,
            parts: Parts::of(url)?,
        })
    }

    fn judge(&self, file: &str, rule: &Value) -> Option<(Closeness, NearMiss)> {
        let id = get(rule, "id").and_then(Value::as_str).unwrap_or_default();
        let matched = get(rule, "match")?;
        let pattern = get(matched, "url")?.as_str()?;
        let methods: Vec<String> = get(matched, "methods")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|method| method.as_str().map(str::to_owned))
            .collect();
        let mut misses = self.url_misses(pattern)?;
        let is_for = |method: &String| method.eq_ignore_ascii_case(self.method);
        if !methods.iter().any(is_for) {
            misses.insert(0, Miss::Method);
        }
        if misses.is_empty() {
            if self.matched.iter().any(|matched| matched == id) {
                return None;
            }
            let has_conditions = rule.pointer("/gatepost/match").is_some();
            misses.push(if has_conditions {
                Miss::Conditions
            } else {
                Miss::Precedence
            });
        }
        let alike = alike(pattern, self.parts.path);
        if misses.contains(&Miss::Url) || (misses.contains(&Miss::Path) && alike < 2) {
            return None;
        }
        let of_path = usize::from(misses.contains(&Miss::Path));
        let closeness = (
            misses.len().saturating_add(of_path),
            self.parts.path.len().saturating_sub(alike),
        );
        let near = NearMiss {
            file: file.to_owned(),
            rule: id.to_owned(),
            methods,
            url: pattern.to_owned(),
            misses,
        };
        Some((closeness, near))
    }

    /// What of the URL differs; `None` where the pattern is none.
    fn url_misses(&self, pattern: &str) -> Option<Vec<Miss>> {
        let matches = |pattern: &str, text: &str| {
            let pattern = Pattern::compile(self.strategy, pattern).ok()?;
            pattern.captures(text).ok().map(|groups| groups.is_some())
        };
        if matches(pattern, self.url)? {
            return Some(Vec::new());
        }
        let Some(parts) = Parts::of(pattern) else {
            return Some(vec![Miss::Url]);
        };
        let mut misses: Vec<Miss> = [
            (Miss::Scheme, parts.scheme, self.parts.scheme),
            (Miss::Host, parts.host, self.parts.host),
            (Miss::Path, parts.path, self.parts.path),
        ]
        .into_iter()
        .filter(|(_, pattern, text)| matches(pattern, text) != Some(true))
        .map(|(miss, _, _)| miss)
        .collect();
        if misses.is_empty() {
            // Each part matches by itself, and together they do not.
            misses.push(Miss::Url);
        }
        Some(misses)
    }
}

/// A URL, or a pattern cut where its literal text separates the parts of one.
struct Parts<'p> {
    scheme: &'p str,
    host: &'p str,
    path: &'p str,
}

impl<'p> Parts<'p> {
    fn of(pattern: &'p str) -> Option<Self> {
        let (scheme, rest) = pattern.split_at_checked(outside(pattern, "://")?)?;
        let rest = rest.strip_prefix("://")?;
        let (host, path) = rest.split_at_checked(outside(rest, "/").unwrap_or(rest.len()))?;
        Some(Self { scheme, host, path })
    }
}

/// Where `text` stands in `pattern` outside of `<…>`.
fn outside(pattern: &str, text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in pattern.char_indices() {
        match character {
            '<' => depth = depth.saturating_add(1),
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 && pattern.get(at..)?.starts_with(text) => return Some(at),
            _ => {}
        }
    }
    None
}

/// How many bytes of `path` the pattern's path begins with, as far as it is literal.
fn alike(pattern: &str, path: &str) -> usize {
    let literal = Parts::of(pattern).map_or("", |parts| parts.path);
    let literal = literal.split('<').next().unwrap_or_default();
    let both = literal.bytes().zip(path.bytes());
    both.take_while(|(ours, theirs)| ours == theirs).count()
}

/// A member of an object, its name in any case: Go reads rules so.
fn get<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    let members = object.as_object()?;
    members.get(name).or_else(|| {
        members
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    })
}
