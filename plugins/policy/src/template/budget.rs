//! What one rendering may cost. A template comes from the operator, but how often its loops turn
//! and how long its texts grow depends on what a client sends.

use super::error::Fault;

/// Nodes walked, functions called, elements visited, and every 64 bytes that a function reads.
const MAX_STEPS: usize = 50_000;
/// Bytes of text made in all, the output included. Envoy accepts 60 KiB of headers by default.
const MAX_TEXT: usize = 512 * 1024;
/// Bodies, parentheses and template calls inside each other. A wasm VM has about 1 MiB of stack.
const MAX_DEPTH: u16 = 50;

pub(super) struct Budget {
    steps: usize,
    text: usize,
    depth: u16,
}

impl Budget {
    pub(super) const fn new() -> Self {
        Self {
            steps: MAX_STEPS,
            text: MAX_TEXT,
            depth: MAX_DEPTH,
        }
    }

    /// Pays for `count` steps.
    pub(super) fn steps(&mut self, count: usize) -> Result<(), Fault> {
        self.steps = self
            .steps
            .checked_sub(count)
            .ok_or_else(|| Fault::new("limit reached: the template takes more than 50000 steps"))?;
        Ok(())
    }

    /// Pays for text that is about to be made.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Fault> {
        self.text = self.text.checked_sub(bytes).ok_or_else(|| {
            Fault::new("limit reached: the template makes more than 512 KiB of text")
        })?;
        Ok(())
    }

    /// Goes one level deeper; [`Budget::leave`] comes back.
    pub(super) fn enter(&mut self) -> Result<(), Fault> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| Fault::new("limit reached: the template nests deeper than 50 levels"))?;
        self.steps(1)
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }
}

/// A text in the making, paid for as it grows.
pub(super) struct Draft<'b> {
    budget: &'b mut Budget,
    text: String,
}

impl<'b> Draft<'b> {
    pub(super) fn new(budget: &'b mut Budget) -> Self {
        Self {
            budget,
            text: String::new(),
        }
    }

    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.budget.text(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    pub(super) fn push_char(&mut self, c: char) -> Result<(), Fault> {
        self.push(c.encode_utf8(&mut [0; 4]))
    }

    pub(super) fn repeat(&mut self, c: char, count: usize) -> Result<(), Fault> {
        self.budget.text(count.saturating_mul(c.len_utf8()))?;
        self.text.extend(std::iter::repeat_n(c, count));
        Ok(())
    }

    /// Another text, paid for by the same budget.
    pub(super) fn inner(&mut self) -> Draft<'_> {
        Draft::new(self.budget)
    }

    /// Pays for visiting one more element.
    pub(super) fn step(&mut self) -> Result<(), Fault> {
        self.budget.steps(1)
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
