//! Patterns that hardly match what was meant.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    matching::{Lookup, Piece, RuleIndex, Strategy, split},
    path::Url,
};

use super::{Findings, codes};
use crate::analysis::{
    reach,
    rule::{self, Rule},
    search::Found,
    shape::Shaper,
    space::{Described, Space},
};

const URL: &str = "match.url";

pub(super) fn check(findings: &mut Findings, rules: &[Rule], config: &Value) {
    let strategy = rule::strategy(config);
    let mut space = Space::new(rule::cleaning(config));
    let mut shaper = Shaper::new(strategy);
    let mut reached: HashMap<&str, Option<String>> = HashMap::new();
    let neighbours = Neighbours::new(rules);
    for (number, rule) in rules.iter().enumerate() {
        methods(findings, rule);
        let Some(described) = &rule.described else {
            continue;
        };
        let url = reached
            .entry(&described.url)
            .or_insert_with(|| match space.reach(described) {
                Found::One(url) => Some(url),
                Found::None => None,
                Found::Unknown => Some(String::new()),
            });
        match url {
            None => {
                let (reason, remedy) = reach::explain(rule);
                findings.add(codes::UNREACHABLE, rule.place(URL), reason, remedy);
            }
            Some(url) => {
                literal_text(findings, rule, described);
                host(findings, rule, described, strategy);
                path(findings, rule, described, &mut shaper);
                neighbours.check_below(findings, rule, number, url);
            }
        }
    }
}

/// What is registered with IANA, and what caches add (`PURGE`).
const METHODS: &[&str] = &[
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

fn methods(findings: &mut Findings, rule: &Rule) {
    let place = || rule.place("match.methods");
    if rule.methods.is_empty() && rule.described.is_some() && !rule.is_default {
        findings.add(
            codes::NO_METHODS,
            place(),
            "the rule is for no methods, so it matches nothing",
            "list the methods, such as `[\"GET\", \"HEAD\"]`",
        );
    }
    for method in &rule.methods {
        if !METHODS.contains(&method.as_str()) {
            findings.add(
                codes::UNKNOWN_METHOD,
                place(),
                format!("`{method}` is not a registered method"),
                "check its spelling; methods of your own are fine",
            );
        }
    }
}

fn literal_text(findings: &mut Findings, rule: &Rule, described: &Described) {
    for piece in split(&described.url).unwrap_or_default() {
        let Piece::Literal(text) = piece else {
            continue;
        };
        if text.contains('?') {
            findings.add(
                codes::QUERY_IN_PATTERN,
                rule.place(URL),
                "the query is not part of what is matched; this `?` only stands for an escaped one in the path",
                "leave out `?` and what follows it, and name the parameters in `gatepost.match.query`",
            );
        }
        if let Some(escape) = escape(text) {
            findings.add(
                codes::ESCAPE_IN_PATTERN,
                rule.place(URL),
                format!("paths are matched decoded, and no decoded path holds `{escape}`"),
                "write the character that it stands for",
            );
        }
    }
}

fn escape(text: &str) -> Option<&str> {
    text.match_indices('%').find_map(|(at, _)| {
        let escape = text.get(at..at.checked_add(3)?)?;
        let mut digits = escape.bytes().skip(1);
        digits
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(escape)
    })
}

fn host(findings: &mut Findings, rule: &Rule, described: &Described, strategy: Strategy) {
    if strategy == Strategy::Regexp
        && let Some(body) = host_bodies(&described.url)
            .into_iter()
            .find(|body| loose_dot(body))
    {
        findings.add(
            codes::DOT_IN_HOST,
            rule.place(URL),
            format!(
                "the `.` between the labels in `<{body}>` matches any character, and so other hosts"
            ),
            "write `\\.`",
        );
        // Such a dot matches `/` too, which goes without saying.
        return;
    }
    if let Some(crossing) = &described.shape.crossing
        && !described.url.ends_with(crossing.as_str())
    {
        let instead = match strategy {
            Strategy::Regexp => "<[^/]+>",
            Strategy::Glob | Strategy::PathGlob => "<*>",
        };
        findings.add(
            codes::HOST_CROSSES_SLASH,
            rule.place(URL),
            format!("`{crossing}` stands for the host but also matches `/`, so that what follows may be found further down the path of any host"),
            format!("write `{instead}`, or name the hosts"),
        );
    }
}

/// The `<…>` between `://` and the first `/` of the literal text.
fn host_bodies(url: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    let mut in_host = false;
    for piece in split(url).unwrap_or_default() {
        match piece {
            Piece::Body(body) if in_host => bodies.push(body.to_owned()),
            Piece::Body(_) => {}
            Piece::Literal(text) => {
                let after = match text.split_once("://") {
                    Some((_, after)) => {
                        in_host = true;
                        after
                    }
                    None => text,
                };
                if in_host && after.contains('/') {
                    return bodies;
                }
            }
        }
    }
    bodies
}

/// Whether a `.` stands between two letters or digits, unescaped and not in a class.
fn loose_dot(body: &str) -> bool {
    let (mut before, mut in_class) = (' ', false);
    let mut rest = body.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\\' => drop(rest.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class
                && before.is_ascii_alphanumeric()
                && rest.peek().is_some_and(char::is_ascii_alphanumeric) =>
            {
                return true;
            }
            _ => {}
        }
        before = next;
    }
    false
}

