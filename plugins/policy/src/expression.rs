//! Regular expressions that many rules share.
//!
//! `regex-syntax` reads an expression; this module turns what it read into a [`Program`] and runs
//! that. A rule's pattern is a row of [`Part`]s, literal texts and programs, and it is matched as
//! one expression without ever being compiled as one: ten thousand rules that all end in
//! `<[0-9]+>` hold that program once, and what a rule has to itself is its text.
//!
//! ```text
//!   text -> regex-syntax -> Program (code.rs)     at load (a glob comes without the text)
//!   parts + subject -> run.rs -> groups           per request
//! ```
//!
//! The runner backtracks, so that groups come out as Oathkeeper's engine finds them and look-ahead
//! is possible, but takes no branch twice at one place of the subject: without look-ahead the time
//! is linear in the subject, and with it a number of steps bounds the work.

mod class;
mod code;
mod regex;
mod run;

use std::sync::Arc;

pub(crate) use code::{Compiler, Group, Program};
pub(crate) use regex::{Match, Regex};
pub(crate) use run::Scratch;

/// The match was given up after a fixed number of steps: whether the expression matches is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern takes too many steps to match")]
pub struct TooManySteps;

/// A part of what has to match.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// This very text.
    Text(Box<str>),
    /// What an expression matches.
    Program {
        /// The expression, shared with others.
        program: Arc<Program>,
        /// How many branches the programs before it have.
        first_branch: u32,
        /// How many groups the programs before it have.
        first_group: u32,
    },
}

impl Part {
    /// The parts of `pieces`, which follow one another.
    pub(crate) fn row(pieces: impl IntoIterator<Item = Piece>) -> Box<[Self]> {
        let (mut first_branch, mut first_group) = (0_u32, 0_u32);
        let part = |piece| match piece {
            Piece::Text(text) => Self::Text(text),
            Piece::Program(program) => {
                let part = Self::Program {
                    first_branch,
                    first_group,
                    program: Arc::clone(&program),
                };
                first_branch = first_branch.saturating_add(program.branches());
                first_group = first_group.saturating_add(program.group_count());
                part
            }
        };
        pieces.into_iter().map(part).collect()
    }

    /// A text that every subject which matches must hold, where there is one.
    pub(crate) fn required(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Program { program, .. } => program.required(),
        }
    }
}

/// What a [`Part`] is made of.
#[derive(Debug)]
pub(crate) enum Piece {
    /// This very text.
    Text(Box<str>),
    /// What an expression matches.
    Program(Arc<Program>),
}
