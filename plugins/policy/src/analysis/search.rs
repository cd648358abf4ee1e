//! Looks for the shortest text that is in some languages and not in others.

use std::collections::{HashMap, VecDeque};

use super::automaton::{Language, Next, State};

/// How many combinations of states one search looks at.
const MAX_COMBINATIONS: usize = 100_000;

/// How many texts are put to the test before a search gives up.
const MAX_TRIALS: usize = 64;

/// Bytes that read well come first: of several that would do, the first is taken.
pub(super) const READABLE: &[u8] =
    b"abcdefghijklmnopqrstuvwxyz0123456789/-_.~ABCDEFGHIJKLMNOPQRSTUVWXYZ:@!$&'()*+,=";

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// This, and it stood the test.
    One(T),
    /// There is none.
    None,
    /// Whether there is one is not known.
    Unknown,
}

/// A language, and whether the text is to be in it.
pub(super) type Wanted<'l> = (&'l mut Language, bool);

/// The shortest text that is in the languages as `wanted`, and for which `test` answers something.
///
/// Each combination of states is looked at up to `visits` times, each time with another text.
/// `budget` is what may still be spent, over all searches, in steps of an automaton.
pub(super) fn shortest<T>(
    wanted: &mut [Wanted<'_>],
    visits: usize,
    budget: &mut u64,
    mut test: impl FnMut(&str) -> Option<T>,
) -> Found<T> {
    let Some(mut search) = Search::new(wanted, visits) else {
        return Found::Unknown;
    };
    let mut trials = 0_usize;
    while let Some(at) = search.queue.pop_front() {
        match search.accepts(wanted, at) {
            Some(true) => {
                if let Some(found) = search.text(at).as_deref().and_then(&mut test) {
                    return Found::One(found);
                }
                // The automata took it and the test did not: nothing can be said any more.
                search.unknown = true;
                trials = trials.saturating_add(1);
            }
            Some(false) => {}
            None => search.unknown = true,
        }
        let spent = u64::try_from(search.alphabet.len()).unwrap_or(u64::MAX);
        *budget = budget.saturating_sub(spent);
        if *budget == 0 || trials > MAX_TRIALS || search.visited.len() > MAX_COMBINATIONS {
            return Found::Unknown;
        }
        search.expand(wanted, at);
    }
    if search.unknown {
        Found::Unknown
    } else {
        Found::None
    }
}

/// A state of each language; `None` where no text can come into an unwanted one any more.
type Combination = Box<[Option<State>]>;

struct Search {
    visited: Vec<Visited>,
    visits: HashMap<Combination, usize>,
    most_visits: usize,
    queue: VecDeque<usize>,
    /// A byte for each class of bytes that all languages treat alike.
    alphabet: Vec<u8>,
    unknown: bool,
}

struct Visited {
    combination: Combination,
    /// From where, and by which byte.
    from: Option<(usize, u8)>,
}

impl Search {
    fn new(wanted: &mut [Wanted<'_>], visits: usize) -> Option<Self> {
        let mut search = Self {
            visited: Vec::new(),
            visits: HashMap::new(),
            most_visits: visits,
            queue: VecDeque::new(),
            alphabet: alphabet(wanted),
            unknown: false,
        };
        let starts: Vec<Next> = wanted
            .iter_mut()
            .map(|(language, _)| language.start())
            .collect();
        match combine(&starts, wanted) {
            Some(Some(combination)) => search.visit(combination, None),
            Some(None) => {}
            None => return None,
        }
        Some(search)
    }

    fn visit(&mut self, combination: Combination, from: Option<(usize, u8)>) {
        let visits = self.visits.entry(combination.clone()).or_default();
        if *visits >= self.most_visits {
            return;
        }
        *visits = visits.saturating_add(1);
        let number = self.visited.len();
        self.visited.push(Visited { combination, from });
        self.queue.push_back(number);
    }

    fn expand(&mut self, wanted: &mut [Wanted<'_>], at: usize) {
        let Some(combination) = self.visited.get(at).map(|it| it.combination.clone()) else {
            return;
        };
        for byte in self.alphabet.clone() {
            let next: Vec<Next> = wanted
                .iter_mut()
                .zip(&combination)
                .map(|((language, _), state)| match state {
                    Some(state) => language.next(*state, byte),
                    None => Next::Dead,
                })
                .collect();
            match combine(&next, wanted) {
                Some(Some(combination)) => self.visit(combination, Some((at, byte))),
                Some(None) => {}
                None => self.unknown = true,
            }
        }
    }

    fn accepts(&self, wanted: &mut [Wanted<'_>], at: usize) -> Option<bool> {
        let combination = &self.visited.get(at)?.combination;
        for ((language, inside), state) in wanted.iter_mut().zip(combination) {
            let accepts = match state {
                Some(state) => language.accepts(*state)?,
                None => false,
            };
            if accepts != *inside {
                return Some(false);
            }
        }
        Some(true)
    }

    fn text(&self, mut at: usize) -> Option<String> {
        let mut bytes = Vec::new();
        while let Some((from, byte)) = self.visited.get(at)?.from {
            bytes.push(byte);
            at = from;
        }
        bytes.reverse();
        String::from_utf8(bytes).ok()
    }
}

/// `Some(None)` where no wanted text begins like this, `None` where that is not known.
fn combine(next: &[Next], wanted: &[Wanted<'_>]) -> Option<Option<Combination>> {
    let dead = next
        .iter()
        .zip(wanted)
        .any(|(next, (_, inside))| *next == Next::Dead && *inside);
    if dead {
        return Some(None);
    }
    let states = next.iter().map(|next| match next {
        Next::State(state) => Some(Some(*state)),
        Next::Dead => Some(None),
        Next::Unknown => None,
    });
    states.collect::<Option<Combination>>().map(Some)
}

fn alphabet(wanted: &[Wanted<'_>]) -> Vec<u8> {
    let mut seen = HashMap::new();
    let others = (0..=u8::MAX).filter(|byte| !READABLE.contains(byte));
    // Last: bytes with a meaning of their own in a URL.
    let (odd, plain): (Vec<u8>, Vec<u8>) = others.partition(|byte| b";?#%".contains(byte));
    let mut alphabet = Vec::new();
    for byte in READABLE.iter().copied().chain(plain).chain(odd) {
        let signature: Vec<u8> = wanted
            .iter()
            .filter_map(|(language, _)| language.classes().get(usize::from(byte)).copied())
            .collect();
        if seen.insert(signature, ()).is_none() {
            alphabet.push(byte);
        }
    }
    alphabet
}
