//! Which variables are in sight, and where each lives.

use crate::template::ast::Slot;

/// The variables of one template; slot 0 is `$`.
pub(super) struct Scope {
    names: Vec<String>,
    most: usize,
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            names: vec!["$".to_owned()],
            most: 1,
        }
    }
}

impl Scope {
    pub(super) fn declare(&mut self, name: &str) -> Slot {
        let slot = self.names.len();
        self.names.push(name.to_owned());
        self.most = self.most.max(self.names.len());
        slot
    }

    /// The innermost variable of that name.
    pub(super) fn find(&self, name: &str) -> Option<Slot> {
        self.names.iter().rposition(|known| known == name)
    }

    pub(super) const fn mark(&self) -> usize {
        self.names.len()
    }

    /// Forgets what was declared since `mark`.
    pub(super) fn release(&mut self, mark: usize) {
        self.names.truncate(mark);
    }

    /// How many variables are ever in sight at once.
    pub(super) const fn slots(&self) -> usize {
        self.most
    }
}
