//! Judging rules as a whole, where the compiler judges each by itself: which overlap, which no
//! request reaches, what callers without credentials reach, what matching costs.
//!
//! ```text
//!   rule files -> rule (lenient) -> space: patterns as automata -> search -> a witness
//!                                                                              |
//!                                        the real matcher confirms it  <-------+
//! ```
//!
//! Patterns become automata, and these are walked together, breadth-first, for the shortest URL
//! that both match. The automata only propose: each URL is put to the matcher that decides
//! requests, and must be one that a request can have. So a report of an overlap is never wrong. That
//! two rules do *not* overlap rests on the automata alone; where they cannot tell, the report says so.

mod access;
mod automaton;
mod example;
mod lint;
mod look_ahead;
mod overlap;
mod reach;
mod report;
mod rule;
mod schema;
mod search;
mod shape;
mod space;
#[cfg(test)]
mod tests;
mod urls;

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{RuleSource, expression::Program, matching::RuleIndex};

use self::{
    overlap::Meetings,
    rule::Rule,
    search::Found,
    space::{Described, Space},
};

pub use lint::{CODES, Code, Finding, Severity, lint, unreadable};
pub use report::{
    Analysis, Cost, Open, Overlap, Relation, Shadowed, Uncovered, Undecided, Unreachable, Witness,
};
pub use rule::RuleName;
pub use schema::{Document, schema};

/// The methods that a resource commonly has (RFC 9110 section 9.3, RFC 5789).
const COMMON_METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Analyses the rules of `sources` under Oathkeeper's configuration `config` (`null` for none).
///
/// Rules that do not compile are analysed as far as they can be read.
#[must_use]
pub fn analyze(config: &Value, sources: &[RuleSource<'_>]) -> Analysis {
    let rules = rule::read(config, sources);
    let mut space = Space::new(rule::cleaning(config));
    let meetings = Meetings::find(&rules, &mut space);
    let mut reach = HashMap::new();
    let mut never = HashSet::new();
    for (group, members, pattern) in meetings.groups() {
        match space.reach(pattern) {
            Found::One(url) => drop(reach.insert(group, url)),
            Found::None => never.extend(members.iter().copied()),
            Found::Unknown => {}
        }
    }
    let (overlaps, shadowed, undecided) = meetings.judge(&mut space, &reach);
    let urls: HashMap<usize, String> = meetings
        .groups()
        .filter_map(|(group, members, _)| Some((members, reach.get(&group)?)))
        .flat_map(|(members, url)| members.iter().map(|rule| (*rule, url.clone())))
        .collect();
    let numbered = || rules.iter().enumerate();
    Analysis {
        rules: rules.len(),
        left_out: rules
            .iter()
            .filter(|rule| rule.described.is_none() && !rule.is_default)
            .map(|rule| rule.name.clone())
            .collect(),
        overlaps,
        shadowed,
        undecided,
        not_compared: meetings.skipped,
        unreachable: numbered()
            .filter_map(|(at, rule)| unreachable(rule, never.contains(&at)))
            .collect(),
        uncovered: uncovered(&rules, &meetings, &reach),
        open: numbered()
            .filter(|(at, _)| !never.contains(at))
            .filter_map(|(at, rule)| access::open(rule, urls.get(&at)))
            .collect(),
        costs: costs(&rules, &meetings),
    }
}

fn unreachable(rule: &Rule, no_url: bool) -> Option<Unreachable> {
    let (reason, remedy) = if no_url {
        reach::explain(rule)
    } else if rule.methods.is_empty() && rule.described.is_some() {
        (
            "it is for no methods".to_owned(),
            "list the methods in `match.methods`".to_owned(),
        )
    } else {
        return None;
    };
    Some(Unreachable {
        rule: rule.name.clone(),
        reason,
        remedy,
    })
}

/// The methods with which no URL of a pattern is any rule's.
fn uncovered(
    rules: &[Rule],
    meetings: &Meetings<'_>,
    reach: &HashMap<usize, String>,
) -> Vec<Uncovered> {
    let methods_of = |members: &[usize]| -> Vec<String> {
        let members = members.iter().filter_map(|rule| rules.get(*rule));
        members.flat_map(|rule| rule.methods.clone()).collect()
    };
    let mut uncovered = Vec::new();
    if rules.iter().any(|rule| rule.is_default) {
        return uncovered;
    }
    for (group, members, pattern) in meetings.groups() {
        if !reach.contains_key(&group) {
            continue;
        }
        let covered = methods_of(members);
        let around: Vec<String> = meetings
            .neighbours(group)
            .into_iter()
            .flat_map(|other| methods_of(meetings.rules_of(other)))
            .collect();
        let missing: Vec<String> = COMMON_METHODS
            .iter()
            .filter(|method| !covered.iter().chain(&around).any(|it| it == *method))
            .map(ToString::to_string)
            .collect();
        if !missing.is_empty() && !covered.is_empty() {
            uncovered.push(Uncovered {
                pattern: pattern.url.clone(),
                rules: names(rules, members),
                covered,
                missing,
            });
        }
    }
    uncovered
}

/// What each pattern costs, the most expensive first.
fn costs(rules: &[Rule], meetings: &Meetings<'_>) -> Vec<Cost> {
    let groups: Vec<(usize, &[usize], &Described)> = meetings.groups().collect();
    let index = RuleIndex::build(
        groups
            .iter()
            .map(|(_, _, pattern)| (Vec::new(), pattern.pattern.clone())),
    );
    let always: HashSet<u32> = index.always_tried().iter().copied().collect();
    let mut costs: Vec<Cost> = Vec::new();
    for (number, (_, members, pattern)) in (0..).zip(&groups) {
        let programs = || pattern.pattern.programs();
        costs.push(Cost {
            pattern: pattern.url.clone(),
            rules: names(rules, members),
            looks_ahead: programs().any(Program::looks_ahead),
            branches: programs()
                .map(Program::branches)
                .fold(0, u32::saturating_add),
            instructions: programs().map(Program::size).fold(0, usize::saturating_add),
            always_tried: always.contains(&number),
        });
    }
    let rank = |cost: &Cost| (cost.looks_ahead, cost.always_tried, cost.branches);
    costs.sort_by_key(|cost| std::cmp::Reverse((rank(cost), cost.instructions)));
    costs
}

fn names(rules: &[Rule], members: &[usize]) -> Vec<RuleName> {
    let members = members.iter().filter_map(|rule| rules.get(*rule));
    members.map(|rule| rule.name.clone()).collect()
}
