//! How many of all points are taken, and which one is done again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Something that is wrong, and the number of the point at which it is.
pub(crate) type Wrong = (usize, String);

/// `size` of the points with their numbers, spread evenly; all of them with `REGIME_FULL=1`, the one with `REGIME_ONLY=NUMBER`.
pub(crate) fn sample<T: Clone>(points: &[T], size: usize) -> Vec<(usize, T)> {
    let every = if full() || only().is_some() { points.len() } else { points.len().min(size) };
    let numbers = (0..every).map(|i| i * points.len() / every);
    numbers.filter(|n| only().is_none_or(|only| only == *n)).map(|n| (n, points[n].clone())).collect()
}

/// Whether everything is taken.
pub(crate) fn full() -> bool {
    std::env::var_os("REGIME_FULL").is_some()
}

/// The number of the only point that is taken; its lab is kept.
pub(crate) fn only() -> Option<usize> {
    std::env::var("REGIME_ONLY").ok()?.parse().ok()
}

/// Tries every point, two at a time, each worker with its own number.
pub(crate) fn violations<T: Sync>(points: &[(usize, T)], trial: impl Fn(usize, usize, &T) -> Result<(), String> + Sync) -> Vec<Wrong> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for worker in 0..2 {
            let (next, wrong, trial) = (&next, &wrong, &trial);
            scope.spawn(move || {
                while let Some((n, point)) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = trial(worker, *n, point) {
                        wrong.lock().unwrap().push((*n, text));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Nothing may be wrong; and so many must have been tried, so that a test cannot shrink unnoticed.
pub(crate) fn none(wrong: &[Wrong], tried: usize, wanted: usize) {
    // The thread of a test has the test's name.
    let test = thread::current().name().unwrap_or_default().to_owned();
    let full = if full() { "REGIME_FULL=1 " } else { "" };
    let again = |(n, text): &Wrong| {
        format!("{text}\n  replay: {full}REGIME_ONLY={n} cargo test --workspace --features cli/planted --test regime -- --nocapture --exact {test}")
    };
    let first: Vec<String> = wrong.iter().take(5).map(again).collect();
    assert!(wrong.is_empty(), "{} of {tried} points violated, the first of them:\n{}", wrong.len(), first.join("\n"));
    assert!(tried >= wanted || only().is_some(), "{tried} points were tried, and there should be {wanted}");
}
