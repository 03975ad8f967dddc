//! Whether a line stands ready at the terminal, without reading it: what is typed while a question opens is for the question.

use std::io::PipeReader;

/// What came first.
#[cfg_attr(not(unix), expect(dead_code, reason = "there nobody listens between questions yet"))]
pub(super) enum Ready {
    /// A whole line can be read at once.
    Line,
    /// Not yet.
    NotYet,
    /// Nothing more will come, or nobody listens any more.
    Over,
}

/// Whether lines can be waited for here.
pub(super) const POSSIBLE: bool = cfg!(unix);

/// Waits until a line stands ready, or whoever writes to `over` has gone.
#[cfg(unix)]
pub(super) fn wait(over: &PipeReader) -> Ready {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = std::io::stdin();
    if in_the_background() {
        // Reading would stop this program; what is typed is for the shell.
        let ended = poll(&mut [PollFd::new(over, PollFlags::IN)], Some(&Timespec { tv_sec: 1, tv_nsec: 0 })).is_ok_and(|ready| ready > 0);
        return if ended { Ready::Over } else { Ready::NotYet };
    }
    let mut watched = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(over, PollFlags::IN)];
    match poll(&mut watched, None) {
        Err(rustix::io::Errno::INTR) => return Ready::NotYet,
        Err(_) => return Ready::Over,
        Ok(_) => {}
    }
    let [line, over] = watched.map(|one| one.revents());
    match () {
        () if !over.is_empty() => Ready::Over,
        () if line.contains(PollFlags::IN) => Ready::Line,
        () if line.is_empty() => Ready::NotYet,
        () => Ready::Over,
    }
}

/// Whether a line stands ready now.
#[cfg(unix)]
pub(super) fn now() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = std::io::stdin();
    let mut watched = [PollFd::new(&stdin, PollFlags::IN)];
    !in_the_background() && poll(&mut watched, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok() && watched[0].revents().contains(PollFlags::IN)
}

#[cfg(unix)]
fn in_the_background() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group != rustix::process::getpgrp())
}

#[cfg(not(unix))]
pub(super) fn wait(_over: &PipeReader) -> Ready {
    Ready::Over
}

#[cfg(not(unix))]
pub(super) fn now() -> bool {
    false
}
