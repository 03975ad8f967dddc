//! What the machine, the environment and the command line give to every command.

use crate::args::Everywhere;
use crate::called::called;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::paper::{Ink, Paper};
use crate::prompt::console::{Console, Terminal};
use engine::context::{Clock, Stop};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::id::RunId;
use model::printable::Printable;
use serde::Serialize;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use world::disk_store::{DiskStore, machine_locks};
use world::store::Store;

/// What the machine, the environment and the command line give to every command.
pub(crate) struct Here {
    /// The options of every command.
    pub(crate) everywhere: Everywhere,
    /// What standard output can show.
    pub(crate) out: Paper,
    /// What standard error can show.
    pub(crate) err: Paper,
    /// Who is at work.
    pub(crate) operator: String,
    /// The machine.
    pub(crate) host: String,
    /// A person's wish to stop.
    pub(crate) stop: Arc<Stop>,
    /// Time.
    pub(crate) clock: Wall,
    /// Something has begun that cannot simply be left.
    begun: Arc<AtomicBool>,
    /// Data that could not be written to standard output.
    lost: AtomicBool,
    terminal: Arc<Terminal>,
}

/// Name and version of the program, as journals say it.
pub(crate) const TOOL: &str = concat!("retrace ", env!("CARGO_PKG_VERSION"));

impl Here {
    /// Reads the environment.
    pub(crate) fn new(everywhere: Everywhere) -> Self {
        Self {
            out: Paper::stdout(everywhere.color),
            err: Paper::stderr(everywhere.color),
            operator: named(&["LOGNAME", "USER", "USERNAME"]).or_else(crate::account::name).unwrap_or_else(|| "unknown".to_owned()),
            host: host(),
            stop: Arc::new(Stop::default()),
            begun: Arc::default(),
            lost: AtomicBool::default(),
            clock: Wall { begin: Instant::now() },
            terminal: Arc::new(Terminal::new()),
            everywhere,
        }
    }

    /// A person, if one is there and may be asked.
    pub(crate) fn console(&self) -> Option<&dyn Console> {
        self.terminal().map(|terminal| terminal as &dyn Console)
    }

    /// The terminal, if a person is there.
    pub(crate) fn terminal(&self) -> Option<&Terminal> {
        let there = !self.everywhere.no_input && io::stdin().is_terminal() && io::stderr().is_terminal();
        there.then_some(&*self.terminal)
    }

    /// From now on Ctrl-C is a wish to leave: nothing has begun.
    pub(crate) fn listen(&self) {
        crate::stop::listen(&self.stop, &self.begun, &self.terminal);
    }

    /// From now on Ctrl-C is a question. False: somebody wished to leave before.
    pub(crate) fn begin(&self) -> bool {
        self.begun.store(true, Ordering::SeqCst);
        !self.stop.wished()
    }

    /// The state directory: `--state`, else `RETRACE_STATE`, else the platform's directory for data.
    pub(crate) fn state(&self) -> Result<PathBuf, Failure> {
        let given = self.everywhere.state.clone().or_else(|| env::var_os("RETRACE_STATE").filter(|dir| !dir.is_empty()).map(PathBuf::from));
        let Some(dir) = given.or_else(data_directory) else {
            return Err(Failure::usage("there is no place for runs").help("give one with `--state DIR`"));
        };
        std::path::absolute(&dir).map_err(|error| Failure::from_error(Exit::Failed, "state", &error))
    }

    /// The state directory, opened. Nothing is made before a run begins.
    pub(crate) fn store(&self) -> Result<DiskStore, Failure> {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        DiskStore::new(&self.state()?, &machine_locks(runtime.as_deref())).map_err(|wrong| Failure::from_error(Exit::Refused, "state", &wrong))
    }

