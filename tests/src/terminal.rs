//! A terminal with a person who types when something is asked.

use crate::retrace::Case;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::process::{Child, Command, Stdio};

/// The program at a terminal of its own.
pub struct Terminal {
    child: Child,
    screen: File,
    seen: String,
    read_to: usize,
}

impl Terminal {
    /// Starts the program at a new terminal of 100 columns or what the system gives.
    ///
    /// # Panics
    /// There is no terminal, or the program cannot be started.
    pub fn start(case: &Case, words: &[&str]) -> Self {
        let start = || -> std::io::Result<(Child, File)> {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
            grantpt(&master)?;
            unlockpt(&master)?;
            let name = ptsname(&master, Vec::new())?;
            let line = OpenOptions::new().read(true).write(true).open(name.to_str().map_err(|_| ErrorKind::InvalidData)?)?;
            // `setsid` makes it the controlling terminal, so that hidden input and Ctrl-C work as they do for a person.
            let program = case.command();
            let mut command = Command::new("setsid");
            command.args(["--ctty", "--wait"]).arg(program.get_program()).args(words).current_dir(case.dir()).env_clear();
            for (name, value) in program.get_envs() {
                if let Some(value) = value {
                    command.env(name, value);
                }
            }
            command.env("TERM", "xterm");
            let child = command.stdin(Stdio::from(line.try_clone()?)).stdout(Stdio::from(line.try_clone()?)).stderr(Stdio::from(line)).spawn()?;
            Ok((child, File::from(master)))
        };
        let (child, screen) = start().unwrap_or_else(|error| panic!("no terminal: {error}"));
        Self { child, screen, seen: String::new(), read_to: 0 }
    }

    /// Waits until this text stands on the screen, after what was waited for before, and types a line.
    ///
    /// # Panics
    /// It never comes.
    pub fn answer(&mut self, asked: &str, line: &str) {
        self.wait_for(asked);
        self.press(&format!("{line}\n"));
    }

    /// Waits until this text stands on the screen, after what was waited for before.
    ///
    /// # Panics
    /// It never comes.
    pub fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen[self.read_to..].find(text) {
                self.read_to += at + text.len();
                return;
            }
            assert!(self.read(), "`{text}` never came:\n{}", self.seen);
        }
    }

    /// Presses keys: a line end is Enter, `\x03` Ctrl-C.
    ///
    /// # Panics
    /// The terminal is gone.
    pub fn press(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap_or_else(|error| panic!("nobody reads: {error}\n{}", self.seen));
    }

    /// Waits for the end: the exit code and all that stood on the screen.
    ///
    /// # Panics
    /// It was ended by a signal.
    pub fn end(mut self) -> (i32, String) {
        while self.read() {}
        let status = self.child.wait().unwrap_or_else(|error| panic!("no end: {error}"));
        (status.code().unwrap_or(-1), self.seen)
    }

    /// Reads what has come; false at the end.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        match self.screen.read(&mut bytes) {
            Ok(0) | Err(_) => false,
            Ok(n) => {
                self.seen.push_str(&String::from_utf8_lossy(&bytes[..n]));
                true
            }
        }
    }
}
