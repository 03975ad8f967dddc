//! A world in which a call fails, for tests.

use crate::act::{Act, Ended, Setting, Start};
use crate::error::WorldError;
use crate::look::{Endpoint, Entry, Look, Output, Process, Reply};
use crate::store::Blobs;
use crate::volume::Volume;
use model::effect::Change;
use model::program::Program;
use model::resource::Resource;
use model::state::{Meta, State};
use model::value::May;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// A world whose changing calls are counted from 0, and one or all from one on fail. Each resource of an [`Act::set`], each
/// program, each [`Act::tidy`], [`Act::put_back`] and [`Act::flush`] is a call.
pub struct Faulty<W> {
    world: W,
    fault: Option<Fault>,
    calls: AtomicU64,
}

/// Which call fails, and how.
pub struct Fault {
    /// Its number, from 0.
    pub at: u64,
    /// Only that one, or all from it on.
    pub lasts: Lasts,
    /// Whether it has happened when it fails.
    pub when: When,
    /// The error.
    pub error: fn() -> WorldError,
}

/// How long a fault lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasts {
    /// One call.
    Once,
    /// Every call from then on.
    Always,
}

/// Whether a call that fails has had its effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Nothing has happened.
    Before,
    /// It has happened, and nobody is told.
    After,
}

impl<W> Faulty<W> {
    /// A world without a fault, to count calls.
    pub fn counting(world: W) -> Self {
        Self { world, fault: None, calls: AtomicU64::new(0) }
    }

    /// A world with a fault.
    pub fn new(world: W, fault: Fault) -> Self {
        Self { world, fault: Some(fault), calls: AtomicU64::new(0) }
    }

    /// How many changing calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The world below, without faults.
    pub fn world(&self) -> &W {
        &self.world
    }

    fn call<T>(&self, act: impl FnOnce() -> Result<T, WorldError>) -> Result<T, WorldError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let hit = |fault: &&Fault| call == fault.at || (fault.lasts == Lasts::Always && call > fault.at);
        match self.fault.as_ref().filter(hit) {
            None => act(),
            Some(fault) => {
                if fault.when == When::After {
                    act()?;
                }
                Err((fault.error)())
            }
        }
    }
}

impl<W: Act> Act for Faulty<W> {
    fn set(&self, settings: &[Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        let one = |setting: &Setting| self.call(|| self.world.set(std::slice::from_ref(setting), blobs).pop().unwrap_or(Ok(State::Absent)));
        settings.iter().map(one).collect()
    }

    fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError> {
        self.call(|| self.world.run(start))
    }

    fn tidy(&self, staging: &[String]) -> Result<(), WorldError> {
        self.call(|| self.world.tidy(staging))
    }

    fn put_back(&self, what: &Resource, staging: &str) -> Result<(), WorldError> {
        self.call(|| self.world.put_back(what, staging))
    }

    fn flush(&self, what: &[Resource]) -> Result<(), WorldError> {
        self.call(|| self.world.flush(what))
    }

    fn volume(&self, path: &str) -> Result<Volume, WorldError> {
        self.world.volume(path)
    }

    fn may_write(&self, dir: &str) -> Result<(), WorldError> {
        self.world.may_write(dir)
    }

    fn may_give(&self, dir: &str, meta: &Meta) -> bool {
        self.world.may_give(dir, meta)
    }

    fn staging(&self, change: &Change, mark: &str) -> Option<String> {
        self.world.staging(change, mark)
    }
}

impl<W: Act> Look for Faulty<W> {
    fn folds_case(&self) -> bool {
        self.world.folds_case()
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        self.world.state(what)
    }

    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        self.world.tree(what, exclude, manifest)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        self.world.open(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.world.list(path)
    }

    fn services(&self) -> Result<Vec<String>, WorldError> {
        self.world.services()
    }

    fn program(&self, name: &str) -> Result<String, WorldError> {
        self.world.program(name)
    }

    fn room(&self, path: &str) -> Result<May<u64>, WorldError> {
        self.world.room(path)
    }

    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        self.world.processes()
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        self.world.connect(endpoint)
    }

    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        self.world.output(program)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;
    use crate::act::Source;
    use crate::memory::Memory;
    use crate::memory_store::MemoryStore;
    use model::state::Meta;

    fn dir(world: &dyn Act, path: &str) -> Result<State, WorldError> {
        let change = Change { resource: Resource::file(path), before: State::Absent, after: State::Dir(Meta::default()) };
        world.set(&[Setting::new(change, Source::Nothing, None)], &MemoryStore::new()).pop().unwrap()
    }

    #[test]
    fn the_chosen_call_fails_before_or_after_it_happened() {
        for (when, happened) in [(When::Before, false), (When::After, true)] {
            let error = || WorldError::Damaged("x".to_owned());
            let world = Faulty::new(Memory::new(), Fault { at: 1, lasts: Lasts::Once, when, error });
            assert!(dir(&world, "/a").is_ok() && dir(&world, "/b").is_err() && dir(&world, "/c").is_ok());
            assert_eq!(world.state(&Resource::file("/b")).unwrap() != State::Absent, happened);
            assert_eq!(world.calls(), 3);
        }
    }
}
