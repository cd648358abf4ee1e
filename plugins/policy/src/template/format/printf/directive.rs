//! One directive of a format string: `%[2]*.3f`.

use super::Verb;
use crate::template::{budget::Draft, error::Fault, value::Value};

/// Go reads no larger width, precision or argument number.
const MAX_NUMBER: usize = 1_000_000;

/// The arguments, which directives take in their order or by number.
pub(super) struct Arguments<'a, 'v> {
    values: &'a [Value<'v>],
    next: usize,
    /// A directive named an argument: those that are left over are then no mistake.
    numbered: bool,
    /// The directive at hand named one that is not there.
    misnumbered: bool,
}

impl<'a, 'v> Arguments<'a, 'v> {
    pub(super) const fn new(values: &'a [Value<'v>]) -> Self {
        Self {
            values,
            next: 0,
            numbered: false,
            misnumbered: false,
        }
    }

    pub(super) fn next(&mut self) -> Option<&'a Value<'v>> {
        let value = self.values.get(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(value)
    }

    pub(super) const fn are_misnumbered(&self) -> bool {
        self.misnumbered
    }

    /// Those that no directive took.
    pub(super) fn left(&self) -> Option<&'a [Value<'v>]> {
        self.values.get(self.next..).filter(|_| !self.numbered)
    }

    /// A width or precision that an argument gives.
    fn number(&mut self) -> Option<i64> {
        match self.next()? {
            Value::Int(int) if int.unsigned_abs() <= MAX_NUMBER as u64 => Some(*int),
            _ => None,
        }
    }
}

pub(super) struct Directive<'f> {
    rest: &'f str,
}

impl<'f> Directive<'f> {
    /// What follows the percent sign.
    pub(super) const fn new(rest: &'f str) -> Self {
        Self { rest }
    }

    /// What follows the directive.
    pub(super) const fn rest(self) -> &'f str {
        self.rest
    }

    /// Flags, width, precision and the verb's letter; `None` where the format ends before that.
    pub(super) fn read(
        &mut self,
        arguments: &mut Arguments<'_, '_>,
        draft: &mut Draft<'_>,
    ) -> Result<Option<Verb>, Fault> {
        arguments.misnumbered = false;
        let mut verb = self.flags();
        let mut indexed = self.index(arguments);
        if self.takes('*') {
            match arguments.number() {
                Some(width) => {
                    verb.minus |= width < 0;
                    verb.zero &= width >= 0;
                    verb.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
                }
                None => draft.push("%!(BADWIDTH)")?,
            }
            indexed = false;
        } else if let Some(width) = self.number() {
            verb.width = width;
            arguments.misnumbered |= indexed;
        }
        if self.takes('.') {
            arguments.misnumbered |= indexed;
            indexed = self.index(arguments);
            if self.takes('*') {
                verb.precision = match arguments.number() {
                    Some(precision) if precision >= 0 => usize::try_from(precision).ok(),
                    _ => {
                        draft.push("%!(BADPREC)")?;
                        None
                    }
                };
                indexed = false;
            } else {
                verb.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index(arguments);
        }
        let Some(name) = self.rest.chars().next() else {
            return Ok(None);
        };
        self.skip(name.len_utf8());
        // `%+v` asks for field names, not for a sign.
        verb.plus &= name != 'v';
        verb.name = name;
        Ok(Some(verb))
    }

    fn flags(&mut self) -> Verb {
        let mut verb = Verb::PLAIN;
        while let Some(flag @ ('+' | '-' | '#' | ' ' | '0')) = self.rest.chars().next() {
            match flag {
                '+' => verb.plus = true,
                '-' => verb.minus = true,
                '#' => verb.sharp = true,
                ' ' => verb.space = true,
                _ => verb.zero = true,
            }
            self.skip(1);
        }
        verb
    }

    /// `[n]`: the argument that comes next, counted from 1.
    fn index(&mut self, arguments: &mut Arguments<'_, '_>) -> bool {
        let Some(inside) = self.rest.strip_prefix('[') else {
            return false;
        };
        arguments.numbered = true;
        let Some((number, after)) = inside.split_once(']') else {
            arguments.misnumbered = true;
            self.skip(1);
            return false;
        };
        self.rest = after;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let index = number.parse().ok().filter(|_| digits);
        match index.and_then(|number: usize| number.checked_sub(1)) {
            Some(index) if index < arguments.values.len() => {
                arguments.next = index;
                true
            }
            _ => {
                arguments.misnumbered = true;
                index.is_some()
            }
        }
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        let number = self.rest.get(..digits)?.parse().ok();
        self.skip(digits);
        let number = number.filter(|number| *number <= MAX_NUMBER);
        if number.is_none() {
            // Go gives up on the rest of the format.
            self.rest = "";
        }
        number
    }

    fn takes(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}
