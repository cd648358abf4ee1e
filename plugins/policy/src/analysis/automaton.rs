//! What a pattern describes, as an automaton that is built as it is walked.
//!
//! Look-aheads are kept exactly. In the expression each stands as a byte that no text holds; where
//! the automaton could read that byte it goes on as if it had, with the duty that what follows
//! does, or does not, begin as the look-ahead says. A state is the set of all the ways the
//! expression could have been read so far, each with its duties.

use std::collections::HashMap;

use regex_automata::{
    Anchored, MatchKind,
    hybrid::{
        LazyStateID,
        dfa::{Cache, DFA},
    },
    nfa::thompson::{NFA, WhichCaptures},
    util::{start, syntax},
};

use super::look_ahead::{self, LookAhead};

/// The automata of one pattern may take this much before it counts as too complex, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// The states of one pattern.
const MAX_STATES: usize = 20_000;

/// The ways of reading an expression that one state holds.
const MAX_WAYS: usize = 128;

/// A state of a [`Language`].
pub(super) type State = u32;

/// Where a byte leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To a state from which a text of the language may still come.
    State(State),
    /// No text of the language begins like this.
    Dead,
    /// Beyond the limits, or beyond what the automaton can tell (`\b` beside other than ASCII).
    Unknown,
}

/// The texts that an expression matches from beginning to end.
#[derive(Debug)]
pub(super) struct Language {
    whole: Lazy,
    look_aheads: Vec<(LookAhead, Lazy)>,
    classes: Box<[u8; 256]>,
    states: Vec<Box<[Way]>>,
    numbers: HashMap<Box<[Way]>, State>,
    known: HashMap<(State, u8), Next>,
}

/// One way of reading the expression so far.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Way {
    at: LazyStateID,
    /// Look-aheads that what follows has to satisfy, with how far they have been read.
    duties: Vec<(u8, LazyStateID)>,
}

