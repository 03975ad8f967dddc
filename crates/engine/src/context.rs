//! Everything the engine is given.

use crate::people::People;
use jiff::Timestamp;
use model::event::Line;
use model::id::StepId;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use world::act::Act;
use world::action::Kind;
use world::store::Store;

/// What an engine works with. The caller owns all of it.
#[derive(Clone, Copy)]
pub struct Engine<'a> {
    /// The actions that there are.
    pub kinds: &'a [Kind],
    /// The world.
    pub world: &'a dyn Act,
    /// The state directory.
    pub store: &'a dyn Store,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Fills with random bytes.
    pub random: &'a (dyn Fn(&mut [u8]) + Sync),
    /// Whoever answers.
    pub people: &'a dyn People,
    /// Whoever is told.
    pub sink: &'a dyn Sink,
    /// A person's wish to stop.
    pub stop: &'a Stop,
    /// Whose turn it is, if the steps of a run are to take turns; without it they run side by side.
    pub turns: Option<&'a dyn Turns>,
    /// Who runs it.
    pub operator: &'a str,
    /// The machine.
    pub host: &'a str,
    /// Name and version of the program.
    pub tool: &'a str,
}

impl Engine<'_> {
    /// The action of this name.
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// Eight random hex digits, for names.
    pub fn short_random(&self) -> String {
        let mut bytes = [0; 4];
        (self.random)(&mut bytes);
        format!("{:08x}", u32::from_le_bytes(bytes))
    }
}

/// Time, as far as the engine knows it.
pub trait Clock: Sync {
    /// The wall clock. A label, never an order.
    fn now(&self) -> Timestamp;
    /// A clock that never goes back, from any beginning.
    fn elapsed(&self) -> Duration;
    /// Waits, until that long has passed or somebody wants to stop.
    fn wait(&self, long: Duration, stop: &Stop);
}

/// Who goes on, where the threads of a run take turns so that one seed always gives the same journal. Only one has its turn; it
/// passes it on wherever it waits for another, and wherever the world that it is given does.
pub trait Turns: Sync {
    /// So many threads are about to begin beside the one that says so, which has number 0 and the turn.
    fn gather(&self, threads: usize);
    /// The thread of this number begins, and waits for its turn.
    fn enter(&self, number: usize);
    /// The thread whose turn it is ends.
    fn leave(&self);
    /// Lets others go on until this holds.
    fn until(&self, holds: &mut dyn FnMut() -> bool);
    /// Lets others go on until all have ended but the one that says so.
    fn alone(&self);
}

/// Somebody who is told what happens. It must not block for long and cannot fail.
pub trait Sink: Sync {
    /// A line of a journal, after it was written.
    fn line(&self, line: &Line);
    /// Something for people that is no event: a wait's state, an automatic undo's begin.
    fn say(&self, text: &str);
    /// How many bytes of a long copy are written by now, and how many there will be. May come often.
    fn progress(&self, _step: &StepId, _written: u64, _total: u64) {}
}

/// A person's wishes: to stop, where once is a question and twice ends what runs; to pause, where nothing more starts.
#[derive(Default)]
pub struct Stop {
    times: AtomicU8,
    pausing: AtomicBool,
    /// Given to running programs, those that only look too.
    pub programs: Arc<AtomicBool>,
    sleepers: (Mutex<()>, Condvar),
}

impl Stop {
    /// A wish to stop. The second ends running programs.
    pub fn wish(&self) {
        if self.times.fetch_add(1, Ordering::SeqCst) > 0 {
            self.programs.store(true, Ordering::SeqCst);
        }
        self.wake();
    }

    /// A pause begins, or is over.
    pub fn pause(&self, pause: bool) {
        self.pausing.store(pause, Ordering::SeqCst);
        self.wake();
    }

    /// Whether nothing more is to start. A wish to stop comes before it.
    pub fn paused(&self) -> bool {
        self.pausing.load(Ordering::SeqCst) && !self.wished()
    }

    /// Whether somebody wishes to stop.
    pub fn wished(&self) -> bool {
        self.times.load(Ordering::SeqCst) > 0
    }

    /// The person decided to go on: a pause is over too.
    pub fn forget(&self) {
        self.pausing.store(false, Ordering::SeqCst);
        self.times.store(0, Ordering::SeqCst);
        self.programs.store(false, Ordering::SeqCst);
    }

    /// Sleeps until that long has passed or somebody wishes to stop.
    pub fn sleep(&self, long: Duration) {
        let held = self.sleepers.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.sleepers.1.wait_timeout_while(held, long, |()| !self.wished());
    }

    /// Sleeps until a pause is over or somebody wishes to stop.
    pub fn sleep_while_paused(&self) {
        let held = self.sleepers.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.sleepers.1.wait_while(held, |()| self.paused()));
    }

    fn wake(&self) {
        let _held = self.sleepers.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.1.notify_all();
    }
}
