//! Sets of characters.

use regex_syntax::hir;

/// A set of characters: what `[…]`, `.` and `\w` stand for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    /// A bit for each ASCII character.
    ascii: u128,
    /// Ranges of the others, ascending.
    others: Box<[(char, char)]>,
}

impl Class {
    /// `None` for a class of bytes that are no characters.
    pub(super) fn new(class: &hir::Class) -> Option<Self> {
        let ranges = match class {
            hir::Class::Unicode(class) => class.clone(),
            hir::Class::Bytes(class) => class.to_unicode_class()?,
        };
        let ascii = (0..=127_u8).filter(|byte| {
            let character = char::from(*byte);
            let mut ranges = ranges.iter();
            ranges.any(|range| (range.start()..=range.end()).contains(&character))
        });
        Some(Self {
            ascii: ascii.fold(0, |bits, byte| bits | bit(byte)),
            others: ranges
                .iter()
                .filter(|range| !range.end().is_ascii())
                .map(|range| (range.start(), range.end()))
                .collect(),
        })
    }

    /// How many bytes the character at `position` has, if it is in the class.
    pub(super) fn matches(&self, subject: &str, position: usize) -> Option<usize> {
        let first = *subject.as_bytes().get(position)?;
        if first.is_ascii() {
            return (self.ascii & bit(first) != 0).then_some(1);
        }
        let character = subject.get(position..)?.chars().next()?;
        self.holds(character).then(|| character.len_utf8())
    }

    fn holds(&self, character: char) -> bool {
        let after = self
            .others
            .partition_point(|(start, _)| *start <= character);
        let range = after.checked_sub(1).and_then(|at| self.others.get(at));
        range.is_some_and(|(_, end)| character <= *end)
    }
}

fn bit(byte: u8) -> u128 {
    1_u128.checked_shl(byte.into()).unwrap_or_default()
}
