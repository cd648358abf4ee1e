//! From what `regex-syntax` read to instructions.

use std::{collections::HashSet, sync::Arc};

use regex_syntax::hir::{Hir, HirKind, Look, Repetition};

use super::class::Class;

/// The instructions of one expression; `\w{1,5000}` has twice as many as it has turns.
const MAX_INSTRUCTIONS: usize = 1 << 14;

/// How deep groups may nest.
const MAX_DEPTH: u32 = 80;

/// What a run does next. Places are distances from the instruction itself, so that a run of them
/// can be repeated.
#[derive(Clone, Debug)]
pub(super) enum Instruction {
    /// The subject goes on with these bytes.
    Literal(Arc<[u8]>),
    /// The subject goes on with one character of these.
    Class(Arc<Class>),
    /// What follows and what is at `other` both may match; which comes first.
    Branch {
        other: i32,
        other_first: bool,
        /// Numbers the branches of a program.
        number: u32,
    },
    Jump(i32),
    /// The place in the subject is one end of a group.
    Save(u32),
    Look(Look),
    /// What follows, up to its [`Instruction::Seen`], has to match here, or must not.
    Ahead {
        negative: bool,
        end: i32,
    },
    /// The end of what was looked ahead for.
    Seen,
}

/// A group of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// It captures, and has no name.
    Unnamed,
    /// It captures, under this name.
    Named(Box<str>),
    /// It is looked ahead for: written as a plain group, for `regex-syntax` knows no look-ahead.
    Ahead {
        /// Whether it must not match.
        negative: bool,
    },
}

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Program {
    pub(super) code: Box<[Instruction]>,
    branches: u32,
    /// The names of the groups that capture, in the order of their opening brackets.
    pub(super) groups: Box<[Option<Box<str>>]>,
    required: Option<Box<str>>,
}

impl Program {
    /// How many instructions it has.
    #[cfg(feature = "analysis")]
    pub(crate) const fn size(&self) -> usize {
        self.code.len()
    }

    /// Whether it looks ahead: then no bound but the number of steps holds.
    #[cfg(feature = "analysis")]
    pub(crate) fn looks_ahead(&self) -> bool {
        let mut code = self.code.iter();
        code.any(|instruction| matches!(instruction, Instruction::Ahead { .. }))
    }

    pub(crate) const fn branches(&self) -> u32 {
        self.branches
    }

    pub(super) fn group_count(&self) -> u32 {
        u32::try_from(self.groups.len()).unwrap_or(u32::MAX)
    }

    /// The names of its groups.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(|name| &**name)
    }

    /// The longest text that is in all that it matches, where there is one.
    pub(super) fn required(&self) -> Option<&str> {
        self.required.as_deref()
    }
}

/// Compiles expressions, keeping one copy of the character sets that several of them hold.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    classes: HashSet<Arc<Class>>,
}

impl Compiler {
    /// Compiles `text`, whose groups, from left to right, are `groups`; those that it has beyond
    /// them are not told apart from `(?:…)`. The error says what is wrong with it.
    pub(crate) fn compile(&mut self, text: &str, groups: Vec<Group>) -> Result<Program, String> {
        self.program(&parse(text)?, groups)
    }

    /// Compiles `text`, whose groups are what they are to `regex-syntax`.
    pub(super) fn compile_plain(&mut self, text: &str) -> Result<Program, String> {
        let hir = parse(text)?;
        let mut groups = Vec::new();
        name_groups(&hir, &mut groups);
        self.program(&hir, groups)
    }

    /// Compiles what was read already; for the groups see [`Compiler::compile`].
    pub(crate) fn program(&mut self, hir: &Hir, groups: Vec<Group>) -> Result<Program, String> {
        let mut emitter = Emitter {
            code: Vec::new(),
            groups: &groups,
            classes: &mut self.classes,
        };
        emitter.emit(hir)?;
        let mut code = emitter.code.into_boxed_slice();
        let mut branches = 0_u32;
        for instruction in &mut code {
            if let Instruction::Branch { number, .. } = instruction {
                *number = branches;
                branches = branches.saturating_add(1);
            }
        }
        let required = required(hir, &groups).map(Box::from);
        let names = groups.into_iter().filter_map(|group| match group {
            Group::Unnamed => Some(None),
            Group::Named(name) => Some(Some(name)),
            Group::Ahead { .. } => None,
        });
        Ok(Program {
            code,
            branches,
            groups: names.collect(),
            required,
        })
    }
}

