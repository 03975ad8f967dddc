//! Programs on Unix.

use super::family::Family;
use super::{GONE, GRACE, LOOK_LIMIT, SLICE};
use crate::alive::Alive;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, MemfdFlags, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, waitid};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::program::End;

/// Where programs given by name are looked for.
pub(super) const DIRECTORIES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// Where a program starts that says nothing.
pub(super) const ROOT: &str = "/";
/// The same where the end of a process cannot be waited for together with other things.
const SHORT_SLICE: Duration = Duration::from_millis(5);

/// The environment of every program. Only the characters are those of UTF-8: all else is as in the locale `C`, and a program that
/// asks for its locale loads one file instead of a dozen.
pub(super) fn environment() -> Vec<(&'static str, OsString)> {
    vec![("PATH", DIRECTORIES.join(":").into()), ("LC_CTYPE", "C.UTF-8".into())]
}

/// Bytes as a value of an environment.
pub(super) fn os_string(bytes: &[u8]) -> Option<OsString> {
    Some(OsString::from_vec(bytes.to_vec()))
}

/// Whether a file may be started.
pub(super) fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Puts what is started into a group of its own. Nothing here may need code between fork and exec: std would leave its
/// fast way of starting.
pub(super) fn set_apart(command: &mut Command) {
    command.process_group(0);
}

/// A file without a name.
pub(super) fn nameless(dir: &Path) -> io::Result<File> {
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::open(dir, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode) {
        Ok(file) => Ok(file.into()),
        // Not every file system can.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR) => {
            let mut random = [0_u8; 8];
            getrandom::fill(&mut random).map_err(io::Error::other)?;
            let path = dir.join(format!(".spool-{:016x}", u64::from_le_bytes(random)));
            let file = rustix::fs::open(&path, OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC, mode)?;
            std::fs::remove_file(&path)?;
            Ok(file.into())
        }
        Err(e) => Err(e.into()),
    }
}

/// A second opening of the same file for a program, marked by a lock that lasts as long as anybody holds it.
pub(super) fn open_again(file: &File) -> io::Result<File> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::fs::flock(&again, FlockOperation::LockShared)?;
    Ok(again.into())
}

/// Whether all who had such a second opening are gone.
pub(super) fn nobody_writes(file: &File) -> bool {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_ok() && rustix::fs::flock(file, FlockOperation::Unlock).is_ok()
}

/// Reads at a place.
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.read_at(buffer, at)
}

/// Standard input with these bytes: memory, not a pipe, so that nobody has to write while the program reads, or does not.
pub(super) fn stdin(bytes: &[u8]) -> io::Result<Stdio> {
    let mut file = File::from(rustix::fs::memfd_create("stdin", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// A handle on the lock that whatever is started while it exists inherits.
pub(super) fn inheritable(alive: &Alive) -> io::Result<OwnedFd> {
    Ok(rustix::io::dup(alive.file().as_fd())?)
}

/// How a program ended by itself.
pub(super) fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

/// A pipe that is read while a program runs: the first [`LOOK_LIMIT`] bytes are kept.
pub(super) struct Tap {
    pipe: Option<File>,
    pub(super) kept: Vec<u8>,
}

impl Tap {
    pub(super) fn new(pipe: impl Into<OwnedFd>) -> io::Result<Self> {
        let pipe = pipe.into();
        rustix::fs::fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
        Ok(Self { pipe: Some(pipe.into()), kept: Vec::new() })
    }

    /// Takes what is there; what is too much is read and dropped, so that the program goes on.
    fn drain(&mut self) {
        let mut buffer = [0_u8; 16 << 10];
        // Bounded: a program that writes faster than we read must not keep us from looking at the clock.
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => {
                    let room = LOOK_LIMIT - self.kept.len();
                    self.kept.extend_from_slice(&buffer[..count.min(room)]);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

/// Waits until a program has ended or is to be stopped, reading its pipes; then `None` or why it was stopped.
pub(super) fn watch(child: &mut Child, deadline: Option<Instant>, cancelled: &AtomicBool, taps: &mut [Tap]) -> io::Result<Option<End>> {
    let pid = pid(child)?;
    let handle = pidfd_open(pid, PidfdFlags::empty()).ok();
    loop {
        let slice = if handle.is_some() { SLICE } else { SHORT_SLICE };
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let mut fds: Vec<PollFd<'_>> = Vec::with_capacity(3);
        fds.extend(handle.as_ref().map(|handle| PollFd::new(handle, PollFlags::IN)));
        fds.extend(taps.iter().filter_map(|tap| tap.pipe.as_ref()).map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match poll(&mut fds, Some(&timespec(left.map_or(slice, |left| left.min(slice))))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        // In this order: what a program wrote before its end is in its pipes when the end is seen.
        let ended = match &handle {
            Some(_) => fds[0].revents().contains(PollFlags::IN),
            None => has_ended(pid)?,
        };
        taps.iter_mut().for_each(Tap::drain);
        if ended {
            return Ok(None);
        }
        if cancelled.load(Ordering::Relaxed) {
            return Ok(Some(End::Cancelled));
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Some(End::TimedOut));
        }
    }
}

/// Ends a program and all it has started: asks, waits, kills. `false`: some of it is still there.
pub(super) fn stop(child: &mut Child, marks: &[&File], taps: &mut [Tap]) -> bool {
    let mut family = Family::new(child.id(), marks);
    let mut members = family.members();
    family.signal(&members, Signal::TERM);
    let mut pause = Duration::from_millis(2);
    let killing = Instant::now() + GRACE;
    let giving_up = killing + GONE;
    loop {
        members = family.members();
        if members.is_empty() {
            return true;
        }
        let now = Instant::now();
        if now >= giving_up {
            return false;
        }
        if now >= killing {
            family.signal(&members, Signal::KILL);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(SLICE);
        // One that writes while it ends must not wait for us.
        taps.iter_mut().for_each(Tap::drain);
    }
}

fn has_ended(pid: Pid) -> io::Result<bool> {
    Ok(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)?.is_some())
}

fn pid(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::from(ErrorKind::InvalidInput))
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX), tv_nsec: duration.subsec_nanos().into() }
}
