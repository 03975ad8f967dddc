//! The threads of a run. Whoever has finished something says so, starts what may start then, and goes on with a part of it: in a
//! chain of steps nobody is woken.

use super::{Coordinator, Held, Verdict};
use crate::context::Turns;
use crate::run::Ending;
use crate::run::scribe::Dead;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// After that long whoever decides looks whether a pause is over.
const LOOK: Duration = Duration::from_millis(200);

/// Does what the graph says, to its end or until somebody decides otherwise.
///
/// # Errors
/// Nothing more may be done.
pub(super) fn work<'c, 's, 'a>(coordinator: Coordinator<'c, 's, 'a>) -> Result<(Ending, Coordinator<'c, 's, 'a>), Dead> {
    let (turns, jobs) = (coordinator.order.session.engine.turns, coordinator.order.jobs.max(1));
    let crew = Crew { coordinator: Mutex::new(coordinator), changed: Default::default(), turns };
    let ending = std::thread::scope(|threads| {
        turns.inspect(|turns| turns.gather(jobs + 1));
        // Questions take no worker, and come one at a time.
        let seats = std::iter::once(Seat::Ask).chain(std::iter::repeat_n(Seat::Work, jobs));
        for (number, seat) in (1..).zip(seats) {
            let crew = &crew;
            threads.spawn(move || crew.take_part(seat, number));
        }
        let ending = {
            let _closing = Closing(&crew);
            crew.lead()
        };
        turns.inspect(|turns| turns.alone());
        ending
    })?;
    Ok((ending, crew.coordinator.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

struct Crew<'c, 's, 'a> {
    coordinator: Mutex<Coordinator<'c, 's, 'a>>,
    /// For each seat: there is something to do.
    changed: [Condvar; 3],
    turns: Option<&'a dyn Turns>,
}

type Guard<'g, 'c, 's, 'a> = MutexGuard<'g, Coordinator<'c, 's, 'a>>;

/// What a thread is there for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// To decide, when nothing runs.
    Lead,
    /// To ask.
    Ask,
    /// To do everything else.
    Work,
}

impl<'c, 's, 'a> Crew<'c, 's, 'a> {
    fn lead(&self) -> Result<Ending, Dead> {
        let mut coordinator = self.lock();
        loop {
            let held = coordinator.advance()?;
            if coordinator.running > 0 {
                self.tell(&coordinator);
                coordinator = self.wait(coordinator, Seat::Lead);
                continue;
            }
            if held == Some(Held::ForDecision) {
                match coordinator.decide()? {
                    Verdict::GoOn => continue,
                    Verdict::End(ending) => return Ok(ending),
                    Verdict::Undo(why) => return coordinator.take_back(why),
                }
            }
            if coordinator.progress.ready() == 0 {
                return Ok(coordinator.done());
            }
            if held == Some(Held::ByPause) {
                coordinator.sit_out()?;
            }
        }
    }

    /// The part of a thread beside the one that leads: it waits for its first turn, and gives the last one back however it ends.
    fn take_part(&self, seat: Seat, number: usize) {
        self.turns.inspect(|turns| turns.enter(number));
        let _leaving = Leaving(self);
        let mut coordinator = self.lock();
        while !coordinator.closed {
            let round = coordinator.take(seat);
            self.tell(&coordinator);
            let Some(nodes) = round else {
                coordinator = self.wait(coordinator, seat);
                continue;
            };
            let worker = coordinator.worker;
            drop(coordinator);
            let finished = worker.work(&nodes);
            coordinator = self.lock();
            coordinator.finished(finished);
        }
    }

    /// Wakes whoever has something to do.
    fn tell(&self, coordinator: &Coordinator<'_, '_, '_>) {
        for seat in [Seat::Lead, Seat::Ask, Seat::Work] {
            for _ in 0..coordinator.waits_for(seat) {
                self.changed[seat as usize].notify_one();
            }
        }
    }

    fn lock(&self) -> Guard<'_, 'c, 's, 'a> {
        match self.turns {
            None => self.coordinator.lock().unwrap_or_else(PoisonError::into_inner),
            Some(turns) => self.in_turn(turns, |_| true),
        }
    }

    /// Waits until there may be something to do.
    fn wait<'g>(&'g self, coordinator: Guard<'g, 'c, 's, 'a>, seat: Seat) -> Guard<'g, 'c, 's, 'a> {
        if let Some(turns) = self.turns {
            drop(coordinator);
            return self.in_turn(turns, |coordinator| coordinator.closed || coordinator.waits_for(seat) > 0);
        }
        let changed = &self.changed[seat as usize];
        match seat {
            Seat::Lead => changed.wait_timeout(coordinator, LOOK).unwrap_or_else(PoisonError::into_inner).0,
            Seat::Ask | Seat::Work => changed.wait(coordinator).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Lets others go on until nobody has the coordinator and this holds of it.
    fn in_turn(&self, turns: &dyn Turns, holds: impl Fn(&Coordinator<'_, '_, '_>) -> bool) -> Guard<'_, 'c, 's, 'a> {
        let mut taken = None;
        turns.until(&mut || {
            taken = match self.coordinator.try_lock() {
                Ok(coordinator) => Some(coordinator),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
            .filter(|coordinator| holds(coordinator));
            taken.is_some()
        });
        taken.unwrap_or_else(|| self.coordinator.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends everybody home, however the work ends.
struct Closing<'k, 'c, 's, 'a>(&'k Crew<'c, 's, 'a>);

impl Drop for Closing<'_, '_, '_, '_> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.changed.iter().for_each(Condvar::notify_all);
    }
}

/// Gives back a thread's last turn. One that panics takes the run with it.
struct Leaving<'k, 'c, 's, 'a>(&'k Crew<'c, 's, 'a>);

impl Drop for Leaving<'_, '_, '_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut coordinator = self.0.lock();
            coordinator.dead = Some(coordinator.scribe.die("a step ended in a panic: a bug in retrace"));
            self.0.tell(&coordinator);
        }
        self.0.turns.inspect(|turns| turns.leave());
    }
}
