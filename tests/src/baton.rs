//! The threads of a run take turns, in an order that a seed gives: whoever has the baton goes on, and passes it on wherever it
//! looks at the world, changes it, flushes a journal or waits for another.

use crate::dice::Dice;
use engine::context::Turns;
use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Threads at once, with the one that coordinates and the one that asks.
const THREADS: usize = 16;
/// So often nobody could go on: then nobody ever will.
const PATIENCE: usize = 100_000;

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// Who goes on.
pub struct Baton {
    state: Mutex<State>,
    changed: [Condvar; THREADS],
}

struct State {
    dice: Dice,
    holder: usize,
    there: [bool; THREADS],
    passes: u64,
}

impl Baton {
    /// The order that a seed gives.
    pub fn new(seed: u64) -> Self {
        let mut there = [false; THREADS];
        there[0] = true;
        Self { state: Mutex::new(State { dice: Dice::new(seed), holder: 0, there, passes: 0 }), changed: [const { Condvar::new() }; THREADS] }
    }

    /// Somebody goes on, perhaps whoever says so. Gives how often that was said before.
    pub fn pass(&self) -> u64 {
        let mut state = self.state();
        let passes = state.passes;
        state.passes += 1;
        self.hand_on(state, |_| true);
        passes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the baton to one of those that may have it, and waits until it is back, if there is anybody.
    fn hand_on(&self, mut state: MutexGuard<'_, State>, may: impl Fn(usize) -> bool) {
        let me = NUMBER.get();
        let others: Vec<usize> = (0..THREADS).filter(|other| state.there[*other] && may(*other)).collect();
        if others.is_empty() {
            return;
        }
        let next = others[state.dice.below(others.len() as u64) as usize];
        state.holder = next;
        if next == me {
            return;
        }
        self.changed[next].notify_all();
        if state.there[me] {
            drop(self.changed[me].wait_while(state, |state| state.holder != me).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Turns for Baton {
    fn gather(&self, threads: usize) {
        self.state().there[1..=threads].fill(true);
    }

    fn enter(&self, number: usize) {
        NUMBER.set(number);
        drop(self.changed[number].wait_while(self.state(), |state| state.holder != number).unwrap_or_else(PoisonError::into_inner));
    }

    fn leave(&self) {
        let me = NUMBER.get();
        let mut state = self.state();
        state.there[me] = false;
        self.hand_on(state, |_| true);
    }

    fn until(&self, holds: &mut dyn FnMut() -> bool) {
        let me = NUMBER.get();
        for _ in 0..PATIENCE {
            if holds() {
                return;
            }
            self.hand_on(self.state(), |other| other != me);
        }
        panic!("thread {me} waits for what never comes");
    }

    fn alone(&self) {
        self.until(&mut || self.state().there.iter().filter(|there| **there).count() == 1);
    }
}
