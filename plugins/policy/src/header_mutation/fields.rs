//! A header section while it is changed, and what has to be done to the host's for it to be the same.

use crate::headers::{Headers, are_aliases};

/// One change of a header section. The fewer there are the better: each is a call of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Takes out every field of this name.
    Remove(Vec<u8>),
    /// Puts this field in the place of every field of its name.
    Replace(Vec<u8>, Vec<u8>),
    /// Adds a field, whatever others of its name there are.
    Add(Vec<u8>, Vec<u8>),
}

/// The fields as changed so far.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    original: &'a Headers,
    pub(super) now: Headers,
    /// The names that may have changed, as they are spelt in `now` or were in `original`.
    touched: Vec<Vec<u8>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(original: &'a Headers) -> Self {
        Self {
            original,
            now: original.clone(),
            touched: Vec::new(),
        }
    }

    /// Takes out what `is_meant` says of names.
    pub(super) fn remove(&mut self, is_meant: impl Fn(&[u8]) -> bool) {
        let mut removed: Vec<Vec<u8>> = Vec::new();
        for (name, _) in self.now.iter() {
            if is_meant(name) && !removed.iter().any(|known| known == name) {
                removed.push(name.to_vec());
            }
        }
        if removed.is_empty() {
            return;
        }
        self.now.retain(|name| !removed.iter().any(|it| it == name));
        for name in removed {
            self.touch(&name);
        }
    }

    /// Takes out every field that some upstream could take for `name`, which is in lower case.
    pub(super) fn remove_aliases(&mut self, name: &str) {
        self.remove(|sent| are_aliases(name.as_bytes(), sent));
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.now.first(name).is_some()
    }

    pub(super) fn add(&mut self, name: &str, value: Vec<u8>) {
        self.touch(name.as_bytes());
        self.now.push(name.as_bytes().to_vec(), value);
    }

    fn touch(&mut self, name: &[u8]) {
        if !self
            .touched
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            self.touched.push(name.to_vec());
        }
    }

    /// The fewest changes that make of the section that came the one that there is now.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for name in &self.touched {
            let values = |headers: &'a Headers| all(headers, name);
            let (before, after) = (values(self.original), all(&self.now, name));
            if before == after {
                continue;
            }
            let more = after.strip_prefix(before.as_slice());
            match (more, after.as_slice()) {
                (_, []) => edits.push(Edit::Remove(name.clone())),
                (Some(more), _) if !before.is_empty() => {
                    edits.extend(more.iter().map(|it| Edit::Add(name.clone(), it.to_vec())));
                }
                (_, [first, rest @ ..]) => {
                    edits.push(Edit::Replace(name.clone(), first.to_vec()));
                    edits.extend(rest.iter().map(|it| Edit::Add(name.clone(), it.to_vec())));
                }
            }
        }
        edits
    }
}

fn all<'h>(headers: &'h Headers, name: &[u8]) -> Vec<&'h [u8]> {
    headers
        .iter()
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}
