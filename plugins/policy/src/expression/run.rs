//! Runs a row of parts over a subject.

use std::ops::Range;

use regex_syntax::hir::Look;

use super::{
    Part, TooManySteps,
    code::{Instruction, Program},
};

/// The steps of one lookup, whatever it tries: some ten milliseconds' work. A path of 60 KB takes
/// about five for each of its bytes.
const MAX_STEPS: usize = 1 << 23;

/// The branches of a row times the bytes of a subject; one bit of memory for each.
const MAX_PLACES: usize = 1 << 23;

/// How much may be waiting to be tried.
const MAX_FRAMES: usize = 1 << 18;

/// A group that took no part.
const NOWHERE: u32 = u32::MAX;

/// What a run needs of memory, and how much it may still do. One serves all the rules that a
/// request is tried with.
#[derive(Debug)]
pub(crate) struct Scratch {
    steps_left: usize,
    /// A bit for each branch and place that has been taken there.
    taken: Vec<u64>,
    frames: Vec<Frame>,
    /// Both ends of each group.
    ends: Vec<u32>,
    /// The bits that were set while looking ahead.
    trail: Vec<usize>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            steps_left: MAX_STEPS,
            taken: Vec::new(),
            frames: Vec::new(),
            ends: Vec::new(),
            trail: Vec::new(),
        }
    }
}

/// What to do when the present way does not lead to a match.
#[derive(Clone, Copy, Debug)]
enum Frame {
    /// Go this way.
    Try(Spot),
    /// Forget what was captured since.
    Restore { end: usize, was: u32 },
}

/// Where a run is: in the row, in a program, in the subject.
#[derive(Clone, Copy, Debug)]
struct Spot {
    part: usize,
    at: usize,
    place: u32,
}

impl Scratch {
    /// What the groups hold where `parts` match the whole of `subject`: unnamed groups from left to
    /// right, then named ones.
    pub(crate) fn captures(
        &mut self,
        parts: &[Part],
        subject: &str,
    ) -> Result<Option<Vec<String>>, TooManySteps> {
        let mut run = Run::new(self, parts, subject, true)?;
        let found = run.from(Spot::start(0))?;
        Ok(found.map(|_| run.texts()))
    }
}

impl Scratch {
    /// The first match of `parts` in `subject` that begins at `from` or behind it, and its groups.
    pub(super) fn find(
        &mut self,
        parts: &[Part],
        subject: &str,
        from: usize,
    ) -> Result<Option<Vec<Option<Range<usize>>>>, TooManySteps> {
        let mut run = Run::new(self, parts, subject, false)?;
        let rest = subject.get(from..).unwrap_or_default();
        let starts = rest.char_indices().map(|(at, _)| from.saturating_add(at));
        for start in starts.chain([subject.len()]) {
            // What did not lead on from one start does not from another.
            if let Some(end) = run.from(Spot::start(place(start)?))? {
                let groups = (0..run.scratch.ends.len() / 2).map(|group| run.range(group));
                return Ok(Some(
                    [Some(start..index(end))]
                        .into_iter()
                        .chain(groups)
                        .collect(),
                ));
            }
        }
        Ok(None)
    }
}

impl Spot {
    const fn start(place: u32) -> Self {
        Self {
            part: 0,
            at: 0,
            place,
        }
    }
}

struct Run<'r> {
    scratch: &'r mut Scratch,
    parts: &'r [Part],
    subject: &'r str,
    /// Whether the subject has to end where the row ends.
    whole: bool,
    /// How many look-aheads the run is in.
    ahead: usize,
}

/// How a step ended.
enum Next {
    Go(Spot),
    /// Not this way.
    Back,
    /// At the end.
    Done,
}

impl<'r> Run<'r> {
    fn new(
        scratch: &'r mut Scratch,
        parts: &'r [Part],
        subject: &'r str,
        whole: bool,
    ) -> Result<Self, TooManySteps> {
        let (branches, groups) = match parts.iter().rev().find_map(Part::program) {
            Some((program, branch, group)) => (
                branch.saturating_add(program.branches()),
                group.saturating_add(program.group_count()),
            ),
            None => (0, 0),
        };
        let places = index(branches).saturating_mul(subject.len().saturating_add(1));
        if places > MAX_PLACES {
            return Err(TooManySteps);
        }
        let words = places.div_ceil(64);
        scratch.spend(words)?;
        scratch.taken.clear();
        scratch.taken.resize(words, 0);
        scratch.ends.clear();
        scratch
            .ends
            .resize(index(groups).saturating_mul(2), NOWHERE);
        scratch.frames.clear();
        scratch.trail.clear();
        Ok(Self {
            scratch,
            parts,
            subject,
            whole,
            ahead: 0,
        })
    }

