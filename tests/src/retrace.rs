//! The built program, driven as a person or a script would.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A directory of its own for one test, with a state directory, in which the program runs.
pub struct Case {
    dir: tempfile::TempDir,
}

/// How a command of the program ended.
pub struct Ended {
    /// Its exit code.
    pub exit: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program, built if it is not yet: a test of this crate does not by itself build another's program.
///
/// # Panics
/// It cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        build.args(["build", "--quiet", "--package", "cli", "--bin", "retrace", "--manifest-path"]);
        build.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.stdin(Stdio::null()).status().is_ok_and(|status| status.success()), "the program is not built");
        // A test runs from `target/PROFILE/deps`.
        let test = std::env::current_exe().unwrap_or_default();
        let profile = test.parent().and_then(Path::parent).unwrap_or(Path::new("target/debug"));
        profile.join(format!("retrace{}", std::env::consts::EXE_SUFFIX))
    })
}

impl Case {
    /// With these files: names and texts. `@DIR@` in a text is the directory.
    ///
    /// # Panics
    /// They cannot be written.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let case = Self { dir: tempfile::tempdir().unwrap_or_else(|error| panic!("no directory for a test: {error}")) };
        for (name, text) in files {
            case.write(name, &text.replace("@DIR@", &case.dir().display().to_string()));
        }
        case
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.dir().join(name);
        let made = std::fs::create_dir_all(path.parent().unwrap_or(self.dir())).and_then(|()| std::fs::write(&path, text));
        made.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// The text of a file; none if it is not there.
    pub fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.dir().join(name)).ok()
    }

    /// The program, in this directory, with an empty environment but for what it needs to start.
    pub fn command(&self) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.dir()).env_clear().env("RETRACE_STATE", self.dir().join("state")).env("USER", "pat").env("HOME", self.dir());
        for name in ["PATH", "SYSTEMROOT", "TEMP", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs the program to its end, with nothing to read and both outputs piped.
    ///
    /// # Panics
    /// It cannot be started, or was ended by a signal.
    pub fn run(&self, words: &[&str]) -> Ended {
        let done = self.command().args(words).output().unwrap_or_else(|error| panic!("retrace {words:?}: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { exit: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
    }
}

impl Ended {
    /// Itself, if it ended so.
    ///
    /// # Panics
    /// It ended otherwise.
    #[must_use]
    pub fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }
}