    /// A run by its name, which must be there.
    pub(crate) fn run(&self, store: &dyn Store, name: &str) -> Result<RunId, Failure> {
        let runs = store.runs().map_err(|wrong| Failure::from_error(Exit::Failed, "state", &wrong))?;
        if let Some(run) = runs.iter().find(|run| run.as_str() == name) {
            return Ok(run.clone());
        }
        let failure = Failure::new(Exit::Refused, "unknown-run", format!("there is no run `{name}`"));
        let near = runs.iter().map(RunId::as_str);
        let begins = runs.iter().map(RunId::as_str).find(|run| !name.is_empty() && run.starts_with(name));
        Err(match model::diagnostic::nearest(name, near).or(begins) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`retrace runs` lists them"),
        })
    }

    /// The age identities that are given.
    pub(crate) fn identities(&self) -> Result<Vec<String>, Failure> {
        self.everywhere.identity.as_deref().map_or(Ok(Vec::new()), Self::identities_in)
    }

    /// The age identities in a file.
    pub(crate) fn identities_in(path: &Path) -> Result<Vec<String>, Failure> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::from_error(Exit::Invalid, "identity", &error).place(path.display().to_string()))?;
        let found: Vec<String> = text.lines().map(str::trim).filter(|line| line.starts_with("AGE-SECRET-KEY-1")).map(str::to_owned).collect();
        if found.is_empty() {
            return Err(Failure::new(Exit::Invalid, "identity", "it holds no age identity").place(path.display().to_string()));
        }
        Ok(found)
    }

    /// Data: to standard output. A reader that has gone wants no more.
    pub(crate) fn print(&self, text: &str) {
        let mut stream = io::stdout().lock();
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(wrong) if wrong.kind() != io::ErrorKind::BrokenPipe => self.lost.store(true, Ordering::Relaxed),
            _ => {}
        }
    }

    /// Whether data could not be written to standard output, though somebody reads it.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Data that may lack its last line end.
    pub(crate) fn print_lines(&self, text: &str) {
        self.print(&format!("{}\n", text.trim_end_matches('\n')));
    }

    /// One JSON document to standard output.
    pub(crate) fn print_json(&self, document: &impl Serialize) -> Result<(), Failure> {
        let text = model::json::pretty(document).map_err(|wrong| Failure::from_error(Exit::Bug, "json", &wrong))?;
        self.print(&text);
        Ok(())
    }

    /// Something to know, to standard error.
    pub(crate) fn tell(&self, text: &str) {
        if !self.everywhere.quiet && !self.everywhere.json {
            self.tell_anyway(text);
        }
    }

    /// An error or what belongs to a question, to standard error.
    pub(crate) fn tell_anyway(&self, text: &str) {
        let mut stream = io::stderr().lock();
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }

    /// A warning, to standard error.
    pub(crate) fn warn(&self, text: &str) {
        self.tell(&format!("{} {}\n", self.err.paint(Ink::Open, "warning:"), Printable(text)));
    }

    /// The next command, ready to be pasted.
    pub(crate) fn next(&self, command: &str) {
        let state = match &self.everywhere.state {
            Some(state) => format!(" --state {}", quoted(&state.to_string_lossy())),
            None => String::new(),
        };
        self.tell(&format!("Next: {} {command}{state}\n", called()));
    }

    /// A moment with its day, in the zone of the client or of the machine.
    pub(crate) fn zone(&self, client: Option<&str>) -> TimeZone {
        client.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(TimeZone::system)
    }
}

/// A word as both PowerShell and sh take it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=\\@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) && !word.contains('\\') { word.to_owned() } else { format!("'{word}'") }
}

/// The clocks of the machine.
pub(crate) struct Wall {
    begin: Instant,
}

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn wait(&self, long: Duration, stop: &Stop) {
        stop.sleep(long);
    }
}

fn named(variables: &[&str]) -> Option<String> {
    variables.iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

fn host() -> String {
    let kernel = || std::fs::read_to_string(Path::new("/proc/sys/kernel/hostname")).ok().map(|name| name.trim().to_owned());
    named(&["COMPUTERNAME"])
        .or_else(kernel)
        .or_else(|| named(&["HOSTNAME"]))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

fn data_directory() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join("retrace"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("harbor.plan"), "harbor.plan");
        assert_eq!(quoted("my plan"), "'my plan'");
        assert_eq!(quoted(r"file:\\RDS01\c$\Keys"), r"'file:\\RDS01\c$\Keys'");
    }
}
