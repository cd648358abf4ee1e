//! Rules as they are written, read leniently: judging goes on where the compiler would stop.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{
    RuleSource,
    config::{Place, merge},
    matching::{Pattern, PatternCompiler, Strategy},
    path::Cleaning,
};

use super::{shape::Shaper, space::Described};

/// Which rule is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName {
    /// The file, as the operator named it.
    pub file: String,
    /// The rule's id, or `#3` for the third of a file where it has none.
    pub rule: String,
}

impl std::fmt::Display for RuleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.rule)
    }
}

impl Serialize for RuleName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A rule with what judging it takes.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: RuleName,
    /// The rule, keys in lower case.
    pub(super) value: Map<String, Value>,
    /// In upper case, each once.
    pub(super) methods: Vec<String>,
    /// `None` where the pattern is missing or broken.
    pub(super) described: Option<Described>,
    pub(super) authenticators: Vec<Handler>,
    pub(super) authorizers: Vec<Handler>,
    pub(super) mutators: Vec<Handler>,
    pub(super) errors: Vec<Handler>,
    /// Of rules that match the same request the one with the highest decides.
    pub(super) priority: i64,
    /// Whether it is for what no other rule matches; then it needs no pattern.
    pub(super) is_default: bool,
    /// What it demands of headers and query parameters, `None` for what must be absent.
    pub(super) conditions: BTreeMap<String, Option<String>>,
    /// Whether it is only tried out: what it refuses passes.
    pub(super) shadow: bool,
}

/// A handler as a rule names it.
#[derive(Clone, Debug)]
pub(super) struct Handler {
    /// Its key in the rule, such as `authenticators[0]`.
    pub(super) path: String,
    pub(super) name: String,
    /// What it is configured to, with the configuration file's part.
    pub(super) config: Value,
    /// What stands below `gatepost` beside that.
    pub(super) extension: Value,
}

impl Rule {
    /// The place of `path` in this rule.
    pub(super) fn place(&self, path: &str) -> Place {
        Place {
            file: Some(self.name.file.as_str().into()),
            rule: Some(self.name.rule.as_str().into()),
            path: path.to_owned(),
        }
    }

    /// The pattern as written.
    pub(super) fn url(&self) -> Option<&str> {
        entry(&self.value, "match")
            .and_then(|matched| get(matched, "url"))
            .and_then(Value::as_str)
    }

    /// Whether no request meets what both demand of headers and parameters. In doubt one does.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        self.conditions.iter().any(
            |(name, demand)| match (demand, other.conditions.get(name)) {
                (_, None) | (None, Some(None)) => false,
                (None, Some(Some(_))) | (Some(_), Some(None)) => true,
                (Some(a), Some(Some(b))) => a != b && !a.contains('<') && !b.contains('<'),
            },
        )
    }

    /// Whether every request that meets the demands of `other` meets those of this rule.
    pub(super) fn demands_no_more_than(&self, other: &Self) -> bool {
        let mut conditions = self.conditions.iter();
        conditions.all(|(name, demand)| other.conditions.get(name) == Some(demand))
    }

    /// All its handlers, in the order of the stages.
    pub(super) fn handlers(&self) -> impl Iterator<Item = &Handler> {
        let stages = [
            &self.authenticators,
            &self.authorizers,
            &self.mutators,
            &self.errors,
        ];
        stages.into_iter().flatten()
    }
}

/// The configuration's strategy; that of a broken one is the default.
pub(super) fn strategy(config: &Value) -> Strategy {
    Strategy::of(config)
}

/// How the configuration has paths read.
pub(super) fn cleaning(config: &Value) -> Cleaning {
    config
        .pointer("/gatepost/path_cleaning")
        .and_then(Value::as_str)
        .and_then(Cleaning::parse)
        .unwrap_or_default()
}

