//! What the threads of a run hand each other, and how they wait for it.

use crate::context::Turns;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The receiving end. Any number of threads may take from it.
pub(super) struct Queue<'a, T> {
    receiver: Mutex<Receiver<T>>,
    turns: Option<&'a dyn Turns>,
}

impl<'a, T> Queue<'a, T> {
    /// An empty one, with its sending end.
    pub(super) fn new(turns: Option<&'a dyn Turns>) -> (Sender<T>, Self) {
        let (sender, receiver) = channel();
        (sender, Self { receiver: Mutex::new(receiver), turns })
    }

    /// The next one; none once nobody sends any more.
    pub(super) fn next(&self) -> Option<T> {
        match self.turns {
            None => self.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok(),
            Some(turns) => self.in_turn(turns).ok(),
        }
    }

    /// The next one, if it comes in that time.
    ///
    /// # Errors
    /// It does not come in time, or nobody sends any more.
    pub(super) fn next_within(&self, long: Duration) -> Result<T, RecvTimeoutError> {
        match self.turns {
            None => self.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(long),
            Some(turns) => self.in_turn(turns),
        }
    }

    fn in_turn(&self, turns: &dyn Turns) -> Result<T, RecvTimeoutError> {
        let mut next = Err(TryRecvError::Empty);
        turns.until(&mut || {
            next = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).try_recv();
            !matches!(next, Err(TryRecvError::Empty))
        });
        next.map_err(|_| RecvTimeoutError::Disconnected)
    }
}

/// A thread's part of a run: it waits for its first turn, and gives the last one back however it ends.
pub(super) fn take_part(turns: Option<&dyn Turns>, number: usize, part: impl FnOnce()) {
    struct Part<'t>(Option<&'t dyn Turns>);
    impl Drop for Part<'_> {
        fn drop(&mut self) {
            self.0.inspect(|turns| turns.leave());
        }
    }
    turns.inspect(|turns| turns.enter(number));
    let _part = Part(turns);
    part();
}
