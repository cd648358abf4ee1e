//! The engines that run compiled patterns: two linear ones, and one with look-ahead and a step
//! limit.

use regex_automata::{
    Anchored, Input,
    dfa::onepass::{self, DFA},
    nfa::thompson::{self, NFA, WhichCaptures, pikevm::PikeVM},
    util::{
        primitives::{NonMaxUsize, PatternID},
        syntax,
    },
};

use super::TooManySteps;

/// How much a compiled expression may take, in bytes.
const MAX_NFA_BYTES: usize = 1 << 20;

/// Above this a pattern runs on its NFA, which is smaller and slower.
const MAX_DFA_BYTES: usize = 1 << 15;

/// How often an expression with look-ahead may turn back: a few milliseconds' work, or some tenths
/// of a second where each turn reads the longest path to its end. `(?!x).*` needs one turn, and
/// `((?!x).)*` one for each character.
const MAX_BACKTRACKS: usize = 10_000;

/// The cache of a part without look-ahead, within an expression with it.
const MAX_LAZY_DFA_BYTES: usize = 1 << 18;

/// The instructions of an expression with look-ahead.
const MAX_INSTRUCTIONS: usize = 1 << 14;

/// An expression that is matched in time linear in the subject. It begins where it is told to, ends
/// at the end of the subject, and holds neither caches nor locks.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    automaton: Automaton,
    groups: Groups,
}

#[derive(Clone, Debug)]
enum Automaton {
    /// For expressions in which one character always says how to go on: most of them.
    OnePass(Box<DFA>),
    /// For all others.
    Nfa(Box<PikeVM>),
}

impl Linear {
    /// Compiles `expression`; `capturing` says whether its groups matter.
    pub(super) fn compile(expression: &str, capturing: bool) -> Result<Self, String> {
        let expression = format!(r"{expression}\z");
        let which = if capturing {
            WhichCaptures::All
        } else {
            // Not `None`: without slots the one-pass DFA indexes out of bounds.
            WhichCaptures::Implicit
        };
        let limits = NFA::config()
            .nfa_size_limit(Some(MAX_NFA_BYTES))
            .which_captures(which);
        let nfa = NFA::compiler()
            .configure(limits)
            .build_from_hir(&parse(&expression)?)
            .map_err(|error| reason(&error))?;
        let groups = Groups::new(
            nfa.group_info().pattern_names(PatternID::ZERO),
            nfa.group_info().slot_len(),
        );
        let one_pass = onepass::Builder::new()
            .configure(DFA::config().size_limit(Some(MAX_DFA_BYTES)))
            .build_from_nfa(nfa.clone());
        let automaton = match one_pass {
            Ok(dfa) => Automaton::OnePass(Box::new(dfa)),
            Err(_) => Automaton::Nfa(Box::new(
                PikeVM::new_from_nfa(nfa).map_err(|error| error.to_string())?,
            )),
        };
        Ok(Self { automaton, groups })
    }

    /// The groups where `subject` matches from byte `start`, which is at most its length, to its
    /// end. What is before `start` is seen by `^` and `\b`.
    pub(super) fn captures(
        &self,
        subject: &str,
        start: usize,
    ) -> Result<Option<Vec<String>>, TooManySteps> {
        let input = Input::new(subject).range(start..).anchored(Anchored::Yes);
        let mut slots = vec![None; self.groups.slots];
        let found = match &self.automaton {
            // It fails only where it is asked for what it was not built for.
            Automaton::OnePass(dfa) => dfa
                .try_search_slots(&mut dfa.create_cache(), &input, &mut slots)
                .map_err(|_| TooManySteps)?,
            Automaton::Nfa(vm) => vm.search_slots(&mut vm.create_cache(), &input, &mut slots),
        };
        Ok(found.map(|_| self.groups.texts(|group| slot_text(subject, &slots, group))))
    }
}

/// An expression with look-ahead. It has to backtrack, so it gives up after a number of steps.
#[derive(Clone, Debug)]
pub(super) struct LookAhead {
    regex: fancy_regex::Regex,
    groups: Groups,
}

impl LookAhead {
    /// Compiles `expression`, which has to match the whole of a subject.
    pub(super) fn compile(expression: &str) -> Result<Self, String> {
        let regex = fancy_regex::RegexBuilder::new(&format!(r"\A{expression}\z"))
            .backtrack_limit(MAX_BACKTRACKS)
            .delegate_size_limit(MAX_NFA_BYTES)
            .delegate_dfa_size_limit(MAX_LAZY_DFA_BYTES)
            .max_prog_size(MAX_INSTRUCTIONS)
            .build()
            .map_err(|error| error.to_string())?;
        let groups = Groups::new(regex.capture_names(), 0);
        Ok(Self { regex, groups })
    }

    /// The groups where the whole of `subject` matches.
    pub(super) fn captures(&self, subject: &str) -> Result<Option<Vec<String>>, TooManySteps> {
        let input = fancy_regex::RegexInput::new(subject).anchored(true);
        match self.regex.captures_input(input) {
            Ok(None) => Ok(None),
            Ok(Some(captures)) => {
                Ok(Some(self.groups.texts(|group| {
                    captures.get(group).map(|found| found.as_str())
                })))
            }
            Err(_) => Err(TooManySteps),
        }
    }
}

/// Checks that `expression` is one by itself, so that nothing in it reaches beyond its `<…>`.
pub(super) fn check(expression: &str) -> Result<(), String> {
    parse(expression).map(drop)
}

fn parse(expression: &str) -> Result<regex_syntax::hir::Hir, String> {
    syntax::parse(expression).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    })
}

fn reason(error: &thompson::BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("the compiled expression would be larger than {limit} bytes"),
        None => error.to_string(),
    }
}

/// The order in which groups are handed out.
#[derive(Clone, Debug)]
struct Groups {
    /// Unnamed groups from left to right, then named ones: how Oathkeeper's engine numbers them.
    order: Vec<usize>,
    /// How many slots a search fills.
    slots: usize,
}

impl Groups {
    /// From the names of all groups in the engine's order, the whole match first.
    fn new<'n>(names: impl Iterator<Item = Option<&'n str>>, slots: usize) -> Self {
        let groups = names.enumerate().skip(1);
        let (named, unnamed): (Vec<_>, Vec<_>) = groups.partition(|(_, name)| name.is_some());
        Self {
            order: unnamed
                .iter()
                .chain(&named)
                .map(|(group, _)| *group)
                .collect(),
            slots,
        }
    }

    fn texts<'s>(&self, text: impl Fn(usize) -> Option<&'s str>) -> Vec<String> {
        let texts = self.order.iter().map(|group| text(*group));
        texts
            .map(|text| text.unwrap_or_default().to_owned())
            .collect()
    }
}

fn slot_text<'s>(subject: &'s str, slots: &[Option<NonMaxUsize>], group: usize) -> Option<&'s str> {
    let first = group.checked_mul(2)?;
    let start = slots.get(first).copied()??;
    let end = slots.get(first.checked_add(1)?).copied()??;
    subject.get(start.get()..end.get())
}