/// All rules of all files that can be read as such.
pub(super) fn read(config: &Value, sources: &[RuleSource<'_>]) -> Vec<Rule> {
    let mut patterns = PatternCompiler::default();
    let mut shaper = Shaper::new(strategy(config));
    let mut rules = Vec::new();
    for source in sources {
        for (index, value) in source.rules.as_array().into_iter().flatten().enumerate() {
            if let Some(map) = value.as_object() {
                let name = RuleName {
                    file: source.file.to_owned(),
                    rule: name(index, map),
                };
                rules.push(rule(config, name, lower(map), &mut patterns, &mut shaper));
            }
        }
    }
    rules
}

/// The rule's name: its id, or its number where it has none.
pub(super) fn name(index: usize, rule: &Map<String, Value>) -> String {
    match rule.get("id").and_then(Value::as_str) {
        Some(id) if !id.is_empty() => id.to_owned(),
        _ => format!("#{}", index.saturating_add(1)),
    }
}

fn rule(
    config: &Value,
    name: RuleName,
    value: Map<String, Value>,
    patterns: &mut PatternCompiler,
    shaper: &mut Shaper,
) -> Rule {
    let matched = value.get("match");
    let described = matched
        .and_then(|matched| get(matched, "url"))
        .and_then(Value::as_str)
        .and_then(|url| {
            let pattern: Pattern = patterns.compile(shaper.strategy(), url).ok()?;
            Described::new(shaper, url, pattern)
        });
    let mut methods: Vec<String> = matched
        .and_then(|matched| get(matched, "methods"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_ascii_uppercase)
        .collect();
    let mut seen = std::collections::HashSet::new();
    methods.retain(|method| seen.insert(method.clone()));
    let own = value.get("gatepost").cloned().unwrap_or_default();
    // In the order in which the engine asks them.
    let mut authenticators = entries(&own, "gatepost.", "authenticators");
    authenticators.extend(entries_of_rule(&value, "authenticators"));
    let mut authorizers = entries_of_rule(&value, "authorizer");
    authorizers.extend(entries(&own, "gatepost.", "authorizers"));
    let mut mutators = entries_of_rule(&value, "mutators");
    mutators.extend(entries(&own, "gatepost.", "mutators"));
    let errors = entries_of_rule(&value, "errors");
    let handlers = |entries, stage| handlers(entries, config, stage);
    Rule {
        methods,
        described,
        authenticators: handlers(authenticators, "authenticators"),
        authorizers: handlers(authorizers, "authorizers"),
        mutators: handlers(mutators, "mutators"),
        errors: handlers(errors, "errors"),
        priority: own
            .get("priority")
            .and_then(Value::as_i64)
            .unwrap_or_default(),
        is_default: own.get("default") == Some(&Value::Bool(true)),
        conditions: conditions(&own),
        shadow: [own.get("shadow"), config.pointer("/gatepost/shadow")]
            .contains(&Some(&Value::Bool(true))),
        name,
        value,
    }
}

fn conditions(own: &Value) -> BTreeMap<String, Option<String>> {
    let mut conditions = BTreeMap::new();
    for kind in ["headers", "query"] {
        let demands = own.get("match").and_then(|matched| matched.get(kind));
        for (name, demand) in demands.and_then(Value::as_object).into_iter().flatten() {
            let name = match kind {
                "headers" => name.to_ascii_lowercase(),
                _ => name.clone(),
            };
            conditions.insert(format!("{kind}.{name}"), demand.as_str().map(str::to_owned));
        }
    }
    conditions
}

/// The handlers at `key` of a rule, which holds one or a list of them, with their keys.
fn entries_of_rule(rule: &Map<String, Value>, key: &str) -> Vec<(String, Value)> {
    match rule.get(key) {
        Some(value @ Value::Array(_)) => listed(value, key),
        Some(one) => vec![(key.to_owned(), one.clone())],
        None => Vec::new(),
    }
}

fn entries(section: &Value, above: &str, key: &str) -> Vec<(String, Value)> {
    get(section, key).map_or_else(Vec::new, |list| listed(list, &format!("{above}{key}")))
}

fn listed(list: &Value, key: &str) -> Vec<(String, Value)> {
    let list = list.as_array().into_iter().flatten().enumerate();
    list.map(|(index, entry)| (format!("{key}[{index}]"), entry.clone()))
        .collect()
}

/// The handlers of `stage`, each with the configuration file's part below its own.
fn handlers(entries: Vec<(String, Value)>, config: &Value, stage: &str) -> Vec<Handler> {
    let handler = |(path, entry): (String, Value)| {
        let name = get(&entry, "handler")?.as_str()?.to_owned();
        let known = match stage {
            "errors" => config.pointer("/errors/handlers"),
            stage => config.get(stage),
        };
        let extensions = config.get("gatepost").and_then(|own| own.get(stage));
        let base = known
            .and_then(|stage| stage.get(&name))
            .or_else(|| extensions.and_then(|stage| stage.get(&name)));
        let part = |key| merge(base.and_then(|base| base.get(key)), get(&entry, key));
        Some(Handler {
            config: part("config"),
            extension: part("gatepost"),
            path,
            name,
        })
    };
    entries.into_iter().filter_map(handler).collect()
}

fn lower(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .map(|(key, value)| (key.to_ascii_lowercase(), value.clone()))
        .collect()
}

fn entry<'v>(map: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    map.iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key))
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
}

/// The value at `key`, whatever its case.
pub(super) fn get<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    entry(value.as_object()?, key)
}
