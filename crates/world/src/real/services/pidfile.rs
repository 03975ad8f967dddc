//! Daemons that are known by a pid file.

use super::{Manager, PAUSE, refused, unsettled};
use crate::act::{Secrets, Start};
use crate::error::WorldError;
use crate::real::endpoints;
use crate::real::procfs::{self, Stat};
use crate::real::programs::{self, Programs};
use model::client::DaemonDef;
use model::program::{End, Parse, Program};
use model::span::Span;
use model::state::{RunState, ServiceState, StartType};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The daemons that a client file describes.
pub(super) struct Pidfile {
    daemons: BTreeMap<String, DaemonDef>,
    /// Those that were started here: when they end, somebody has to ask for it.
    children: Mutex<Vec<Child>>,
}

/// How long a daemon may take to serve, and to end, unless it says otherwise.
const WITHIN: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(60);

/// What is kept beside the pid file: how the daemon starts, and which process the pid file means, for a number is given
/// to another process in time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Mark {
    start: Option<StartType>,
    process: Option<Identity>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Identity {
    pid: u32,
    started: u64,
    boot: String,
}

impl Manager for Pidfile {
    fn names(&self, _: &Programs) -> Result<Vec<String>, WorldError> {
        Ok(self.daemons.keys().cloned().collect())
    }

    fn state(&self, name: &str, _: &Programs) -> Result<Option<ServiceState>, WorldError> {
        let Some(daemon) = self.daemons.get(name) else { return Ok(None) };
        let run = if self.running(name, daemon)?.is_some() { RunState::Running } else { RunState::Stopped };
        let start = Mark::read(daemon)?.start.unwrap_or(StartType::Automatic);
        Ok(Some(ServiceState { run, start, account: None }))
    }

    fn start(&self, name: &str, programs: &Programs) -> Result<(), WorldError> {
        let daemon = self.daemon(name)?;
        if answers(daemon) {
            return Err(unsettled(name, "its port is served by a process that its pid file does not name"));
        }
        remove(&daemon.pid_file)?;
        let log = beside(daemon, "log");
        let launched = launch(daemon, &log, programs)?;
        // At once, so that it is known even if we are gone before it has a pid file.
        Mark::of(procfs::stat(launched.id()), daemon)?.write(daemon)?;
        if daemon.write_pid {
            write_pid(daemon, launched.id())?;
        }
        let mut child = Some(launched);
        let deadline = Instant::now() + daemon.within.map_or(WITHIN, Span::duration);
        let mut pause = Duration::from_millis(2);
        loop {
            let answers = daemon.probe.is_none() || answers(daemon);
            if let Some(launched) = &mut child {
                match launched.try_wait() {
                    // It has gone to the background, and says where.
                    Ok(Some(status)) if status.success() => child = None,
                    Ok(Some(status)) => {
                        Mark::of(None, daemon)?.write(daemon)?;
                        return Err(unsettled(name, format!("it ended at once ({status}), see `{}`", log.display())));
                    }
                    _ => {}
                }
            }
            // Whatever it became in the background: it is what was started here.
            let running = self.named(daemon)?.map(|(stat, _)| stat);
            if running.is_some() && answers && Path::new(&daemon.pid_file).exists() {
                self.children.lock().unwrap_or_else(PoisonError::into_inner).extend(child);
                return Mark::of(running, daemon)?.write(daemon);
            }
            if Instant::now() >= deadline {
                self.children.lock().unwrap_or_else(PoisonError::into_inner).extend(child);
                let found = match running {
                    Some(_) if !answers => "it runs and does not answer",
                    Some(_) => "it runs and has written no pid file",
                    None => "it has gone and left no pid file",
                };
                return Err(unsettled(name, format!("{found}, see `{}`", log.display())));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE);
        }
    }

