//! A terminal with a person who types when something is asked.

use super::case::Case;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program at a terminal of its own, which `script` of util-linux makes: hidden input and Ctrl-C work as for a person.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
    read_to: usize,
}

impl Terminal {
    /// Starts the program at a new terminal.
    pub(crate) fn start(case: &Case, words: &[&str]) -> Self {
        let program = case.command();
        let line: Vec<String> = std::iter::once(env!("CARGO_BIN_EXE_retrace")).chain(words.iter().copied()).map(|word| format!("'{word}'")).collect();
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &format!("stty cols 80; exec {}", line.join(" ")), "/dev/null"]);
        command.current_dir(case.dir()).env_clear().env("TERM", "xterm").env("SHELL", "/bin/sh");
        for (name, value) in program.get_envs() {
            command.env(name, value.unwrap());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keys, screen, seen: String::new(), read_to: 0 }
    }

    /// Waits until this text stands on the screen, after what was waited for before, and types a line.
    pub(crate) fn answer(&mut self, asked: &str, line: &str) {
        self.wait_for(asked);
        self.press(&format!("{line}\n"));
    }

    /// Waits until this text stands on the screen, after what was waited for before.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(at) = self.seen[self.read_to..].find(text) {
                self.read_to += at + text.len();
                return;
            }
            assert!(self.read(), "`{text}` never came:\n{}", self.seen);
        }
    }

    /// Presses keys: a line end is Enter, `\x03` Ctrl-C.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).unwrap();
    }

    /// Waits for the end: the exit code and all that stood on the screen.
    pub(crate) fn end(mut self) -> (i32, String) {
        while self.read() {}
        (self.child.wait().unwrap().code().unwrap(), self.seen)
    }

    /// Reads what has come; false at the end.
    fn read(&mut self) -> bool {
        let mut bytes = [0; 4096];
        let n = self.screen.read(&mut bytes).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..n]));
        n > 0
    }
}