fn path(findings: &mut Findings, rule: &Rule, described: &Described, shaper: &mut Shaper) {
    let pieces = split(&described.url).unwrap_or_default();
    let in_path = pieces.iter().position(|piece| {
        matches!(piece, Piece::Literal(text)
            if text.split_once("://").map_or(*text, |(_, rest)| rest).contains('/'))
    });
    let path = pieces.iter().skip(in_path.unwrap_or(pieces.len()));
    for window in path.collect::<Vec<_>>().windows(2) {
        match window {
            [Piece::Body(body), Piece::Literal(text)]
                if text.starts_with('/') && shaper.may_cross(body) && !body.starts_with('(') =>
            {
                findings.add(
                    codes::CROSSES_SLASH,
                    rule.place(URL),
                    format!("`<{body}>` in the middle of the path matches several segments"),
                    "write `<[^/]+>` (a glob: `<*>`) if one is meant",
                );
            }
            [
                Piece::Literal(text),
                Piece::Body(body @ (".*" | "**" | "*" | ".+")),
            ] if text.ends_with(|last: char| last.is_ascii_alphanumeric())
                && described.url.ends_with(&format!("{text}<{body}>")) =>
            {
                let stem = text.rsplit('/').next().unwrap_or_default();
                findings.add(
                    codes::OPEN_ENDED,
                    rule.place(URL),
                    format!("`{stem}<{body}>` also matches names that only begin with `{stem}`"),
                    format!("write `{stem}<(/.*)?>` for that path and what is below it"),
                );
            }
            _ => {}
        }
    }
}

/// Looks up what is below a rule's only path.
struct Neighbours<'r> {
    rules: &'r [Rule],
    /// The rules that the index knows, by their numbers there.
    numbers: Vec<usize>,
    index: RuleIndex,
}

impl<'r> Neighbours<'r> {
    fn new(rules: &'r [Rule]) -> Self {
        let mut numbers = Vec::new();
        let mut patterns = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            if let Some(described) = &rule.described {
                numbers.push(number);
                patterns.push((rule.methods.clone(), described.pattern.clone()));
            }
        }
        Self {
            rules,
            numbers,
            index: RuleIndex::build(patterns),
        }
    }

    fn check_below(&self, findings: &mut Findings, rule: &Rule, number: usize, url: &str) {
        let Some(described) = &rule.described else {
            return;
        };
        let one_path = described.url.ends_with(|last| last != '>' && last != '/');
        let (Some(url), Some(method), true) = (parse(url), rule.methods.first(), one_path) else {
            return;
        };
        let below = Url {
            path: format!("{}/x", url.path),
            ..url
        };
        let others = match self.index.lookup(method, &below) {
            Lookup::One { rule, .. } => vec![rule],
            Lookup::Several(rules) => rules,
            Lookup::None | Lookup::TooManySteps(_) | Lookup::Unclear(_) => return,
        };
        let own: Vec<&str> = described.shape.beginning().collect();
        let wider = others
            .into_iter()
            .filter_map(|at| self.numbers.get(at).copied())
            .filter(|other| *other != number)
            .filter_map(|other| self.rules.get(other))
            .find(|other| {
                let beginning = other
                    .described
                    .as_ref()
                    .map(|it| it.shape.beginning().count());
                beginning.is_some_and(|length| length < own.len())
            });
        if let Some(wider) = wider {
            findings.add(
                codes::NOT_BELOW,
                rule.place(URL),
                format!(
                    "the rule is for this one path; what is below it, such as `{}`, is `{}`'s",
                    below.path, wider.name.rule
                ),
                format!("write `{}<(/.*)?>` if all of it is meant", described.url),
            );
        }
    }
}

fn parse(url: &str) -> Option<Url> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at_checked(rest.find('/')?)?;
    (!path.contains('%')).then(|| Url {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        ..Url::default()
    })
}

/// Rules that differ only by case, or share an id.
pub(super) fn twins(findings: &mut Findings, rules: &[Rule]) {
    let mut ids: HashMap<&str, &Rule> = HashMap::new();
    let mut urls: HashMap<String, &Rule> = HashMap::new();
    let mut nameless = HashSet::new();
    for rule in rules {
        match rule.value.get("id").and_then(Value::as_str) {
            Some(id) if !id.is_empty() => {
                if let Some(first) = ids.insert(id, rule) {
                    findings.add(
                        codes::DUPLICATE_ID,
                        rule.place("id"),
                        format!("`{id}` is also the id of a rule in `{}`", first.name.file),
                        "give each rule an id of its own",
                    );
                }
            }
            _ => {
                if nameless.insert(rule.name.clone()) {
                    findings.add(
                        codes::NO_ID,
                        rule.place("id"),
                        "the rule has no id",
                        "give it one, so that logs and metrics can name it",
                    );
                }
            }
        }
        let Some(url) = rule.url() else { continue };
        match urls.insert(url.to_lowercase(), rule) {
            Some(first) if first.url() != Some(url) => findings.add(
                codes::CASE_TWINS,
                rule.place(URL),
                format!(
                    "the URL differs from that of `{}` only by case",
                    first.name.rule
                ),
                "URLs are matched with regard to case; leave one of them",
            ),
            _ => {}
        }
    }
}
