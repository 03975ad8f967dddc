//! What is told of a setting while it is being made.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is told of a setting while it is being made: how far it has come, what it leaves out, and what a tree holds. Whoever gave the setting
/// may look at it from another thread.
#[derive(Default, Debug)]
pub struct Account {
    written: AtomicU64,
    left_out: Mutex<Vec<String>>,
    listed: Mutex<Option<Vec<u8>>>,
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

    /// Takes the manifest of the tree that was made, as it was read back.
    pub fn take_list(&self) -> Option<Vec<u8>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(crate) fn lists(&self, manifest: Vec<u8>) {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some(manifest);
    }

    pub(crate) fn writes(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn leaves_out(&self, path: &str) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }
}
