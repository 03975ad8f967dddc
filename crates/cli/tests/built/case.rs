//! The built program, driven as a person or a script would.

use std::path::Path;
use std::process::{Command, Stdio};

/// A directory of its own for one test, with a state directory, in which the program runs.
pub(crate) struct Case {
    dir: tempfile::TempDir,
}

/// How a command of the program ended.
pub(crate) struct Ended {
    /// Its exit code.
    pub(crate) exit: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Case {
    /// With these files: names and texts. `@DIR@` in a text is the directory.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let case = Self { dir: tempfile::tempdir().unwrap() };
        for (name, text) in files {
            case.write(name, &text.replace("@DIR@", &case.dir().display().to_string()));
        }
        case
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        let made = std::fs::create_dir_all(path.parent().unwrap_or(self.dir())).and_then(|()| std::fs::write(&path, text));
        made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The text of a file; none if it is not there.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.dir().join(name)).ok()
    }

    /// The program, in this directory, with an empty environment but for what it needs to start.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retrace"));
        command.current_dir(self.dir()).env_clear().env("RETRACE_STATE", self.dir().join("state")).env("USER", "pat").env("HOME", self.dir());
        for name in ["PATH", "SYSTEMROOT", "TEMP", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // So that it is called by its name.
        let own = Path::new(env!("CARGO_BIN_EXE_retrace")).parent().map(Path::to_owned);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env("PATH", std::env::join_paths(own.into_iter().chain(std::env::split_paths(&path))).unwrap());
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, with nothing to read and both outputs piped.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.run_in(".", words)
    }

    /// The same in a directory below.
    pub(crate) fn run_in(&self, dir: &str, words: &[&str]) -> Ended {
        let done = self.command().current_dir(self.dir().join(dir)).args(words).output().unwrap_or_else(|error| panic!("retrace {words:?}: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { exit: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
    }
}

impl Ended {
    /// Itself, if it ended so.
    #[must_use]
    pub(crate) fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }
}