    /// Where a way from `spot` ends that leads to the end of the row, or of what is looked ahead for.
    fn from(&mut self, mut spot: Spot) -> Result<Option<u32>, TooManySteps> {
        let base = self.scratch.frames.len();
        loop {
            self.scratch.spend(1)?;
            spot = match self.step(spot)? {
                Next::Go(spot) => spot,
                Next::Done => return Ok(Some(spot.place)),
                Next::Back => match self.back(base) {
                    Some(spot) => spot,
                    None => return Ok(None),
                },
            };
        }
    }

    fn step(&mut self, spot: Spot) -> Result<Next, TooManySteps> {
        Ok(match self.parts.get(spot.part) {
            Some(Part::Text(text)) => match self.after(text.as_bytes(), spot.place) {
                Some(place) => Next::Go(Spot {
                    part: spot.part.saturating_add(1),
                    at: 0,
                    place,
                }),
                None => Next::Back,
            },
            Some(Part::Program {
                program,
                first_branch,
                first_group,
            }) => return self.instruction(program, *first_branch, *first_group, spot),
            None if self.whole && index(spot.place) != self.subject.len() => Next::Back,
            None => Next::Done,
        })
    }

    fn instruction(
        &mut self,
        program: &Program,
        first_branch: u32,
        first_group: u32,
        spot: Spot,
    ) -> Result<Next, TooManySteps> {
        let on = |place| {
            Next::Go(Spot {
                at: spot.at.saturating_add(1),
                place,
                ..spot
            })
        };
        let to = |distance: i32| Spot {
            at: spot.at.saturating_add_signed(signed(distance)),
            ..spot
        };
        Ok(match program.code.get(spot.at) {
            None => Next::Go(Spot {
                part: spot.part.saturating_add(1),
                at: 0,
                place: spot.place,
            }),
            Some(Instruction::Literal(bytes)) => {
                self.after(bytes, spot.place).map_or(Next::Back, on)
            }
            Some(Instruction::Class(class)) => {
                match class.matches(self.subject, index(spot.place)) {
                    Some(length) => on(spot.place.saturating_add(place(length)?)),
                    None => Next::Back,
                }
            }
            Some(Instruction::Branch {
                other,
                other_first,
                number,
            }) => {
                if !self.takes(first_branch.saturating_add(*number), spot.place) {
                    return Ok(Next::Back);
                }
                let (first, second) = match other_first {
                    true => (to(*other), to(1)),
                    false => (to(1), to(*other)),
                };
                self.push(Frame::Try(second))?;
                Next::Go(first)
            }
            Some(Instruction::Jump(distance)) => Next::Go(to(*distance)),
            Some(Instruction::Save(end)) => {
                let end = index(first_group.saturating_mul(2).saturating_add(*end));
                if let Some(held) = self.scratch.ends.get_mut(end) {
                    let was = std::mem::replace(held, spot.place);
                    self.push(Frame::Restore { end, was })?;
                }
                on(spot.place)
            }
            Some(Instruction::Look(look)) => match self.looks(*look, index(spot.place)) {
                true => on(spot.place),
                false => Next::Back,
            },
            Some(Instruction::Ahead { negative, end }) => match self.sees(to(1), *negative)? {
                true => Next::Go(to(*end)),
                false => Next::Back,
            },
            Some(Instruction::Seen) => Next::Done,
        })
    }

    /// The last way that was put off.
    fn back(&mut self, base: usize) -> Option<Spot> {
        while self.scratch.frames.len() > base {
            match self.scratch.frames.pop()? {
                Frame::Try(spot) => return Some(spot),
                Frame::Restore { end, was } => {
                    if let Some(held) = self.scratch.ends.get_mut(end) {
                        *held = was;
                    }
                }
            }
        }
        None
    }

    fn push(&mut self, frame: Frame) -> Result<(), TooManySteps> {
        if self.scratch.frames.len() >= MAX_FRAMES {
            return Err(TooManySteps);
        }
        self.scratch.frames.push(frame);
        Ok(())
    }

    /// The place behind `bytes`, if they are at `place`.
    fn after(&self, bytes: &[u8], place: u32) -> Option<u32> {
        let rest = self.subject.as_bytes().get(index(place)..)?;
        let length = u32::try_from(bytes.len()).ok()?;
        rest.starts_with(bytes)
            .then(|| place.saturating_add(length))
    }

    /// Whether the branch is taken at this place for the first time. What did not lead on once does
    /// not the second time.
    fn takes(&mut self, branch: u32, place: u32) -> bool {
        let stride = self.subject.len().saturating_add(1);
        let bit = index(branch)
            .saturating_mul(stride)
            .saturating_add(index(place));
        let mask = 1_u64.wrapping_shl(u32::try_from(bit & 63).unwrap_or_default());
        let Some(word) = self.scratch.taken.get_mut(bit / 64) else {
            return false;
        };
        let first = *word & mask == 0;
        *word |= mask;
        if first && self.ahead > 0 {
            self.scratch.trail.push(bit);
        }
        first
    }

