//! Ctrl-C and its like: a wish to stop, which becomes a decision.

use crate::prompt::console::Terminal;
use engine::context::Stop;
use std::sync::Arc;

/// Listens for the rest of the process: the first wish leads to a question, the second ends what runs.
pub(crate) fn listen(stop: &Arc<Stop>, terminal: &Arc<Terminal>) {
    let (stop, terminal) = (Arc::clone(stop), Arc::clone(terminal));
    let wish = move || {
        stop.wish();
        terminal.interrupt();
    };
    // Without a thread for it Ctrl-C ends the process, and `resume` goes on from the journal.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(move || wait(wish));
}

#[cfg(unix)]
fn wait(wish: impl Fn()) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    for _ in signals.forever() {
        wish();
    }
}

#[cfg(not(unix))]
fn wait(wish: impl Fn()) {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;
    let pressed = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        if signal_hook::flag::register(signal, Arc::clone(&pressed)).is_err() {
            return;
        }
    }
    loop {
        std::thread::sleep(Duration::from_millis(50));
        if pressed.swap(false, Ordering::SeqCst) {
            wish();
        }
    }
}
