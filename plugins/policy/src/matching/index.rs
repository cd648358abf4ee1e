//! Finds the rule for a request without trying every rule.

use std::collections::HashMap;

use aho_corasick::{
    Input, MatchKind,
    automaton::{Automaton, OverlappingState},
    nfa::contiguous,
};

use crate::{matching::Pattern, path::Url};

/// The rules' methods and patterns, arranged so that a request tries few of them.
///
/// A pattern without `<…>` is found by the whole URL. Any other is tried only on URLs that hold one
/// of its literal texts, the one that the fewest other patterns have: all these texts are looked
/// for at once, in one pass over the URL. Both are conditions that the pattern itself implies, so
/// the outcome is that of trying every rule in order.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    rules: Vec<Rule>,
    /// Rules whose pattern is one text.
    exact: HashMap<Box<str>, Vec<usize>>,
    /// Finds the texts that select the other rules.
    texts: Option<contiguous::NFA>,
    /// The rules that each text selects.
    by_text: Vec<Vec<usize>>,
    /// Rules that no text selects.
    always: Vec<usize>,
}

/// The outcome of a lookup. Rules are named by their position in what the index was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// No rule matches.
    None,
    /// Exactly one rule matches.
    One {
        /// Which.
        rule: usize,
        /// What its groups captured.
        captures: Vec<String>,
    },
    /// These rules all match; none has precedence.
    Several(Vec<usize>),
    /// Whether this rule matches is unknown, and at most one other does. The request must be
    /// refused: had the rule matched, it might forbid what the other allows. Other requests are not
    /// affected.
    TooManySteps(usize),
}

#[derive(Clone, Debug)]
struct Rule {
    methods: Vec<String>,
    pattern: Pattern,
}

impl Rule {
    /// Without regard to case; no methods, no match.
    fn allows(&self, method: &str) -> bool {
        self.methods
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(method))
    }
}

impl RuleIndex {
    /// An index over rules: each with its methods and its pattern.
    pub fn build(rules: impl IntoIterator<Item = (Vec<String>, Pattern)>) -> Self {
        let rules = rules
            .into_iter()
            .map(|(methods, pattern)| Rule { methods, pattern })
            .collect();
        let mut index = Self {
            rules,
            ..Self::default()
        };
        index.arrange();
        index
    }

    /// The rule for a request with `method` for `url`.
    #[must_use]
    pub fn lookup(&self, method: &str, url: &Url) -> Lookup {
        let subject = url.subject();
        let mut found = Vec::new();
        let mut captured = Vec::new();
        let mut unknown = None;
        for number in self.candidates(method, &subject) {
            let rule = self.rules.get(number);
            match rule.map(|rule| rule.pattern.captures(&subject)) {
                None | Some(Ok(None)) => {}
                Some(Ok(Some(captures))) => {
                    found.push(number);
                    captured = captures;
                }
                Some(Err(_)) => unknown = unknown.or(Some(number)),
            }
        }
        match (found.as_slice(), unknown) {
            ([_, _, ..], _) => Lookup::Several(found),
            (_, Some(unknown)) => Lookup::TooManySteps(unknown),
            ([rule], None) => Lookup::One {
                rule: *rule,
                captures: captured,
            },
            ([], None) => Lookup::None,
        }
    }

    /// The rules to try for `subject`, in order, each once.
    pub(super) fn candidates(&self, method: &str, subject: &str) -> Vec<usize> {
        let mut numbers = self.always.clone();
        if let Some(exact) = self.exact.get(subject) {
            numbers.extend(exact);
        }
        for text in self.texts_in(subject) {
            numbers.extend(self.by_text.get(text).into_iter().flatten());
        }
        numbers.retain(|number| {
            self.rules
                .get(*number)
                .is_some_and(|rule| rule.allows(method))
        });
        numbers.sort_unstable();
        numbers
    }

    /// The texts that `subject` holds, each once however often it does.
    fn texts_in(&self, subject: &str) -> Vec<usize> {
        let mut texts = Vec::new();
        let Some(automaton) = &self.texts else {
            return texts;
        };
        let input = Input::new(subject);
        let mut seen = vec![false; self.by_text.len()];
        let mut state = OverlappingState::start();
        while automaton.try_find_overlapping(&input, &mut state).is_ok() {
            let Some(found) = state.get_match() else {
                break;
            };
            let text = found.pattern().as_usize();
            if let Some(seen) = seen.get_mut(text).filter(|seen| !**seen) {
                *seen = true;
                texts.push(text);
            }
        }
        texts
    }

    fn arrange(&mut self) {
        let mut texts: Vec<&str> = Vec::new();
        let mut number_of: HashMap<&str, usize> = HashMap::new();
        let frequency = frequencies(&self.rules);
        for (number, rule) in self.rules.iter().enumerate() {
            if let Some(literal) = rule.pattern.literal() {
                self.exact
                    .entry(Box::from(literal))
                    .or_default()
                    .push(number);
            } else if let Some(text) = selecting_text(&rule.pattern, &frequency) {
                let at = *number_of.entry(text).or_insert_with(|| {
                    texts.push(text);
                    self.by_text.push(Vec::new());
                    texts.len().saturating_sub(1)
                });
                if let Some(selected) = self.by_text.get_mut(at) {
                    selected.push(number);
                }
            } else {
                self.always.push(number);
            }
        }
        if texts.is_empty() {
            return;
        }
        let automaton = contiguous::Builder::new()
            .match_kind(MatchKind::Standard)
            .prefilter(false)
            .build(&texts);
        match automaton {
            Ok(automaton) => self.texts = Some(automaton),
            // More texts than it can number: slow, but not wrong.
            Err(_) => self.always.extend(self.by_text.drain(..).flatten()),
        }
    }
}

/// In how many patterns each literal text stands.
fn frequencies(rules: &[Rule]) -> HashMap<&str, usize> {
    let mut frequency: HashMap<&str, usize> = HashMap::new();
    for literal in rules.iter().flat_map(|rule| rule.pattern.literals()) {
        let count = frequency.entry(literal).or_default();
        *count = count.saturating_add(1);
    }
    frequency
}

/// The rarest literal text of `pattern`, the longest of the rarest; not one that every URL holds.
fn selecting_text<'r>(
    pattern: &'r Pattern,
    frequency: &HashMap<&'r str, usize>,
) -> Option<&'r str> {
    pattern
        .literals()
        .filter(|literal| !"://".contains(literal))
        .min_by_key(|literal| {
            let count = frequency.get(literal).copied().unwrap_or_default();
            (count, std::cmp::Reverse(literal.len()))
        })
}
