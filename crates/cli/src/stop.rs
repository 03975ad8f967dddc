//! Ctrl-C and its like: a wish to stop, which becomes a decision.

use crate::exit::Exit;
use crate::prompt::console::Terminal;
use engine::context::Stop;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

/// Listens for the rest of the process. Before anything has `begun`, the first wish lets the command leave as soon as it can and
/// the second leaves at once. Then the first leads to a question, the second ends what runs.
pub(crate) fn listen(stop: &Arc<Stop>, begun: &Arc<AtomicBool>, terminal: &Arc<Terminal>) {
    let (stop, begun, terminal) = (Arc::clone(stop), Arc::clone(begun), Arc::clone(terminal));
    let wish = move || {
        // First the question that is open, then whoever would ask what the wish means: its question is not for this press.
        terminal.interrupt();
        if !begun.load(Ordering::SeqCst) {
            if stop.wished() {
                leave();
            }
            // What only looks may be ended at any time.
            stop.programs.store(true, Ordering::SeqCst);
        }
        stop.wish();
    };
    // Without a thread for it Ctrl-C ends the process, and `resume` goes on from the journal.
    let _ = at_each_signal(wish);
}

#[expect(clippy::exit, reason = "a person asked twice, and nothing that was done would be cut off")]
fn leave() -> ! {
    std::process::exit(Exit::Stopped.code().into())
}

#[cfg(unix)]
fn at_each_signal(wish: impl Fn() + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    Builder::new().name("signals".into()).spawn(move || signals.forever().for_each(|_| wish())).map(drop)
}

#[cfg(not(unix))]
fn at_each_signal(wish: impl Fn() + Send + 'static) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::time::Duration;
    let pressed = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&pressed))?;
    }
    let look = move || loop {
        std::thread::sleep(Duration::from_millis(50));
        if pressed.swap(false, Ordering::SeqCst) {
            wish();
        }
    };
    Builder::new().name("signals".into()).spawn(look).map(drop)
}
