//! Where findings go while a document is read.

use std::{
    cell::{Ref, RefCell},
    collections::HashSet,
};

use crate::diagnostic::{Diagnostic, Diagnostics};

/// Collects findings through a shared reference.
#[derive(Debug, Default)]
pub struct Sink {
    found: RefCell<Diagnostics>,
    /// Fields that a type, by its name, was seen to require: serde tells of one missing field at a time.
    required: RefCell<HashSet<(&'static str, &'static str)>>,
}

impl Sink {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finding.
    pub fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// What was found so far.
    pub fn found(&self) -> Ref<'_, Diagnostics> {
        self.found.borrow()
    }

    /// Whether no more findings are kept, so that looking on is useless.
    pub fn is_full(&self) -> bool {
        self.found.borrow().is_full()
    }

    /// How many errors were found so far.
    pub fn errors(&self) -> usize {
        self.found.borrow().errors()
    }

    /// All that was found.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.found.into_inner()
    }

    pub(super) fn requires_nothing(&self) -> bool {
        self.required.borrow().is_empty()
    }

    pub(super) fn requires(&self, owner: &'static str, field: &'static str) -> bool {
        self.required.borrow().contains(&(owner, field))
    }

    /// Remembers a required field; false when it was known.
    pub(super) fn learn(&self, owner: &'static str, field: &'static str) -> bool {
        self.required.borrow_mut().insert((owner, field))
    }
}
