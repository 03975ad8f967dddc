//! The echo of the terminal, off while something hidden is asked for and typed. It is off before the question is seen, so that
//! nothing typed at once is shown.

/// The echo is off until this is dropped.
pub(super) struct Silence {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl Silence {
    /// Switches the echo off, if standard input is a terminal. Ends of lines are still shown.
    pub(super) fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(LocalModes::ECHO);
            quiet.local_modes.insert(LocalModes::ECHONL);
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet);
        }
        Self { before }
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, before);
        }
    }
}

#[cfg(not(unix))]
impl Silence {
    /// Here whoever reads the line switches the echo off.
    pub(super) fn begin() -> Self {
        Self {}
    }
}
