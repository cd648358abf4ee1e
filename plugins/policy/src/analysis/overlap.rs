//! Which rules meet: the same request matches both.

use std::collections::{BTreeMap, HashMap};

use super::{
    report::{Overlap, Relation, Shadowed, Undecided, Witness},
    rule::Rule,
    search::Found,
    space::{Described, Space},
};

/// How many pairs of patterns are looked at more closely than at a glance.
const MAX_PAIRS: usize = 200_000;

/// What is known of the rules' patterns, taken two at a time.
pub(super) struct Meetings<'r> {
    rules: &'r [Rule],
    /// The rules that share a pattern, by where the first of them stands.
    groups: Vec<Vec<usize>>,
    /// URLs that the patterns of two groups both match.
    urls: BTreeMap<(usize, usize), String>,
    /// Pairs of groups of which that is not known.
    unknown: Vec<(usize, usize)>,
    /// How many pairs were not looked at.
    pub(super) skipped: usize,
}

impl<'r> Meetings<'r> {
    pub(super) fn find(rules: &'r [Rule], space: &mut Space) -> Self {
        let mut meetings = Self {
            rules,
            groups: groups(rules),
            urls: BTreeMap::new(),
            unknown: Vec::new(),
            skipped: 0,
        };
        let pairs = meetings.candidates();
        for (number, (a, b)) in pairs.into_iter().enumerate() {
            let (Some(first), Some(second)) = (meetings.pattern(a), meetings.pattern(b)) else {
                continue;
            };
            if number >= MAX_PAIRS {
                meetings.skipped = meetings.skipped.saturating_add(1);
                continue;
            }
            match space.meet(first, second) {
                Found::One(url) => drop(meetings.urls.insert((a, b), url)),
                Found::None => {}
                Found::Unknown => meetings.unknown.push((a, b)),
            }
        }
        meetings
    }

    /// Each group's rules and pattern.
    pub(super) fn groups(&self) -> impl Iterator<Item = (usize, &[usize], &'r Described)> {
        self.groups
            .iter()
            .enumerate()
            .filter_map(|(group, rules)| Some((group, rules.as_slice(), self.pattern(group)?)))
    }

    /// The groups that `group` meets, or might.
    pub(super) fn neighbours(&self, group: usize) -> Vec<usize> {
        let pairs = self.urls.keys().chain(&self.unknown);
        pairs
            .filter_map(|(a, b)| match (*a == group, *b == group) {
                (true, _) => Some(*b),
                (_, true) => Some(*a),
                _ => None,
            })
            .collect()
    }