fn parse(text: &str) -> Result<Hir, String> {
    let mut parser = regex_syntax::ParserBuilder::new()
        .nest_limit(MAX_DEPTH)
        .build();
    parser.parse(text).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    })
}

/// The groups of `hir`, from left to right. One that is repeated no times leaves a gap.
fn name_groups(hir: &Hir, groups: &mut Vec<Group>) {
    if let HirKind::Capture(capture) = hir.kind() {
        let count = usize::try_from(capture.index).unwrap_or(usize::MAX);
        groups.resize(
            count.min(MAX_INSTRUCTIONS).saturating_sub(1),
            Group::Unnamed,
        );
        groups.push(capture.name.clone().map_or(Group::Unnamed, Group::Named));
    }
    hir.kind()
        .subs()
        .iter()
        .for_each(|sub| name_groups(sub, groups));
}

struct Emitter<'c> {
    code: Vec<Instruction>,
    groups: &'c [Group],
    classes: &'c mut HashSet<Arc<Class>>,
}

impl Emitter<'_> {
    fn emit(&mut self, hir: &Hir) -> Result<(), String> {
        match hir.kind() {
            HirKind::Empty => Ok(()),
            HirKind::Literal(literal) => self.push(Instruction::Literal(Arc::from(&*literal.0))),
            HirKind::Class(class) => {
                let class = Class::new(class).ok_or("it matches bytes that are no characters")?;
                let class = self.shared(class);
                self.push(Instruction::Class(class))
            }
            HirKind::Look(look) => self.push(Instruction::Look(*look)),
            HirKind::Repetition(repetition) => self.repetition(repetition),
            HirKind::Capture(capture) => self.group(capture.index, &capture.sub),
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.emit(part)),
            HirKind::Alternation(arms) => self.alternation(arms),
        }
    }

    fn push(&mut self, instruction: Instruction) -> Result<(), String> {
        self.append(&[instruction])
    }

    fn append(&mut self, code: &[Instruction]) -> Result<(), String> {
        if self.code.len().saturating_add(code.len()) > MAX_INSTRUCTIONS {
            return Err(format!(
                "the compiled expression would have more than {MAX_INSTRUCTIONS} instructions"
            ));
        }
        self.code.extend_from_slice(code);
        Ok(())
    }

    fn shared(&mut self, class: Class) -> Arc<Class> {
        if let Some(known) = self.classes.get(&class) {
            return Arc::clone(known);
        }
        let class = Arc::new(class);
        self.classes.insert(Arc::clone(&class));
        class
    }

    /// The code of `hir` by itself.
    fn apart(&mut self, hir: &Hir) -> Result<Vec<Instruction>, String> {
        let before = std::mem::take(&mut self.code);
        let result = self.emit(hir);
        let code = std::mem::replace(&mut self.code, before);
        result.map(|()| code)
    }

    fn group(&mut self, index: u32, sub: &Hir) -> Result<(), String> {
        let at = usize::try_from(index)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        match self.groups.get(at) {
            None => self.emit(sub),
            Some(Group::Ahead { negative }) => {
                let start = self.code.len();
                self.push(Instruction::Ahead {
                    negative: *negative,
                    end: 0,
                })?;
                self.emit(sub)?;
                self.push(Instruction::Seen)?;
                self.lead_here(start);
                Ok(())
            }
            Some(Group::Unnamed | Group::Named(_)) => {
                let before = self.groups.iter().take(at);
                let capturing = before.filter(|group| !matches!(group, Group::Ahead { .. }));
                let start = u32::try_from(capturing.count())
                    .unwrap_or(u32::MAX)
                    .saturating_mul(2);
                self.push(Instruction::Save(start))?;
                self.emit(sub)?;
                self.push(Instruction::Save(start.saturating_add(1)))
            }
        }
    }

    /// Each arm but the last: a branch to the next one before it, a jump to the end behind it.
    fn alternation(&mut self, arms: &[Hir]) -> Result<(), String> {
        let mut jumps = Vec::new();
        for (number, arm) in arms.iter().enumerate() {
            if number.saturating_add(1) == arms.len() {
                self.emit(arm)?;
                break;
            }
            let start = self.code.len();
            self.push(branch(0, false))?;
            self.emit(arm)?;
            jumps.push(self.code.len());
            self.push(Instruction::Jump(0))?;
            self.lead_here(start);
        }
        for jump in jumps {
            self.lead_here(jump);
        }
        Ok(())
    }

    /// Lets the instruction at `from` lead to the one that is written next.
    fn lead_here(&mut self, from: usize) {
        let here = distance(self.code.len().saturating_sub(from), 0);
        if let Some(
            Instruction::Branch { other: to, .. }
            | Instruction::Jump(to)
            | Instruction::Ahead { end: to, .. },
        ) = self.code.get_mut(from)
        {
            *to = here;
        }
    }

    fn repetition(&mut self, repetition: &Repetition) -> Result<(), String> {
        let code = self.apart(&repetition.sub)?;
        let (lazy, length) = (!repetition.greedy, code.len());
        for _ in 0..repetition.min {
            self.append(&code)?;
        }
        match repetition.max {
            // What may be empty is entered once and then turned round, so that its turns end.
            None if repetition.min == 0 && can_be_empty(&repetition.sub, self.groups) => {
                self.push(branch(distance(length, 2), lazy))?;
                self.append(&code)?;
                self.push(branch(back(length), !lazy))
            }
            None if repetition.min == 0 => {
                self.push(branch(distance(length, 2), lazy))?;
                self.append(&code)?;
                self.push(Instruction::Jump(back(length.saturating_add(1))))
            }
            None => self.push(branch(back(length), !lazy)),
            Some(max) => {
                let turns = max.saturating_sub(repetition.min);
                let step = length.saturating_add(1);
                for left in (1..=turns).rev() {
                    let left = usize::try_from(left).unwrap_or(usize::MAX);
                    self.push(branch(distance(step.saturating_mul(left), 0), lazy))?;
                    self.append(&code)?;
                }
                Ok(())
            }
        }
    }
}

