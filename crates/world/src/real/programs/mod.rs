//! Starting programs: no shell, a closed environment, a process group of their own.

#[cfg(unix)]
mod family;
mod recent;
mod spool;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;
#[cfg(all(test, unix))]
mod tests;

use crate::act::{Ended, Secrets, Start};
use crate::alive::Alive;
use crate::error::WorldError;
use crate::look::Output;
use model::program::{End, Program};
use model::value::Text;
use recent::Latest;
pub use recent::Recent;
use spool::Spools;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long a program that only looks may take.
const LOOK_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of each stream of such a program is kept.
const LOOK_LIMIT: usize = 1 << 20;
/// How often the flag of a cancelling person is looked at.
const SLICE: Duration = Duration::from_millis(50);
/// How long a program has between being asked to end and being killed.
#[cfg_attr(windows, expect(dead_code, reason = "there a program cannot be asked to end"))]
const GRACE: Duration = Duration::from_secs(5);
/// How long a killed program has to be gone.
const GONE: Duration = Duration::from_secs(5);

/// Starts programs.
pub(crate) struct Programs {
    spools: Spools,
    /// The program that was started last, for whoever wants to see what it writes.
    latest: Latest,
    /// While a program of a run is started, a handle that is inherited exists; a daemon that is to outlive the run must not
    /// be started then. Programs read, daemons write.
    starting: RwLock<()>,
    /// Ends those that only look.
    cancelled: Arc<AtomicBool>,
}

impl Programs {
    /// Output goes to nameless files in `spool`, an existing directory.
    pub(crate) fn new(spool: &Path) -> Self {
        Self { spools: Spools::new(spool), latest: Latest::default(), starting: RwLock::new(()), cancelled: Arc::default() }
    }

    /// Once this is set, what only looks ends.
    pub(crate) fn with_cancel(self, cancelled: Arc<AtomicBool>) -> Self {
        Self { cancelled, ..self }
    }

    /// Starts a program and waits for its end; see [`crate::act::Act::run`].
    pub(crate) fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError> {
        let mut command = command(start.program, &start.secrets)?;
        let spooled = |e: io::Error| WorldError::io("spool into", self.spools.dir().display().to_string(), e);
        let (stdout, out) = self.spools.start().map_err(spooled)?;
        let (stderr, err) = self.spools.start().map_err(spooled)?;
        command.stdout(out).stderr(err);
        let end = if start.cancelled.load(Ordering::Relaxed) {
            End::Cancelled
        } else {
            let mut child = self.start(&mut command, start.program, start.alive)?;
            drop(command);
            let place = self.latest.begins(start, [&stdout, &stderr]);
            let deadline = start.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            let end = finish(&mut child, start.program, deadline, start.cancelled, &[&stdout, &stderr], &mut []);
            self.latest.ended(place, [&stdout, &stderr]);
            end?
        };
        Ok(Ended { end, stdout: self.spools.end(stdout).map_err(spooled)?, stderr: self.spools.end(stderr).map_err(spooled)? })
    }

    /// What the program that was started last has written so far; none before the first.
    pub(crate) fn recent(&self) -> Option<Recent> {
        self.latest.read()
    }

    /// The output of a program that only looks. It writes no file, for a plan writes none either.
    pub(crate) fn output(&self, program: &Program) -> Result<Output, WorldError> {
        let mut command = command(program, &Secrets::default())?;
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.start(&mut command, program, None)?;
        drop(command);
        let mut taps = Vec::new();
        taps.extend(child.stdout.take().map(system::Tap::new).transpose().map_err(|e| failed("read from", program, e))?);
        taps.extend(child.stderr.take().map(system::Tap::new).transpose().map_err(|e| failed("read from", program, e))?);
        let deadline = Instant::now().checked_add(LOOK_TIMEOUT);
        let end = finish(&mut child, program, deadline, &self.cancelled, &[], &mut taps)?;
        let mut kept = taps.into_iter().map(|tap| tap.kept);
        Ok(Output { end, stdout: kept.next().unwrap_or_default(), stderr: kept.next().unwrap_or_default() })
    }

    /// Starts what outlives us, and must inherit nothing of ours.
    #[cfg(unix)]
    pub(crate) fn start_daemon(&self, command: &mut Command) -> io::Result<Child> {
        let _nothing_inheritable = self.starting.write().unwrap_or_else(PoisonError::into_inner);
        command.spawn()
    }

    fn start(&self, command: &mut Command, program: &Program, alive: Option<&Alive>) -> Result<Child, WorldError> {
        let _no_daemon = self.starting.read().unwrap_or_else(PoisonError::into_inner);
        let _inherited = alive.map(system::inheritable).transpose().map_err(|e| failed("start", program, e))?;
        spawn(command).map_err(|e| why_not(command, program, e))
    }
}