    /// Whether what is looked ahead for lets the run go on.
    fn sees(&mut self, spot: Spot, negative: bool) -> Result<bool, TooManySteps> {
        let (frames, trail) = (self.scratch.frames.len(), self.scratch.trail.len());
        self.ahead = self.ahead.saturating_add(1);
        let seen = self.from(spot)?.is_some();
        self.ahead = self.ahead.saturating_sub(1);
        if seen {
            // Its branches did lead on; the next time they have to be taken again.
            self.scratch.forget(trail);
            if negative {
                while self.back(frames).is_some() {}
            } else {
                // What it captured stays, unless the run goes back behind it.
                let kept: Vec<_> = self.scratch.frames.drain(frames..).collect();
                let captured = |frame: &Frame| matches!(frame, Frame::Restore { .. });
                self.scratch
                    .frames
                    .extend(kept.into_iter().filter(captured));
            }
        }
        Ok(seen != negative)
    }

    fn looks(&self, look: Look, place: usize) -> bool {
        let (before, after) = self.subject.split_at_checked(place).unwrap_or_default();
        let (before, after) = (before.chars().next_back(), after.chars().next());
        let unicode = |it: Option<char>| it.is_some_and(regex_syntax::is_word_character);
        let ascii = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_');
        match look {
            Look::Start => before.is_none(),
            Look::End => after.is_none(),
            Look::StartLF => matches!(before, None | Some('\n')),
            Look::EndLF => matches!(after, None | Some('\n')),
            Look::StartCRLF => {
                matches!(before, None | Some('\n')) || (before == Some('\r') && after != Some('\n'))
            }
            Look::EndCRLF => {
                matches!(after, None | Some('\r')) || (after == Some('\n') && before != Some('\r'))
            }
            Look::WordAscii => ascii(before) != ascii(after),
            Look::WordAsciiNegate => ascii(before) == ascii(after),
            Look::WordUnicode => unicode(before) != unicode(after),
            Look::WordUnicodeNegate => unicode(before) == unicode(after),
            Look::WordStartAscii => !ascii(before) && ascii(after),
            Look::WordEndAscii => ascii(before) && !ascii(after),
            Look::WordStartUnicode => !unicode(before) && unicode(after),
            Look::WordEndUnicode => unicode(before) && !unicode(after),
            Look::WordStartHalfAscii => !ascii(before),
            Look::WordEndHalfAscii => !ascii(after),
            Look::WordStartHalfUnicode => !unicode(before),
            Look::WordEndHalfUnicode => !unicode(after),
        }
    }

    fn texts(&self) -> Vec<String> {
        let programs = self.parts.iter().filter_map(Part::program);
        let groups = programs.flat_map(|(program, _, first)| {
            (first..).zip(program.groups.iter().map(Option::is_some))
        });
        let (named, unnamed): (Vec<_>, Vec<_>) = groups.partition(|(_, named)| *named);
        let groups = unnamed.iter().chain(&named);
        groups
            .map(|(group, _)| self.text(index(*group)).to_owned())
            .collect()
    }

    fn text(&self, group: usize) -> &str {
        let range = self.range(group);
        range
            .and_then(|range| self.subject.get(range))
            .unwrap_or_default()
    }

    /// Where the group is, if it took part.
    fn range(&self, group: usize) -> Option<Range<usize>> {
        let first = group.saturating_mul(2);
        let end = |at: usize| {
            self.scratch
                .ends
                .get(at)
                .copied()
                .filter(|end| *end != NOWHERE)
        };
        Some(index(end(first)?)..index(end(first.saturating_add(1))?))
    }
}

impl Scratch {
    /// One that gives up after `steps`.
    #[cfg(feature = "cel")]
    pub(super) fn of_steps(steps: usize) -> Self {
        Self {
            steps_left: steps.min(MAX_STEPS),
            ..Self::default()
        }
    }

    /// How much it may still do.
    #[cfg(feature = "cel")]
    pub(super) const fn steps_left(&self) -> usize {
        self.steps_left
    }

    fn spend(&mut self, steps: usize) -> Result<(), TooManySteps> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(TooManySteps)?;
        Ok(())
    }

    fn forget(&mut self, trail: usize) {
        for bit in self.trail.drain(trail..) {
            if let Some(word) = self.taken.get_mut(bit / 64) {
                *word &= !1_u64.wrapping_shl(u32::try_from(bit & 63).unwrap_or_default());
            }
        }
    }
}

impl Part {
    fn program(&self) -> Option<(&Program, u32, u32)> {
        match self {
            Self::Text(_) => None,
            Self::Program {
                program,
                first_branch,
                first_group,
            } => Some((program, *first_branch, *first_group)),
        }
    }
}

/// A place in the subject: no request has one of 4 GiB.
fn place(length: usize) -> Result<u32, TooManySteps> {
    u32::try_from(length).map_err(|_| TooManySteps)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn signed(distance: i32) -> isize {
    isize::try_from(distance).unwrap_or_default()
}
