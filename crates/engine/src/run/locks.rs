//! The locks under which a run changes the world.

use world::store::{Lock, LockName};

/// The locks that are held: of the client, of the roots, and of what lies above them. They are freed when it is dropped.
#[derive(Default)]
pub(crate) struct Locks(Vec<(LockName, Box<dyn Lock>)>);

impl Locks {
    /// One more is held.
    pub(crate) fn push(&mut self, name: LockName, lock: Box<dyn Lock>) {
        self.0.push((name, lock));
    }

    /// On what a lock is no longer ours, in words.
    pub(crate) fn lost(&self) -> Option<String> {
        let (name, _) = self.0.iter().find(|(_, lock)| !lock.holds())?;
        Some(what(name))
    }
}

/// What a lock is on, in words.
pub(crate) fn what(name: &LockName) -> String {
    match name {
        LockName::Client(client) => format!("the client `{client}`"),
        LockName::Root(path) | LockName::Above(path) => format!("`{path}`"),
    }
}