    pub(super) fn rules_of(&self, group: usize) -> &[usize] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    fn pattern(&self, group: usize) -> Option<&'r Described> {
        let first = *self.groups.get(group)?.first()?;
        self.rules.get(first)?.described.as_ref()
    }

    /// Pairs of groups that might meet: as far as both paths begin literally, they begin alike.
    fn candidates(&self) -> Vec<(usize, usize)> {
        let mut beginnings = Beginnings::default();
        for (group, _, pattern) in self.groups() {
            beginnings.insert(pattern.shape.beginning(), group);
        }
        let mut pairs = Vec::new();
        for (group, _, pattern) in self.groups() {
            beginnings.for_each_shorter(pattern.shape.beginning(), |other, same| {
                let once = !same || other < group;
                let may_meet = || {
                    self.pattern(other)
                        .is_some_and(|other| other.shape.may_meet(&pattern.shape))
                };
                if once && may_meet() {
                    pairs.push((group.min(other), group.max(other)));
                }
            });
        }
        pairs.sort_unstable();
        pairs
    }

    /// Rules that match the same request, and rules that for that reason never decide.
    pub(super) fn judge(
        &self,
        space: &mut Space,
        reach: &HashMap<usize, String>,
    ) -> (Vec<Overlap>, Vec<Shadowed>, Vec<Undecided>) {
        let mut judged = Judged::default();
        for (group, rules, _) in self.groups() {
            let Some(url) = reach.get(&group) else {
                continue;
            };
            for (at, first) in rules.iter().enumerate() {
                for second in rules.iter().skip(at.saturating_add(1)) {
                    self.overlap(&mut judged, (*first, *second), url, Relation::Same);
                }
            }
        }
        for ((a, b), url) in &self.urls {
            let mut relation = None;
            for first in self.rules_of(*a) {
                for second in self.rules_of(*b) {
                    if self.common_methods(*first, *second).is_empty() {
                        continue;
                    }
                    let relation = *relation.get_or_insert_with(|| self.relation(space, *a, *b));
                    self.overlap(&mut judged, (*first, *second), url, relation);
                }
            }
        }
        for (a, b) in &self.unknown {
            for first in self.rules_of(*a) {
                for second in self.rules_of(*b) {
                    let methods = self.common_methods(*first, *second);
                    if let (Some(a), Some(b), false) = (
                        self.rules.get(*first),
                        self.rules.get(*second),
                        methods.is_empty(),
                    ) {
                        judged.undecided.push(Undecided {
                            rules: [a.name.clone(), b.name.clone()],
                            methods,
                        });
                    }
                }
            }
        }
        judged.overlaps.sort_by(|a, b| a.rules.cmp(&b.rules));
        (judged.overlaps, judged.shadowed, judged.undecided)
    }

    fn relation(&self, space: &mut Space, a: usize, b: usize) -> Relation {
        let (Some(a), Some(b)) = (self.pattern(a), self.pattern(b)) else {
            return Relation::Unknown;
        };
        match (space.differ(a, b), space.differ(b, a)) {
            (Found::None, Found::None) => Relation::Same,
            (Found::None, _) => Relation::FirstWithinSecond,
            (_, Found::None) => Relation::SecondWithinFirst,
            (Found::One(_), Found::One(_)) => Relation::Partial,
            _ => Relation::Unknown,
        }
    }

    /// The methods with which a request might match both.
    fn common_methods(&self, first: usize, second: usize) -> Vec<String> {
        let (Some(first), Some(second)) = (self.rules.get(first), self.rules.get(second)) else {
            return Vec::new();
        };
        if first.contradicts(second) {
            return Vec::new();
        }
        let methods = first.methods.iter();
        methods
            .filter(|method| second.methods.contains(method))
            .cloned()
            .collect()
    }

    fn overlap(
        &self,
        judged: &mut Judged,
        (first, second): (usize, usize),
        url: &str,
        relation: Relation,
    ) {
        let methods = self.common_methods(first, second);
        let (Some(a), Some(b), Some(method)) = (
            self.rules.get(first),
            self.rules.get(second),
            methods.first(),
        ) else {
            return;
        };
        let decides = match a.priority.cmp(&b.priority) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(a.name.clone()),
            std::cmp::Ordering::Less => Some(b.name.clone()),
        };
        for (inner, outer, within) in [
            (
                a,
                b,
                matches!(relation, Relation::Same | Relation::FirstWithinSecond),
            ),
            (
                b,
                a,
                matches!(relation, Relation::Same | Relation::SecondWithinFirst),
            ),
        ] {
            let all = inner.methods.iter().all(|it| methods.contains(it));
            let always = all && outer.demands_no_more_than(inner);
            if within && always && inner.priority <= outer.priority {
                judged.shadowed.push(Shadowed {
                    rule: inner.name.clone(),
                    by: outer.name.clone(),
                    refused: inner.priority == outer.priority,
                });
            }
        }
        judged.overlaps.push(Overlap {
            rules: [a.name.clone(), b.name.clone()],
            witness: Witness {
                method: method.clone(),
                url: url.to_owned(),
            },
            methods,
            relation,
            conditional: !a.conditions.is_empty() || !b.conditions.is_empty(),
            decides,
        });
    }
}

/// Groups by the literal segments that their paths begin with.
#[derive(Default)]
struct Beginnings<'r> {
    groups: Vec<usize>,
    longer: HashMap<&'r str, Beginnings<'r>>,
}

impl<'r> Beginnings<'r> {
    fn insert(&mut self, segments: impl Iterator<Item = &'r str>, group: usize) {
        let mut at = self;
        for segment in segments {
            at = at.longer.entry(segment).or_default();
        }
        at.groups.push(group);
    }

    /// Calls `each` for all groups whose beginning `segments` begin with, and whether it is all.
    fn for_each_shorter(
        &self,
        segments: impl Iterator<Item = &'r str>,
        mut each: impl FnMut(usize, bool),
    ) {
        let mut at = self;
        let mut segments = segments;
        loop {
            let next = segments.next();
            at.groups
                .iter()
                .for_each(|group| each(*group, next.is_none()));
            match next.and_then(|segment| at.longer.get(segment)) {
                Some(longer) => at = longer,
                None => return,
            }
        }
    }
}

#[derive(Default)]
struct Judged {
    overlaps: Vec<Overlap>,
    shadowed: Vec<Shadowed>,
    undecided: Vec<Undecided>,
}

/// The rules by their patterns, in the order of the rules.
fn groups(rules: &[Rule]) -> Vec<Vec<usize>> {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, rule) in rules.iter().enumerate() {
        let Some(described) = &rule.described else {
            continue;
        };
        let number = *numbers.entry(&described.url).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups
}
