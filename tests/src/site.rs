//! A machine in memory, and what an undo of a run on it has to restore.

use crate::case::{Case, MARK};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use world::memory::{Memory, Snapshot};
use world::memory_store::MemoryStore;

/// Everything on a machine.
pub type Tree = BTreeMap<String, Snapshot>;

/// The machine of a case with its state directory, as it was before and when the point of no return had been passed.
pub struct Site {
    /// The machine.
    pub world: Memory,
    /// The state directory.
    pub store: MemoryStore,
    /// The machine as it was before.
    pub before: Tree,
    floor: Mutex<Option<Tree>>,
}

impl Site {
    /// Of a case, before its run.
    pub fn new(case: &Case) -> Self {
        let world = case.machine();
        Self { before: world.snapshot(), world, store: MemoryStore::new(), floor: Mutex::default() }
    }

    /// Looks whether the point of no return was passed. To be called before every call of the world: nothing else is changed
    /// while that step runs, so what is there then is what no undo goes below.
    pub fn look(&self) {
        let mut floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        if floor.is_none() && self.world.machine().read(MARK).is_some() {
            *floor = Some(self.world.snapshot());
        }
    }

    /// What an undo of the run so far has to restore: the start, or what was there when the point of no return had been passed.
    pub fn start(&self) -> Tree {
        self.look();
        let floor = self.floor.lock().unwrap_or_else(PoisonError::into_inner);
        floor.as_ref().unwrap_or(&self.before).clone()
    }

    /// Whether the point of no return was passed.
    pub fn is_past(&self) -> bool {
        self.look();
        self.floor.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The texts of all files.
    pub fn files(&self) -> BTreeMap<String, String> {
        let files = self.world.snapshot().into_iter();
        files.filter_map(|(path, found)| Some((path, String::from_utf8_lossy(&found.bytes?).into_owned()))).collect()
    }

    /// The bytes of all files and the states of all services, without modes, owners and times.
    pub fn contents(&self) -> BTreeMap<String, String> {
        let told = |(path, found): (String, Snapshot)| {
            let text = match &found.bytes {
                Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                None if path.starts_with("service:") => format!("{:?}", found.state),
                None => String::new(),
            };
            (path, text)
        };
        self.world.snapshot().into_iter().map(told).collect()
    }
}
