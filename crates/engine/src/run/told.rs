//! Telling how far a long copy has come. Nothing of it is written down.

use crate::context::Sink;
use model::id::StepId;
use model::state::{Content, FileState, State};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use world::act::Setting;

/// Less than this is not worth telling.
const BIG: u64 = 8 << 20;
/// How often it is told.
const EVERY: Duration = Duration::from_millis(500);

/// Sets, and tells meanwhile how far it has come.
pub(super) fn told<T>(sink: &dyn Sink, settings: &[Setting], steps: &[(StepId, u32)], set: impl FnOnce() -> T) -> T {
    let big: Vec<(&StepId, &Setting, u64)> = settings
        .iter()
        .zip(steps)
        .map(|(setting, (step, _))| (step, setting, length(&setting.change.after)))
        .filter(|(_, _, total)| *total >= BIG)
        .collect();
    if big.is_empty() {
        return set();
    }
    let tell = || big.iter().for_each(|(step, setting, total)| sink.progress(step, setting.account.written().min(*total), *total));
    let (over, wait) = channel::<()>();
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let wait = wait;
            while matches!(wait.recv_timeout(EVERY), Err(RecvTimeoutError::Timeout)) {
                tell();
            }
        });
        let done = set();
        drop(over);
        tell();
        done
    })
}

/// The bytes that are written to reach a state.
pub(crate) fn length(state: &State) -> u64 {
    match state {
        State::File(FileState { content: Content::Plain { length, .. }, .. }) => *length,
        State::Tree(tree) => tree.bytes,
        _ => 0,
    }
}
