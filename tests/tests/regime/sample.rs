//! How many of all points are taken.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// `size` of the points, spread evenly; all of them with `REGIME_FULL=1`.
pub(crate) fn sample<T: Clone>(points: &[T], size: usize) -> Vec<T> {
    if std::env::var_os("REGIME_FULL").is_some() || points.len() <= size {
        return points.to_vec();
    }
    (0..size).map(|i| points[i * points.len() / size].clone()).collect()
}

/// Tries every point, two at a time, each worker with its own number; panics with all violations.
pub(crate) fn every<T: Sync>(points: &[T], trial: impl Fn(usize, &T) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..2 {
            let (next, wrong, trial) = (&next, &wrong, &trial);
            scope.spawn(move || {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = trial(worker, point) {
                        wrong.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} points violated:\n{}", wrong.len(), points.len(), wrong.join("\n"));
}
