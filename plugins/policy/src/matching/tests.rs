use super::*;
use crate::path::Url;

/// The conformance cases of the reference, by their numbers.
mod cases;
mod glob_language;
mod index_equals_scan;
mod regexp_language;

fn regexp(pattern: &str) -> Pattern {
    Pattern::compile(Strategy::Regexp, pattern).unwrap()
}

fn glob(pattern: &str) -> Pattern {
    Pattern::compile(Strategy::Glob, pattern).unwrap()
}

fn refused(strategy: Strategy, pattern: &str) -> PatternError {
    match Pattern::compile(strategy, pattern) {
        Ok(_) => panic!("`{pattern}` was accepted"),
        Err(error) => error,
    }
}

fn groups(pattern: &Pattern, subject: &str) -> Option<Vec<String>> {
    pattern.captures(subject).unwrap()
}

fn matches(pattern: &Pattern, subject: &str) -> bool {
    groups(pattern, subject).is_some()
}

fn index(rules: &[(&str, Pattern)]) -> RuleIndex {
    let methods =
        |list: &str| -> Vec<String> { list.split_whitespace().map(str::to_owned).collect() };
    RuleIndex::build(
        rules
            .iter()
            .map(|(list, pattern)| (methods(list), pattern.clone())),
    )
}

fn url(subject: &str) -> Url {
    let (scheme, rest) = subject.split_once("://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Url {
        scheme: scheme.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: None,
        ..Url::default()
    }
}

fn one(rule: usize, captures: &[&str]) -> Lookup {
    let captures = captures.iter().map(|it| (*it).to_owned()).collect();
    Lookup::One { rule, captures }
}

/// A small deterministic source of choices.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound).unwrap();
        usize::try_from(self.0.checked_rem(bound).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn text(&mut self, pieces: &[&str], at_most: usize) -> String {
        let count = self.below(at_most.checked_add(1).unwrap());
        (0..count).map(|_| *self.pick(pieces)).collect()
    }
}