/// The absolute path of a program given by name, or an absolute path if it can be started.
pub(crate) fn find(name: &str) -> Result<String, WorldError> {
    let missing = || WorldError::io("find the program", name, ErrorKind::NotFound.into());
    let path = Path::new(name);
    if path.is_absolute() {
        return match (path.is_file(), system::is_program(path)) {
            (_, true) => Ok(name.to_owned()),
            (true, false) => Err(WorldError::io("start", name, ErrorKind::PermissionDenied.into())),
            (false, false) => Err(missing()),
        };
    }
    if name.is_empty() || name.contains(std::path::is_separator) {
        return Err(refused(name, "a program is given by an absolute path or by its name alone"));
    }
    let candidates = system::DIRECTORIES.iter().map(|dir| Path::new(dir).join(name));
    candidates.filter(|path| system::is_program(path)).find_map(|path| path.to_str().map(str::to_owned)).ok_or_else(missing)
}

/// The short fixed environment of everything that is started.
pub(crate) fn environment() -> Vec<(&'static str, OsString)> {
    system::environment()
}

/// Everything about a program but where its output goes.
fn command(program: &Program, secrets: &Secrets) -> Result<Command, WorldError> {
    let (name, arguments) = program.argv.split_first().ok_or_else(|| refused("argv", "it is empty"))?;
    let path = if Path::new(name).is_absolute() { name.clone() } else { find(name)? };
    let mut command = Command::new(path);
    command.args(arguments).env_clear().envs(environment());
    for (key, text) in &program.env {
        command.env(key, value(key, text, secrets)?);
    }
    command.current_dir(program.cwd.as_deref().unwrap_or(system::ROOT));
    command.stdin(match (&program.stdin, &secrets.stdin) {
        (None, _) => Stdio::null(),
        (Some(_), Some(secret)) => system::stdin(secret).map_err(|e| failed("write to", program, e))?,
        (Some(Text::Plain(text)), None) => system::stdin(text.as_bytes()).map_err(|e| failed("write to", program, e))?,
        (Some(Text::Secret(_)), None) => return Err(no_secret("standard input")),
    });
    system::set_apart(&mut command);
    Ok(command)
}

fn value(key: &str, text: &Text, secrets: &Secrets) -> Result<OsString, WorldError> {
    let bytes = match (secrets.env.get(key), text) {
        (Some(secret), _) => secret.as_slice(),
        (None, Text::Plain(text)) => text.as_bytes(),
        (None, Text::Secret(_)) => return Err(no_secret(key)),
    };
    system::os_string(bytes).ok_or_else(|| refused(key, "its value is no text"))
}

/// Starts it. A file that was written a moment ago may still be held by a process that is just being started elsewhere.
fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut pause = Duration::from_millis(1);
    loop {
        match command.spawn() {
            Err(e) if e.kind() == ErrorKind::ExecutableFileBusy && pause < Duration::from_millis(500) => {
                std::thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

/// Waits for the end, or stops it in time.
fn finish(
    child: &mut Child,
    program: &Program,
    deadline: Option<Instant>,
    cancelled: &AtomicBool,
    marks: &[&std::fs::File],
    taps: &mut [system::Tap],
) -> Result<End, WorldError> {
    let waited = |e| failed("wait for", program, e);
    if let Some(why) = system::watch(child, deadline, cancelled, taps).map_err(waited)? {
        if !system::stop(child, marks, taps) {
            return Err(WorldError::Unsettled { name: program.argv.join(" "), found: "still running after it was killed".to_owned() });
        }
        child.wait().map_err(waited)?;
        return Ok(why);
    }
    Ok(system::end_of(child.wait().map_err(waited)?))
}

/// The system says the same for a missing program, a missing directory and a missing interpreter.
fn why_not(command: &Command, program: &Program, e: io::Error) -> WorldError {
    if let Some(cwd) = command.get_current_dir()
        && !cwd.is_dir()
    {
        let name = cwd.display().to_string();
        return if cwd.exists() { refused(&name, "it is not a directory") } else { WorldError::io("enter the directory", name, e) };
    }
    let path = Path::new(command.get_program());
    match e.kind() {
        ErrorKind::NotFound if path.is_file() => refused(&path.display().to_string(), "the interpreter that its first line names does not exist"),
        _ => failed("start", program, e),
    }
}

fn failed(op: &'static str, program: &Program, e: io::Error) -> WorldError {
    WorldError::io(op, program.argv.first().map_or("", String::as_str), e)
}

fn refused(name: &str, reason: &str) -> WorldError {
    WorldError::Refused { name: name.to_owned(), reason: reason.to_owned() }
}

fn no_secret(what: &str) -> WorldError {
    WorldError::Unavailable { what: format!("the secret for `{what}`") }
}