    fn settle(&self, name: &str) -> Result<(), WorldError> {
        let daemon = self.daemon(name)?;
        let deadline = Instant::now() + daemon.within.map_or(WITHIN, Span::duration);
        while daemon.probe.is_some() && !answers(daemon) {
            if Instant::now() >= deadline {
                return Err(unsettled(name, format!("it runs and does not answer, see `{}`", beside(daemon, "log").display())));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn stop(&self, name: &str, programs: &Programs) -> Result<(), WorldError> {
        let daemon = self.daemon(name)?;
        let Some(stat) = self.running(name, daemon)? else { return Ok(()) };
        match &daemon.stop {
            Some(argv) => self.run_stop(name, argv, daemon, programs)?,
            None => ask_to_end(&stat).map_err(|e| WorldError::io("signal the service", name, e))?,
        }
        let deadline = Instant::now() + grace(daemon);
        let mut pause = Duration::from_millis(2);
        while self.lives(&stat)? {
            if Instant::now() >= deadline {
                return Err(unsettled(name, format!("process {} was asked to end and still runs", stat.pid)));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE);
        }
        remove(&daemon.pid_file)?;
        Mark::of(None, daemon)?.write(daemon)
    }

    fn set_start_type(&self, name: &str, start: StartType, _: &Programs) -> Result<(), WorldError> {
        let daemon = self.daemon(name)?;
        let start = (start != StartType::Automatic).then_some(start);
        Mark { start, ..Mark::read(daemon)? }.write(daemon)
    }

    fn reload(&self, name: &str) -> Result<Program, WorldError> {
        let daemon = self.daemon(name)?;
        match daemon.reload.as_deref() {
            Some([first, arguments @ ..]) => {
                let argv = std::iter::once(programs::find(first)?).chain(arguments.iter().cloned()).collect();
                Ok(program(argv, daemon))
            }
            _ => Err(refused(name, "the client file does not say how it is reloaded")),
        }
    }
}

/// A program that acts on a daemon.
fn program(argv: Vec<String>, daemon: &DaemonDef) -> Program {
    Program { argv, cwd: daemon.cwd.clone(), env: BTreeMap::new(), stdin: None, expect_exit: vec![0], expect_stdout: None, parse: Parse::Text }
}

impl Pidfile {
    pub(super) fn new(daemons: BTreeMap<String, DaemonDef>) -> Self {
        Self { daemons, children: Mutex::default() }
    }

    fn daemon(&self, name: &str) -> Result<&DaemonDef, WorldError> {
        self.daemons.get(name).ok_or_else(|| refused(name, "there is no such service"))
    }

    /// The process that the pid file names, if it is there and is the daemon.
    fn running(&self, name: &str, daemon: &DaemonDef) -> Result<Option<Stat>, WorldError> {
        let Some((stat, meant)) = self.named(daemon)? else { return Ok(None) };
        // Somebody else started it, or the number is another's by now: then nobody must signal it.
        let program = daemon.program.as_deref().or(daemon.start.first().map(String::as_str)).unwrap_or_default();
        let program = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
        if meant || procfs::is_of(stat.pid, &program) {
            return Ok(Some(stat));
        }
        let reason = format!("its pid file `{}` names process {}, which is no `{program}`: remove it if it is stale", daemon.pid_file, stat.pid);
        Err(refused(name, &reason))
    }

    /// The process that the pid file names, or the one that was started if there is no pid file yet, and whether it was started
    /// here; none if it is gone or its number is another's.
    fn named(&self, daemon: &DaemonDef) -> Result<Option<(Stat, bool)>, WorldError> {
        self.reap();
        let meant = Mark::read(daemon)?.process;
        let pid = match read(Path::new(&daemon.pid_file))? {
            Some(text) => text.trim().parse().ok(),
            None => meant.as_ref().map(|process| process.pid),
        };
        let Some(stat) = pid.and_then(procfs::stat).filter(|stat| !stat.zombie) else { return Ok(None) };
        if let Some(process) = meant.filter(|process| process.pid == stat.pid) {
            return Ok((process == Identity::of(&stat)).then_some((stat, true)));
        }
        Ok(Some((stat, false)))
    }

    /// Whether the process, or one of the group that it leads, still runs.
    fn lives(&self, of: &Stat) -> Result<bool, WorldError> {
        self.reap();
        let pids = procfs::pids().map_err(|e| WorldError::io("list", "/proc", e))?;
        let same = |stat: &Stat| (stat.pid == of.pid && stat.started == of.started) || (of.group == of.pid && stat.group == of.group);
        Ok(pids.filter_map(procfs::stat).any(|stat| !stat.zombie && same(&stat)))
    }

    fn run_stop(&self, name: &str, argv: &[String], daemon: &DaemonDef, programs: &Programs) -> Result<(), WorldError> {
        let program = program(argv.to_vec(), daemon);
        let start =
            Start { program: &program, secrets: Secrets::default(), timeout: Some(grace(daemon)), cancelled: &AtomicBool::new(false), alive: None };
        match programs.run(&start)?.end {
            End::Code(0) => Ok(()),
            End::Code(code) => Err(unsettled(name, format!("the program that stops it ended with exit code {code}"))),
            End::Signal(signal) => Err(unsettled(name, format!("the program that stops it was ended by signal {signal}"))),
            End::TimedOut | End::Cancelled => Err(unsettled(name, "the program that stops it did not end in time")),
        }
    }

    fn reap(&self) {
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

impl Identity {
    fn of(stat: &Stat) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { pid: stat.pid, started: stat.started, boot: boot.trim().to_owned() }
    }
}

impl Mark {
    /// What is kept, with this process.
    fn of(process: Option<Stat>, daemon: &DaemonDef) -> Result<Self, WorldError> {
        Ok(Self { process: process.as_ref().map(Identity::of), ..Self::read(daemon)? })
    }

    fn read(daemon: &DaemonDef) -> Result<Self, WorldError> {
        let path = beside(daemon, "json");
        let Some(text) = read(&path)? else { return Ok(Self::default()) };
        serde_json::from_str(&text).map_err(|e| WorldError::io("understand", path.display().to_string(), e.into()))
    }

    fn write(&self, daemon: &DaemonDef) -> Result<(), WorldError> {
        let path = beside(daemon, "json");
        if *self == Self::default() {
            return remove(&path);
        }
        let staged = beside(daemon, "json.new");
        let put = || {
            let mut file = File::create(&staged)?;
            serde_json::to_writer(&mut file, self)?;
            file.sync_all()?;
            fs::rename(&staged, &path)
        };
        put().map_err(|e| WorldError::io("write", path.display().to_string(), e))
    }
}

/// Starts it in a session of its own, so that neither our end nor that of a terminal reaches it.
fn launch(daemon: &DaemonDef, log: &Path, programs: &Programs) -> Result<Child, WorldError> {
    let (name, arguments) = daemon.start.split_first().ok_or_else(|| refused(&daemon.pid_file, "its daemon has an empty `start`"))?;
    let program = programs::find(name)?;
    let opened = |e| WorldError::io("open", log.display().to_string(), e);
    let out = OpenOptions::new().create(true).append(true).mode(0o640).open(log).map_err(opened)?;
    // `setsid` becomes the program, under the same number.
    let mut command = Command::new(programs::find("setsid")?);
    command.arg(program).args(arguments).env_clear().envs(programs::environment());
    command.current_dir(daemon.cwd.as_deref().unwrap_or("/"));
    command.stdin(Stdio::null()).stdout(out.try_clone().map_err(opened)?).stderr(out);
    programs.start_daemon(&mut command).map_err(|e| WorldError::io("start", name, e))
}

fn ask_to_end(stat: &Stat) -> io::Result<()> {
    let pid = i32::try_from(stat.pid).ok().and_then(Pid::from_raw).ok_or(ErrorKind::InvalidInput)?;
    let asked = if stat.group == stat.pid { kill_process_group(pid, Signal::TERM) } else { kill_process(pid, Signal::TERM) };
    match asked {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

fn answers(daemon: &DaemonDef) -> bool {
    let at = Instant::now() + Duration::from_secs(1);
    daemon.probe.as_ref().is_some_and(|probe| endpoints::open(probe.host.as_deref().unwrap_or("127.0.0.1"), probe.port, at).is_ok())
}

fn write_pid(daemon: &DaemonDef, pid: u32) -> Result<(), WorldError> {
    let written = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&daemon.pid_file);
    written.and_then(|mut file| file.write_all(format!("{pid}\n").as_bytes())).map_err(|e| WorldError::io("write", &daemon.pid_file, e))
}

fn grace(daemon: &DaemonDef) -> Duration {
    daemon.grace.map_or(GRACE, Span::duration)
}

fn beside(daemon: &DaemonDef, extension: &str) -> PathBuf {
    Path::new(&daemon.pid_file).with_extension(extension)
}

fn read(path: &Path) -> Result<Option<String>, WorldError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(WorldError::io("read", path.display().to_string(), e)),
    }
}

fn remove(path: impl AsRef<Path>) -> Result<(), WorldError> {
    match fs::remove_file(path.as_ref()) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(WorldError::io("remove", path.as_ref().display().to_string(), e)),
        _ => Ok(()),
    }
}