impl Language {
    /// The language of `expression`. The error says what in it no automaton can describe.
    pub(super) fn new(expression: &str) -> Result<Self, String> {
        let (marked, look_aheads) = look_ahead::split(expression)?;
        let whole = Lazy::new(&format!(r"\A(?:{marked})\z"))?;
        let look_aheads = look_aheads
            .into_iter()
            .map(|it| Lazy::new(&format!("(?:{})", it.expression)).map(|lazy| (it, lazy)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut automata = vec![&whole];
        automata.extend(look_aheads.iter().map(|(_, lazy)| lazy));
        Ok(Self {
            classes: classes(&automata),
            whole,
            look_aheads,
            states: Vec::new(),
            numbers: HashMap::new(),
            known: HashMap::new(),
        })
    }

    /// Gives each byte of `expression` a class of its own. The automaton treats some of them alike;
    /// what it was made of might not have.
    pub(super) fn tell_apart(&mut self, expression: &str) {
        let mut numbers: HashMap<(u8, Option<u8>), u8> = HashMap::new();
        let classes = self.classes.clone();
        for (byte, class) in (0..=u8::MAX).zip(self.classes.iter_mut()) {
            let own = expression.as_bytes().contains(&byte).then_some(byte);
            let before = classes.get(usize::from(byte)).copied();
            let next = u8::try_from(numbers.len()).unwrap_or(u8::MAX);
            *class = *numbers
                .entry((before.unwrap_or_default(), own))
                .or_insert(next);
        }
    }

    /// Bytes with the same number lead to the same states.
    pub(super) const fn classes(&self) -> &[u8; 256] {
        &self.classes
    }

    /// Where every text begins.
    pub(super) fn start(&mut self) -> Next {
        match self.whole.start(None) {
            Step::To(at) => {
                let way = Way {
                    at,
                    duties: Vec::new(),
                };
                self.state(vec![way], None)
            }
            Step::Dead => Next::Dead,
            Step::Unknown => Next::Unknown,
        }
    }

    /// Where `byte` leads from `state`.
    pub(super) fn next(&mut self, state: State, byte: u8) -> Next {
        let class = self.classes.get(usize::from(byte)).copied();
        let key = (state, class.unwrap_or_default());
        if let Some(next) = self.known.get(&key) {
            return *next;
        }
        let next = self.step(state, byte);
        self.known.insert(key, next);
        next
    }

    /// Whether the text so far is one of the language; `None` where that cannot be told.
    pub(super) fn accepts(&mut self, state: State) -> Option<bool> {
        let ways = self.ways(state);
        let mut unknown = false;
        for way in &ways {
            match self.whole.ends(way.at) {
                Some(false) => {}
                ended => match (ended, self.duties_end(&way.duties)) {
                    (Some(true), Some(true)) => return Some(true),
                    (_, Some(false)) => {}
                    _ => unknown = true,
                },
            }
        }
        (!unknown).then_some(false)
    }

    fn duties_end(&mut self, duties: &[(u8, LazyStateID)]) -> Option<bool> {
        for (number, at) in duties {
            let (look_ahead, lazy) = self.look_aheads.get_mut(usize::from(*number))?;
            if lazy.ends(*at)? == look_ahead.negative {
                return Some(false);
            }
        }
        Some(true)
    }

    fn ways(&self, state: State) -> Vec<Way> {
        let ways = usize::try_from(state)
            .ok()
            .and_then(|at| self.states.get(at));
        ways.map(|ways| ways.to_vec()).unwrap_or_default()
    }

    fn step(&mut self, state: State, byte: u8) -> Next {
        let mut ways = Vec::new();
        for way in self.ways(state) {
            let at = match self.whole.next(way.at, byte) {
                Step::To(at) => at,
                Step::Dead => continue,
                Step::Unknown => return Next::Unknown,
            };
            match self.duties_after(&way.duties, byte) {
                Some(Some(duties)) => ways.push(Way { at, duties }),
                Some(None) => {}
                None => return Next::Unknown,
            }
        }
        self.state(ways, Some(byte))
    }

    /// What is left of `duties` once `byte` is read: `Some(None)` where one of them is broken,
    /// `None` where that cannot be told.
    fn duties_after(
        &mut self,
        duties: &[(u8, LazyStateID)],
        byte: u8,
    ) -> Option<Option<Vec<(u8, LazyStateID)>>> {
        let mut left = Vec::new();
        for (number, at) in duties {
            let (look_ahead, lazy) = self.look_aheads.get_mut(usize::from(*number))?;
            let next = lazy.next(*at, byte);
            let ended = matches!(next, Step::To(at) if at.is_match());
            match (next, ended, look_ahead.negative) {
                (Step::Unknown, _, _) => return None,
                (_, true, true) | (Step::Dead, _, false) => return Some(None),
                (_, true, false) | (Step::Dead, _, true) => {}
                (Step::To(at), false, _) => left.push((*number, at)),
            }
        }
        Some(Some(left))
    }

    /// The state that holds `ways`, after `before`, and all that look-aheads here make of them.
    fn state(&mut self, mut ways: Vec<Way>, before: Option<u8>) -> Next {
        let mut at = 0;
        while let Some(way) = ways.get(at).cloned() {
            at = at.saturating_add(1);
            for number in 0..self.look_aheads.len() {
                match self.look_ahead_here(&way, number, before) {
                    Some(Some(more)) if !ways.contains(&more) => ways.push(more),
                    Some(_) => {}
                    None => return Next::Unknown,
                }
            }
            if ways.len() > MAX_WAYS {
                return Next::Unknown;
            }
        }
        if ways.is_empty() {
            return Next::Dead;
        }
        ways.sort_unstable();
        ways.dedup();
        self.number(ways.into())
    }

    /// `way` once it has passed the look-ahead `number` here; `Some(None)` where there is none.
    fn look_ahead_here(
        &mut self,
        way: &Way,
        number: usize,
        before: Option<u8>,
    ) -> Option<Option<Way>> {
        let (look_ahead, lazy) = self.look_aheads.get_mut(number)?;
        let at = match self.whole.next(way.at, look_ahead.marker) {
            Step::To(at) => at,
            Step::Dead => return Some(None),
            Step::Unknown => return None,
        };
        let mut duties = way.duties.clone();
        match lazy.start(before) {
            Step::To(start) => duties.push((u8::try_from(number).ok()?, start)),
            Step::Dead if look_ahead.negative => {}
            Step::Dead => return Some(None),
            Step::Unknown => return None,
        }
        duties.sort_unstable();
        duties.dedup();
        Some(Some(Way { at, duties }))
    }

    fn number(&mut self, ways: Box<[Way]>) -> Next {
        if let Some(number) = self.numbers.get(&ways) {
            return Next::State(*number);
        }
        match State::try_from(self.states.len()) {
            Ok(number) if self.states.len() < MAX_STATES => {
                self.states.push(ways.clone());
                self.numbers.insert(ways, number);
                Next::State(number)
            }
            _ => Next::Unknown,
        }
    }
}

/// A lazy DFA and what it has built so far.
#[derive(Debug)]
struct Lazy {
    dfa: DFA,
    cache: Cache,
}

enum Step {
    To(LazyStateID),
    Dead,
    Unknown,
}

impl Lazy {
    fn new(expression: &str) -> Result<Self, String> {
        // Not valid UTF-8 alone: the bytes that stand for look-aheads are none.
        let syntax = syntax::Config::new().utf8(false);
        let hir = syntax::parse_with(expression, &syntax).map_err(|error| error.to_string())?;
        let nfa = NFA::compiler()
            .configure(
                NFA::config()
                    .utf8(false)
                    .which_captures(WhichCaptures::None)
                    .nfa_size_limit(Some(MAX_BYTES)),
            )
            .build_from_hir(&hir)
            .map_err(|error| error.to_string())?;
        let limits = DFA::config()
            .match_kind(MatchKind::All)
            .unicode_word_boundary(true)
            .cache_capacity(MAX_BYTES)
            .skip_cache_capacity_check(true)
            // States keep their numbers: rather than forget some, it gives up.
            .minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder()
            .configure(limits)
            .build_from_nfa(nfa)
            .map_err(|error| error.to_string())?;
        let cache = dfa.create_cache();
        Ok(Self { dfa, cache })
    }

    fn start(&mut self, before: Option<u8>) -> Step {
        let config = start::Config::new()
            .anchored(Anchored::Yes)
            .look_behind(before);
        match self.dfa.start_state(&mut self.cache, &config) {
            Ok(at) => Step::from(at),
            Err(_) => Step::Unknown,
        }
    }

    fn next(&mut self, at: LazyStateID, byte: u8) -> Step {
        match self.dfa.next_state(&mut self.cache, at, byte) {
            Ok(at) => Step::from(at),
            Err(_) => Step::Unknown,
        }
    }

    /// Whether a match ends here, at the end of the text; `None` where that cannot be told.
    fn ends(&mut self, at: LazyStateID) -> Option<bool> {
        match self.dfa.next_eoi_state(&mut self.cache, at) {
            Ok(end) if end.is_quit() => None,
            Ok(end) => Some(end.is_match()),
            Err(_) => None,
        }
    }
}

impl From<LazyStateID> for Step {
    fn from(at: LazyStateID) -> Self {
        if at.is_dead() {
            Self::Dead
        } else if at.is_quit() || at.is_unknown() {
            Self::Unknown
        } else {
            Self::To(at)
        }
    }
}

/// The coarsest classes that all `automata` respect.
fn classes(automata: &[&Lazy]) -> Box<[u8; 256]> {
    let mut numbers: HashMap<Vec<u8>, u8> = HashMap::new();
    let mut classes = Box::new([0; 256]);
    for (byte, class) in (0..=u8::MAX).zip(classes.iter_mut()) {
        let signature: Vec<u8> = automata
            .iter()
            .map(|lazy| lazy.dfa.byte_classes().get(byte))
            .collect();
        let next = u8::try_from(numbers.len()).unwrap_or(u8::MAX);
        *class = *numbers.entry(signature).or_insert(next);
    }
    classes
}
