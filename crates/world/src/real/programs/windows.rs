//! Programs on Windows.
//!
//! Not built yet: job objects (only the program itself is ended), and the lock that tells a later process whether it still
//! runs (a Windows lock belongs to one process and cannot be inherited).

use super::{GONE, LOOK_LIMIT, SLICE};
use crate::alive::Alive;
use model::program::End;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::os::windows::io::OwnedHandle;
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;
use windows_sys::Win32::Storage::FileSystem::{FILE_ATTRIBUTE_TEMPORARY, FILE_FLAG_DELETE_ON_CLOSE};
use windows_sys::Win32::System::Threading::{CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW};

/// Where programs given by name are looked for.
pub(super) const DIRECTORIES: [&str; 3] = [r"C:\Windows\System32", r"C:\Windows", r"C:\Windows\System32\WindowsPowerShell\v1.0"];
/// Where a program starts that says nothing.
pub(super) const ROOT: &str = r"C:\";

/// The environment of every program.
pub(super) fn environment() -> Vec<(&'static str, OsString)> {
    vec![("PATH", DIRECTORIES.join(";").into()), ("SystemRoot", r"C:\Windows".into()), ("SystemDrive", "C:".into())]
}

/// Bytes as a value of an environment.
pub(super) fn os_string(bytes: &[u8]) -> Option<OsString> {
    std::str::from_utf8(bytes).ok().map(OsString::from)
}

/// Whether a file may be started. A batch file is for a shell: its arguments cannot be quoted safely.
pub(super) fn is_program(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("exe") || e.eq_ignore_ascii_case("com"))
}

/// Puts what is started into a group of its own.
pub(super) fn set_apart(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

/// A file that is gone when it is closed.
pub(super) fn nameless(dir: &Path) -> io::Result<File> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = dir.join(format!("spool-{:016x}", u64::from_le_bytes(random)));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).custom_flags(FILE_FLAG_DELETE_ON_CLOSE).attributes(FILE_ATTRIBUTE_TEMPORARY);
    options.open(path)
}

/// The same file for a program.
pub(super) fn open_again(file: &File) -> io::Result<File> {
    file.try_clone()
}

/// Whether all who had it are gone: cannot be told, so that none is used again.
pub(super) fn nobody_writes(_: &File) -> bool {
    false
}

/// Reads at a place.
pub(super) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    file.seek_read(buffer, at)
}

/// Standard input with these bytes.
pub(super) fn stdin(bytes: &[u8]) -> io::Result<Stdio> {
    let (reader, mut writer) = io::pipe()?;
    let bytes = zeroize::Zeroizing::new(bytes.to_vec());
    // A program that does not read ends its pipe, and with it this thread.
    std::thread::spawn(move || {
        let _ = writer.write_all(&bytes);
    });
    Ok(reader.into())
}

/// Nothing: see the head of this file.
pub(super) fn inheritable(alive: &Alive) -> io::Result<()> {
    alive.file().metadata().map(drop)
}

/// How a program ended by itself.
pub(super) fn end_of(status: ExitStatus) -> End {
    End::Code(status.code().unwrap_or_default())
}

/// A pipe that is read while a program runs: the first [`LOOK_LIMIT`] bytes are kept.
pub(super) struct Tap {
    chunks: Receiver<Vec<u8>>,
    pub(super) kept: Vec<u8>,
}

impl Tap {
    pub(super) fn new(pipe: impl Into<OwnedHandle>) -> io::Result<Self> {
        let mut pipe = File::from(pipe.into());
        let (send, chunks) = sync_channel(16);
        // Ends with the last process that holds the pipe, or when nobody listens any more.
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                if send.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { chunks, kept: Vec::new() })
    }

    fn take(&mut self, chunk: &[u8]) {
        let room = LOOK_LIMIT - self.kept.len();
        self.kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    fn drain(&mut self) {
        while let Ok(chunk) = self.chunks.try_recv() {
            self.take(&chunk);
        }
    }

    /// What was written before the end may still be on its way; a grandchild that keeps the pipe is not waited for.
    fn rest(&mut self) {
        while let Ok(chunk) = self.chunks.recv_timeout(SLICE) {
            self.take(&chunk);
            if self.kept.len() == LOOK_LIMIT {
                return;
            }
        }
    }
}

/// Waits until a program has ended or is to be stopped, reading its pipes; then `None` or why it was stopped.
pub(super) fn watch(child: &mut Child, deadline: Option<Instant>, cancelled: &AtomicBool, taps: &mut [Tap]) -> io::Result<Option<End>> {
    let mut pause = SLICE / 64;
    loop {
        taps.iter_mut().for_each(Tap::drain);
        if child.try_wait()?.is_some() {
            taps.iter_mut().for_each(Tap::rest);
            return Ok(None);
        }
        if cancelled.load(Ordering::Relaxed) {
            return Ok(Some(End::Cancelled));
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Ok(Some(End::TimedOut));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(SLICE);
    }
}

/// Ends a program. `false`: it is still there.
pub(super) fn stop(child: &mut Child, _: &[&File], taps: &mut [Tap]) -> bool {
    let giving_up = Instant::now() + GONE;
    let _ = child.kill();
    while Instant::now() < giving_up {
        taps.iter_mut().for_each(Tap::drain);
        match child.try_wait() {
            Ok(None) => std::thread::sleep(SLICE / 8),
            ended => return ended.is_ok(),
        }
    }
    false
}
