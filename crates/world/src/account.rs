//! What is told of a setting while it is being made.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is told of a setting while it is being made: how far it has come, and what it leaves out. Whoever gave the setting
/// may look at it from another thread.
#[derive(Default, Debug)]
pub struct Account {
    written: AtomicU64,
    left_out: Mutex<Vec<String>>,
}

impl Account {
    /// The bytes that are written by now.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The paths of the files that are left out because they cannot be read, in the order in which they were found.
    pub fn left_out(&self) -> Vec<String> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn writes(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn leaves_out(&self, path: &str) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }
}
