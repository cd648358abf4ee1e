//! Questions about patterns, answered by walking their automata and asking the real matcher.

use std::collections::HashMap;

use crate::{matching::Pattern, path::Cleaning};

use super::{
    automaton::Language,
    example, look_ahead,
    search::{Found, shortest},
    shape::{Shape, Shaper, expression},
    urls::{self, Fit},
};

/// What all searches together may spend, in steps of an automaton.
const BUDGET: u64 = 2_000_000_000;

/// How many ways to the same states are tried where the automata are not exact.
const VISITS_IN_DOUBT: usize = 16;

/// How many patterns' automata are kept at a time.
const MAX_KEPT: usize = 256;

/// A pattern, as written and ready to use.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) url: String,
    pub(super) pattern: Pattern,
    pub(super) shape: Shape,
    expression: String,
}

impl Described {
    pub(super) fn new(shaper: &mut Shaper, url: &str, pattern: Pattern) -> Option<Self> {
        Some(Self {
            url: url.to_owned(),
            shape: shaper.shape(url),
            expression: expression(shaper.strategy(), url)?,
            pattern,
        })
    }

    fn matches(&self, subject: &str) -> Option<bool> {
        self.pattern.captures(subject).ok().map(|it| it.is_some())
    }
}

/// Answers questions about patterns, within a budget.
pub(super) struct Space {
    inside: Result<Language, String>,
    outside: Result<Language, String>,
    kept: HashMap<String, Approached>,
    budget: u64,
    cleaning: Cleaning,
}

/// A pattern's language, or the nearest to it that an automaton can describe.
#[derive(Debug)]
struct Approached {
    language: Language,
    /// Whether it is a larger one: it lacks the look-aheads.
    larger: bool,
}

/// The answer to whether something is there.
pub(super) type Answer = Found<String>;

impl Space {
    pub(super) fn new(cleaning: Cleaning) -> Self {
        Self {
            cleaning,
            inside: urls::language(Fit::Inside, cleaning),
            outside: urls::language(Fit::Outside, cleaning),
            kept: HashMap::new(),
            budget: BUDGET,
        }
    }

    /// A URL that a request can have and `pattern` matches.
    pub(super) fn reach(&mut self, pattern: &Described) -> Answer {
        let guesses = example::of(&pattern.expression);
        let guess = guesses
            .iter()
            .filter(|guess| pattern.matches(guess) == Some(true))
            .find_map(|guess| urls::written(guess, self.cleaning));
        match guess {
            Some(url) => Found::One(url),
            None => self.search(&[(pattern, true)]),
        }
    }

    /// A URL that both match.
    pub(super) fn meet(&mut self, a: &Described, b: &Described) -> Answer {
        self.search(&[(a, true), (b, true)])
    }

    /// A URL that `a` matches and `b` does not.
    pub(super) fn differ(&mut self, a: &Described, b: &Described) -> Answer {
        self.search(&[(a, true), (b, false)])
    }

    /// A URL that the patterns match or not, as wanted.
    fn search(&mut self, wanted: &[(&Described, bool)]) -> Answer {
        let mut languages = Vec::new();
        for (pattern, _) in wanted {
            match self.take(pattern) {
                Some(language) => languages.push(language),
                None => return Found::Unknown,
            }
        }
        let answer = self.search_in(&mut languages, wanted);
        for ((pattern, _), language) in wanted.iter().zip(languages) {
            self.kept.insert(pattern.expression.clone(), language);
        }
        answer
    }

    /// First among URLs without a `%`, of which each is some request's; then among all.
    fn search_in(&mut self, languages: &mut [Approached], wanted: &[(&Described, bool)]) -> Answer {
        // Nothing is known to be outside of a language that is not known exactly.
        let vague = languages
            .iter()
            .zip(wanted)
            .any(|(language, (_, inside))| language.larger && !inside);
        // What the matcher refuses says nothing about other URLs that lead to the same states.
        let visits = if languages.iter().any(|language| language.larger) {
            VISITS_IN_DOUBT
        } else {
            1
        };
        let cleaning = self.cleaning;
        let test = |subject: &str| {
            let as_wanted = wanted
                .iter()
                .all(|(pattern, inside)| pattern.matches(subject) == Some(*inside));
            as_wanted
                .then(|| urls::written(subject, cleaning))
                .flatten()
        };
        let mut last = Found::Unknown;
        for urls in [&mut self.inside, &mut self.outside] {
            let Ok(urls) = urls else {
                return Found::Unknown;
            };
            let mut all = vec![(urls, true)];
            for (language, (_, inside)) in languages.iter_mut().zip(wanted) {
                all.push((&mut language.language, *inside));
            }
            let found = shortest(&mut all, visits, &mut self.budget, test);
            if let Found::One(_) = found {
                return found;
            }
            if found == Found::Unknown && self.budget == 0 {
                return found;
            }
            last = found;
        }
        if vague { Found::Unknown } else { last }
    }

    fn take(&mut self, pattern: &Described) -> Option<Approached> {
        if let Some(kept) = self.kept.remove(&pattern.expression) {
            return Some(kept);
        }
        if self.kept.len() >= MAX_KEPT {
            self.kept.clear();
        }
        if let Ok(language) = Language::new(&pattern.expression) {
            return Some(Approached {
                language,
                larger: false,
            });
        }
        let mut language = Language::new(&look_ahead::drop_all(&pattern.expression)).ok()?;
        language.tell_apart(&pattern.expression);
        Some(Approached {
            language,
            larger: true,
        })
    }
}
