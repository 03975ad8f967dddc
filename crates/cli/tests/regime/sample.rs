//! How many of all points are taken.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// `size` of the points, spread evenly; all of them with `REGIME_FULL=1`.
pub(crate) fn sample<T: Clone>(points: &[T], size: usize) -> Vec<T> {
    if full() || points.len() <= size {
        return points.to_vec();
    }
    (0..size).map(|i| points[i * points.len() / size].clone()).collect()
}

/// Whether everything is taken.
pub(crate) fn full() -> bool {
    std::env::var_os("REGIME_FULL").is_some()
}

/// Tries every point, two at a time, each worker with its own number. Gives all violations, or the first one that is found.
pub(crate) fn violations<T: Sync>(points: &[T], only_first: bool, trial: impl Fn(usize, &T) -> Result<(), String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..2 {
            let (next, wrong, trial) = (&next, &wrong, &trial);
            scope.spawn(move || {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = trial(worker, point) {
                        wrong.lock().unwrap().push(text);
                        if only_first {
                            next.store(points.len(), Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// There must be none.
pub(crate) fn none(violations: &[String], of: usize) {
    assert!(violations.is_empty(), "{} of {of} points violated:\n{}", violations.len(), violations.join("\n"));
}
