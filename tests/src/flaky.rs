//! A world in which one change fails, in which each change waits for its turn, or that tells of every call.

use model::effect::Change;
use model::program::Program;
use model::resource::Resource;
use model::state::State;
use model::value::May;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use world::act::{Act, Ended, Setting, Start};
use world::error::WorldError;
use world::look::{Endpoint, Entry, Look, Output, Process, Reply};
use world::store::Blobs;
use world::volume::Volume;

/// When a change happens: given the name of its resource and what does it.
type Turn<'w> = &'w (dyn Fn(&str, &mut dyn FnMut()) + Sync);

/// Wraps a world; its n-th change fails, and nothing of it happens.
pub struct Flaky<'w> {
    inner: &'w dyn Act,
    left: AtomicI64,
    turn: Turn<'w>,
    /// Before every call.
    called: &'w (dyn Fn() + Sync),
}

impl<'w> Flaky<'w> {
    /// Change `n`, from 0, fails.
    pub fn new(inner: &'w dyn Act, n: i64) -> Self {
        Self { inner, left: AtomicI64::new(n), turn: &|_, change| change(), called: &|| () }
    }

    /// None fails, and `turn` says when each one happens.
    pub fn in_turn(inner: &'w dyn Act, turn: Turn<'w>) -> Self {
        Self { inner, left: AtomicI64::new(i64::MAX), turn, called: &|| () }
    }

    /// The same, and tells of every call before it happens.
    #[must_use]
    pub fn telling(self, called: &'w (dyn Fn() + Sync)) -> Self {
        Self { called, ..self }
    }

    /// Whether it came to that change.
    pub fn has_failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    /// How many changes there were, where none is to fail before `i64::MAX`.
    pub fn calls(&self) -> u64 {
        self.left.load(Ordering::SeqCst).abs_diff(i64::MAX)
    }

    fn fails(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) == 0
    }
}

impl Look for Flaky<'_> {
    fn folds_case(&self) -> bool {
        self.inner.folds_case()
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        (self.called)();
        self.inner.state(what)
    }
    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        (self.called)();
        self.inner.tree(what, exclude, manifest)
    }
    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        (self.called)();
        self.inner.open(path)
    }
    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        (self.called)();
        self.inner.list(path)
    }
    fn services(&self) -> Result<Vec<String>, WorldError> {
        (self.called)();
        self.inner.services()
    }
    fn program(&self, name: &str) -> Result<String, WorldError> {
        (self.called)();
        self.inner.program(name)
    }
    fn room(&self, path: &str) -> Result<May<u64>, WorldError> {
        (self.called)();
        self.inner.room(path)
    }
    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        (self.called)();
        self.inner.processes()
    }
    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        (self.called)();
        self.inner.connect(endpoint)
    }
    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        (self.called)();
        self.inner.output(program)
    }
}

impl Act for Flaky<'_> {
    fn set(&self, settings: &[Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        let one = |setting: &Setting| {
            (self.called)();
            if self.fails() {
                return Err(WorldError::io("write", setting.change.resource.to_string(), io::ErrorKind::StorageFull.into()));
            }
            let mut found = Vec::new();
            (self.turn)(&setting.change.resource.name, &mut || found = self.inner.set(std::slice::from_ref(setting), blobs));
            found.remove(0)
        };
        settings.iter().map(one).collect()
    }
    fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError> {
        (self.called)();
        if self.fails() {
            return Err(WorldError::io("start", "a program", io::ErrorKind::NotFound.into()));
        }
        self.inner.run(start)
    }
    fn tidy(&self, staging: &[String]) -> Result<(), WorldError> {
        (self.called)();
        self.inner.tidy(staging)
    }
    fn put_back(&self, what: &Resource, staging: &str) -> Result<(), WorldError> {
        (self.called)();
        self.inner.put_back(what, staging)
    }
    fn flush(&self, what: &[Resource]) -> Result<(), WorldError> {
        (self.called)();
        self.inner.flush(what)
    }
    fn volume(&self, path: &str) -> Result<Volume, WorldError> {
        (self.called)();
        self.inner.volume(path)
    }
    fn may_write(&self, dir: &str) -> Result<(), WorldError> {
        self.inner.may_write(dir)
    }
    fn may_give(&self, dir: &str, meta: &model::state::Meta) -> bool {
        self.inner.may_give(dir, meta)
    }
    fn staging(&self, change: &Change, mark: &str) -> Option<String> {
        self.inner.staging(change, mark)
    }
}
