//! A store in memory, for tests. It knows what has been flushed.

use crate::error::WorldError;
use crate::store::{Blobs, Journal, Lock, LockName, Make, Store};
use crate::volume::Volume;
use model::digest::Digest;
use model::id::RunId;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A store in memory. Clones share their contents.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    runs: BTreeMap<RunId, Run>,
    blobs: BTreeMap<Digest, Arc<Vec<u8>>>,
    locks: BTreeMap<(bool, String), Held>,
    room: Option<u64>,
    key: Option<[u8; 32]>,
}

#[derive(Default)]
struct Run {
    created: bool,
    journal: Vec<u8>,
    flushed: usize,
    files: BTreeMap<String, Vec<u8>>,
}

struct Held {
    holder: String,
    exclusive: bool,
    count: usize,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a power cut does: journals end where they were last flushed, locks are free.
    pub fn cut_power(&self) {
        let mut inner = self.inner();
        for run in inner.runs.values_mut() {
            run.journal.truncate(run.flushed);
        }
        inner.locks.clear();
    }

    /// Somebody removes the files of all locks.
    pub fn lose_locks(&self) {
        self.inner().locks.clear();
    }

    /// From now on it has a volume of its own, with so many free bytes.
    pub fn limit(&self, free: u64) {
        self.inner().room = Some(free);
    }

    /// Changes the bytes of a journal at will.
    pub fn tamper(&self, run: &RunId, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(run) = self.inner().runs.get_mut(run) {
            change(&mut run.journal);
            run.flushed = run.journal.len();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, run: &RunId, look: impl FnOnce(&mut Run) -> T) -> Result<T, WorldError> {
        self.inner().runs.get_mut(run).map(look).ok_or_else(|| WorldError::io("open", run.as_str(), io::ErrorKind::NotFound.into()))
    }
}

impl Store for MemoryStore {
    fn create(&self, run: &RunId) -> Result<Box<dyn Journal + '_>, WorldError> {
        let mut inner = self.inner();
        // The files of a run may be there before its journal is.
        let entry = inner.runs.entry(run.clone()).or_default();
        if std::mem::replace(&mut entry.created, true) {
            return Err(WorldError::Refused { name: run.to_string(), reason: "there is a run of that name".to_owned() });
        }
        Ok(Box::new(MemoryJournal { store: self.clone(), run: run.clone() }))
    }

    fn reopen(&self, run: &RunId, whole: u64) -> Result<Box<dyn Journal + '_>, WorldError> {
        self.with(run, |run| {
            run.journal.truncate(whole as usize);
            run.flushed = run.journal.len();
        })?;
        Ok(Box::new(MemoryJournal { store: self.clone(), run: run.clone() }))
    }

    fn journal(&self, run: &RunId) -> Result<Box<dyn Read + '_>, WorldError> {
        self.with(run, |run| Box::new(Cursor::new(run.journal.clone())) as Box<dyn Read>)
    }

    fn runs(&self) -> Result<Vec<RunId>, WorldError> {
        Ok(self.inner().runs.iter().filter(|(_, run)| run.created).map(|(id, _)| id.clone()).collect())
    }

    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<(), WorldError> {
        self.inner().runs.entry(run.clone()).or_default().files.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, WorldError> {
        Ok(self.inner().runs.get(run).and_then(|run| run.files.get(name).cloned()))
    }

    fn lock(&self, lock: &LockName, holder: &str) -> Result<Box<dyn Lock>, WorldError> {
        let (client, name, exclusive) = match lock {
            LockName::Client(name) => (true, name, true),
            LockName::Root(path) => (false, path, true),
            LockName::Above(path) => (false, path, false),
        };
        let key = (client, name.clone());
        let mut inner = self.inner();
        match inner.locks.get_mut(&key) {
            Some(held) if held.exclusive || exclusive => {
                return Err(WorldError::Refused { name: name.clone(), reason: format!("it is held by {}", held.holder) });
            }
            Some(held) => held.count += 1,
            None => drop(inner.locks.insert(key.clone(), Held { holder: holder.to_owned(), exclusive, count: 1 })),
        }
        Ok(Box::new(MemoryLock { store: self.clone(), key }))
    }

    fn key(&self, make: Make) -> Result<Option<[u8; 32]>, WorldError> {
        let mut inner = self.inner();
        if make == Make::IfMissing && inner.key.is_none() {
            // Tests want the same bytes every time.
            inner.key = Some([7; 32]);
        }
        Ok(inner.key)
    }

    fn volume(&self) -> Result<Option<Volume>, WorldError> {
        Ok(self.inner().room.map(|free| Volume { id: 1, free }))
    }

    fn release_reserve(&self) -> Result<(), WorldError> {
        Ok(())
    }

    fn remove_blob(&self, blob: &Digest) -> Result<(), WorldError> {
        self.inner().blobs.remove(blob);
        Ok(())
    }

    fn blobs(&self) -> Result<Vec<(Digest, u64)>, WorldError> {
        Ok(self.inner().blobs.iter().map(|(digest, bytes)| (digest.clone(), bytes.len() as u64)).collect())
    }
}

impl Blobs for MemoryStore {
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        let keep = |content: &mut &mut dyn Read| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).map_err(|e| WorldError::io("read", "contents to be kept", e))?;
            let digest = Digest::of(&bytes);
            self.inner().blobs.insert(digest.clone(), Arc::new(bytes));
            Ok(digest)
        };
        contents.iter_mut().map(keep).collect()
    }

    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        match self.inner().blobs.get(blob) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.to_vec()))),
            None => Err(WorldError::io("open", blob.as_str(), io::ErrorKind::NotFound.into())),
        }
    }
}

struct MemoryJournal {
    store: MemoryStore,
    run: RunId,
}

impl Journal for MemoryJournal {
    fn append(&mut self, lines: &[u8]) -> Result<(), WorldError> {
        self.store.with(&self.run, |run| run.journal.extend_from_slice(lines))
    }

    fn flush(&mut self) -> Result<(), WorldError> {
        self.store.with(&self.run, |run| run.flushed = run.journal.len())
    }
}

struct MemoryLock {
    store: MemoryStore,
    key: (bool, String),
}

impl Lock for MemoryLock {
    fn holds(&self) -> bool {
        self.store.inner().locks.contains_key(&self.key)
    }
}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut inner = self.store.inner();
        if let Some(held) = inner.locks.get_mut(&self.key) {
            held.count -= 1;
            if held.count == 0 {
                inner.locks.remove(&self.key);
            }
        }
    }
}
