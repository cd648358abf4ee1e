//! Finds the rule for a request without trying every rule.

mod windows;

use std::{collections::HashSet, sync::Arc};

use self::windows::{Windows, WindowsBuilder};
use crate::{
    expression::{Scratch, TooManySteps},
    matching::Pattern,
    path::Url,
};

/// The rules' methods and patterns, arranged so that a request tries few of them.
///
/// A pattern is tried only on URLs that hold a few bytes which it demands, those that the fewest
/// other patterns demand too: all that a URL holds is looked up in one pass over it. This is a
/// condition that the pattern itself implies, so the outcome is that of trying every rule in order.
#[derive(Clone, Debug, Default)]
pub struct RuleIndex {
    rules: Vec<Rule>,
    /// From bytes of a URL to rules.
    windows: Windows,
    /// Rules that demand no text.
    always: Vec<u32>,
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
    /// Whether this rule matches is unknown, and which others do was not looked at. The request
    /// must be refused: had the rule matched, it might forbid what another allows. Other requests
    /// are not affected.
    TooManySteps(usize),
    /// Whether this rule matches depends on who reads the request. It must be refused likewise.
    Unclear(usize),
}

/// What is said of a rule whose method and pattern match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It matches.
    Yes,
    /// It does not.
    No,
    /// One reader of the request would say so, another one not.
    Unclear,
}

/// The methods that a rule is for.
#[derive(Clone, Debug)]
pub enum Methods {
    /// All: which ones its author meant is not known.
    Any,
    /// These. Shared with the other rules that have the same.
    Of(Arc<[String]>),
}

impl From<Vec<String>> for Methods {
    fn from(methods: Vec<String>) -> Self {
        Self::Of(methods.into())
    }
}

#[derive(Clone, Debug)]
struct Rule {
    methods: Methods,
    pattern: Pattern,
}

impl Rule {
    /// Without regard to case; no methods, no match.
    fn allows(&self, method: &str) -> bool {
        match &self.methods {
            Methods::Any => true,
            Methods::Of(methods) => methods
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(method)),
        }
    }
}

impl RuleIndex {
    /// An index over rules: each with its methods and its pattern.
    pub fn build<M: Into<Methods>>(rules: impl IntoIterator<Item = (M, Pattern)>) -> Self {
        let mut known: HashSet<Arc<[String]>> = HashSet::new();
        let rules = rules.into_iter().map(|(methods, pattern)| {
            let methods = match methods.into() {
                Methods::Any => Methods::Any,
                Methods::Of(methods) => Methods::Of(match known.get(&methods) {
                    Some(shared) => Arc::clone(shared),
                    None => {
                        known.insert(Arc::clone(&methods));
                        methods
                    }
                }),
            };
            Rule { methods, pattern }
        });
        Self::arrange(rules.collect())
    }

    fn arrange(rules: Vec<Rule>) -> Self {
        let mut windows = WindowsBuilder::for_texts(|| rules.iter().flat_map(telling));
        let mut always = Vec::new();
        for (number, rule) in (0..).zip(&rules) {
            if !windows.add(telling(rule), number) {
                always.push(number);
            }
        }
        Self {
            rules,
            windows: windows.finish(),
            always,
        }
    }

    /// The rule for a request with `method` for `url`.
    #[must_use]
    pub fn lookup(&self, method: &str, url: &Url) -> Lookup {
        self.lookup_among(method, url, |_| true, |_| Ok(Admission::Yes))
    }

    /// The same, among the rules that `counts` and, where method and pattern match, `admits` say yes to.
    pub fn lookup_among(
        &self,
        method: &str,
        url: &Url,
        counts: impl Fn(usize) -> bool,
        admits: impl Fn(usize) -> Result<Admission, TooManySteps>,
    ) -> Lookup {
        let subject = url.subject();
        let mut scratch = Scratch::default();
        let mut found = Vec::new();
        let mut captured = Vec::new();
        for number in self.candidates(method, &subject) {
            let Some(rule) = self.rules.get(number).filter(|_| counts(number)) else {
                continue;
            };
            let matched = rule.pattern.captures_with(&mut scratch, &subject);
            let admitted = matched.and_then(|captures| match captures {
                Some(captures) => Ok((admits(number)?, captures)),
                None => Ok((Admission::No, Vec::new())),
            });
            match admitted {
                Ok((Admission::Yes, captures)) => {
                    found.push(number);
                    captured = captures;
                }
                Ok((Admission::No, _)) => {}
                Ok((Admission::Unclear, _)) => return Lookup::Unclear(number),
                // The steps are for all rules together, or their number would be no bound.
                Err(TooManySteps) => return Lookup::TooManySteps(number),
            }
        }
        match found.as_slice() {
            [] => Lookup::None,
            [rule] => Lookup::One {
                rule: *rule,
                captures: captured,
            },
            _ => Lookup::Several(found),
        }
    }

    /// The outcome for a rule that is known to match.
    pub fn captures(&self, rule: usize, url: &Url) -> Lookup {
        let pattern = self.rules.get(rule).map(|rule| &rule.pattern);
        match pattern.map(|pattern| pattern.captures(&url.subject())) {
            Some(Ok(Some(captures))) => Lookup::One { rule, captures },
            Some(Err(TooManySteps)) => Lookup::TooManySteps(rule),
            Some(Ok(None)) | None => Lookup::None,
        }
    }

    /// The rules that are tried on every request, there being no text that selects them.
    #[cfg(feature = "analysis")]
    pub(crate) fn always_tried(&self) -> &[u32] {
        &self.always
    }

    /// The rules to try for `subject`, in order, each once.
    pub(super) fn candidates(&self, method: &str, subject: &str) -> Vec<usize> {
        let mut numbers = self.always.clone();
        self.windows.look_up(subject, &mut numbers);
        numbers.sort_unstable();
        numbers.dedup();
        let numbers = numbers
            .into_iter()
            .filter_map(|number| usize::try_from(number).ok());
        numbers
            .filter(|number| {
                let rule = self.rules.get(*number);
                rule.is_some_and(|rule| rule.allows(method))
            })
            .collect()
    }
}

/// The texts that tell a rule from others: not what every URL holds.
fn telling(rule: &Rule) -> impl Iterator<Item = &str> {
    rule.pattern
        .literals()
        .filter(|literal| !"://".contains(literal))
}
