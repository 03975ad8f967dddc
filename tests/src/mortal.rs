//! A state directory of a process that dies: after so many writes of a journal nothing more is written, kept or locked.

use model::digest::Digest;
use model::id::RunId;
use std::io::{self, Read};
use std::sync::atomic::{AtomicI64, Ordering};
use world::error::WorldError;
use world::store::{Blobs, Journal, Lock, LockName, Make, Store};

/// Wraps a store; dies after so many appends.
pub struct Mortal<'s> {
    inner: &'s dyn Store,
    left: AtomicI64,
    /// Before every flush.
    flushed: &'s (dyn Fn() + Sync),
}

impl<'s> Mortal<'s> {
    /// Dies after `appends`.
    pub fn new(inner: &'s dyn Store, appends: i64) -> Self {
        Self { inner, left: AtomicI64::new(appends), flushed: &|| () }
    }

    /// The same, and tells of every flush of a journal before it happens.
    #[must_use]
    pub fn telling(self, flushed: &'s (dyn Fn() + Sync)) -> Self {
        Self { flushed, ..self }
    }

    /// Whether it has died.
    pub fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// How many appends there were, where it is not to die before `i64::MAX`.
    pub fn appended(&self) -> u64 {
        self.left.load(Ordering::SeqCst).abs_diff(i64::MAX)
    }

    fn alive(&self) -> Result<(), WorldError> {
        if self.is_dead() { Err(WorldError::io("use", "the state directory", io::ErrorKind::BrokenPipe.into())) } else { Ok(()) }
    }
}

impl Store for Mortal<'_> {
    fn create(&self, run: &RunId) -> Result<Box<dyn Journal + '_>, WorldError> {
        self.alive()?;
        Ok(Box::new(Book { inner: self.inner.create(run)?, store: self }))
    }
    fn reopen(&self, run: &RunId, whole: u64) -> Result<Box<dyn Journal + '_>, WorldError> {
        self.alive()?;
        Ok(Box::new(Book { inner: self.inner.reopen(run, whole)?, store: self }))
    }
    fn journal(&self, run: &RunId) -> Result<Box<dyn Read + '_>, WorldError> {
        self.inner.journal(run)
    }
    fn runs(&self) -> Result<Vec<RunId>, WorldError> {
        self.inner.runs()
    }
    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<(), WorldError> {
        self.alive()?;
        self.inner.put(run, name, bytes)
    }
    fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, WorldError> {
        self.inner.file(run, name)
    }
    fn lock(&self, lock: &LockName, holder: &str) -> Result<Box<dyn Lock>, WorldError> {
        self.inner.lock(lock, holder)
    }
    fn key(&self, make: Make) -> Result<Option<[u8; 32]>, WorldError> {
        self.inner.key(make)
    }
    fn release_reserve(&self) -> Result<(), WorldError> {
        self.inner.release_reserve()
    }
    fn remove_blob(&self, blob: &Digest) -> Result<(), WorldError> {
        self.inner.remove_blob(blob)
    }
    fn blobs(&self) -> Result<Vec<(Digest, u64)>, WorldError> {
        self.inner.blobs()
    }
}

impl Blobs for Mortal<'_> {
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        self.alive()?;
        self.inner.keep(contents)
    }
    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        self.inner.open(blob)
    }
}

struct Book<'s> {
    inner: Box<dyn Journal + 's>,
    store: &'s Mortal<'s>,
}

impl Journal for Book<'_> {
    fn append(&mut self, lines: &[u8]) -> Result<(), WorldError> {
        self.store.left.fetch_sub(1, Ordering::SeqCst);
        self.store.alive()?;
        self.inner.append(lines)
    }
    fn flush(&mut self) -> Result<(), WorldError> {
        (self.store.flushed)();
        self.store.alive()?;
        self.inner.flush()
    }
}