/// `number` is given once the program is complete.
const fn branch(other: i32, other_first: bool) -> Instruction {
    Instruction::Branch {
        other,
        other_first,
        number: 0,
    }
}

/// Programs are shorter than any distance that does not fit.
fn distance(length: usize, more: i32) -> i32 {
    i32::try_from(length)
        .unwrap_or(i32::MAX)
        .saturating_add(more)
}

fn back(length: usize) -> i32 {
    distance(length, 0).saturating_neg()
}

fn kind(groups: &[Group], index: u32) -> Option<&Group> {
    groups.get(usize::try_from(index).ok()?.checked_sub(1)?)
}

fn can_be_empty(hir: &Hir, groups: &[Group]) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Repetition(it) => it.min == 0 || can_be_empty(&it.sub, groups),
        HirKind::Capture(it) => {
            matches!(kind(groups, it.index), Some(Group::Ahead { .. }))
                || can_be_empty(&it.sub, groups)
        }
        HirKind::Concat(parts) => parts.iter().all(|part| can_be_empty(part, groups)),
        HirKind::Alternation(arms) => arms.iter().any(|arm| can_be_empty(arm, groups)),
    }
}

fn required<'h>(hir: &'h Hir, groups: &[Group]) -> Option<&'h str> {
    match hir.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok(),
        HirKind::Capture(it) if matches!(kind(groups, it.index), Some(Group::Ahead { .. })) => None,
        HirKind::Capture(it) => required(&it.sub, groups),
        HirKind::Concat(parts) => parts
            .iter()
            .filter_map(|part| required(part, groups))
            .max_by_key(|text| text.len()),
        _ => None,
    }
}
