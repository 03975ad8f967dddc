//! The state directory on disk.
//!
//! ```text
//! runs/RUN/{journal.ndjson, runbook.yaml, client.yaml, partner.yaml, plan.json, files/...}
//! blobs/SHA256      locks/      hmac.key      reserve
//! ```
//! Opening and reading it makes and changes nothing, even if it does not exist.

mod blob;
mod journal;
mod lock;
mod private;

pub use private::machine_locks;

use crate::alive::Alive;
use crate::error::WorldError;
use crate::real::files::flush::flush;
use crate::real::files::sys::{self, Dir, Kind};
use crate::store::{Blobs, Journal, Lock, LockName, Make, RESERVE, Store};
use crate::volume::Volume;
use journal::DiskJournal;
use model::digest::Digest;
use model::id::RunId;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A state directory.
pub struct DiskStore {
    dir: PathBuf,
    machine: PathBuf,
    /// The blobs that this process has made durable itself. Any other may be only in the system's cache.
    durable: Mutex<HashSet<Digest>>,
}

impl DiskStore {
    /// The state directory `dir`; locks on roots are taken in `machine`, which all state directories of the machine share
    /// ([`machine_locks`]). Both are absolute paths; neither need exist.
    ///
    /// # Errors
    /// [`WorldError::Refused`] if it exists and is not ours alone, is reached through a link, or lies on a network volume.
    pub fn new(dir: &Path, machine: &Path) -> Result<Self, WorldError> {
        let dir = private::resolved(dir)?;
        private::check(&dir)?;
        Ok(Self { dir, machine: private::resolved(machine)?, durable: Mutex::default() })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes the directory and what always is in it.
    fn make(&self) -> Result<(), WorldError> {
        for dir in ["runs", "blobs", "locks"] {
            private::make(&self.dir.join(dir))?;
        }
        Ok(())
    }

    fn run(&self, run: &RunId) -> PathBuf {
        self.dir.join("runs").join(run.as_str())
    }
}

impl Store for DiskStore {
    fn alive(&self, run: &RunId) -> Result<Option<Alive>, WorldError> {
        Alive::hold(&self.run(run).join("alive")).map(Some)
    }

    fn create(&self, run: &RunId) -> Result<Box<dyn Journal + '_>, WorldError> {
        self.make()?;
        let dir = self.run(run);
        let path = dir.join("journal.ndjson");
        private::make(&dir)?;
        let file = match private::create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(WorldError::Refused { name: run.to_string(), reason: "there is a run of that name".to_owned() });
            }
            file => file.map_err(|e| failed("write", &path, e))?,
        };
        flush(&name(&path), || file.sync_all())?;
        if !crate::planted::bug(7) {
            flush_dir(&dir)?;
        }
        Ok(Box::new(DiskJournal::new(file, name(&path), 0)))
    }

    fn reopen(&self, run: &RunId, whole: u64) -> Result<Box<dyn Journal + '_>, WorldError> {
        let path = self.run(run).join("journal.ndjson");
        let mut old = open_regular(&path)?;
        if crate::planted::bug(10) {
            let file = fs::OpenOptions::new().read(true).append(true).open(&path).map_err(|e| failed("open", &path, e))?;
            file.set_len(whole).and_then(|()| file.sync_all()).map_err(|e| failed("write", &path, e))?;
            return Ok(Box::new(DiskJournal::new(file, name(&path), whole)));
        }
        let mut bytes = Vec::new();
        (&mut old).take(whole).read_to_end(&mut bytes).map_err(|e| failed("read", &path, e))?;
        if bytes.len() as u64 != whole {
            return Err(failed("read", &path, io::ErrorKind::UnexpectedEof.into()));
        }
        write_new(&path, &bytes)?;
        let file = fs::OpenOptions::new().read(true).append(true).open(&path).map_err(|e| failed("open", &path, e))?;
        Ok(Box::new(DiskJournal::new(file, name(&path), whole)))
    }

    fn journal(&self, run: &RunId) -> Result<Box<dyn Read + '_>, WorldError> {
        Ok(Box::new(open_regular(&self.run(run).join("journal.ndjson"))?))
    }

    fn runs(&self) -> Result<Vec<RunId>, WorldError> {
        let runs = names(&self.dir.join("runs"))?.into_iter().filter_map(|name| RunId::parse(name.to_str()?));
        let mut runs: Vec<RunId> = runs.filter(|run| self.run(run).join("journal.ndjson").symlink_metadata().is_ok()).collect();
        runs.sort();
        Ok(runs)
    }

    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<(), WorldError> {
        self.make()?;
        let path = self.run(run).join(within_run(name)?);
        private::make(path.parent().unwrap_or(&self.dir))?;
        write_new(&path, bytes)
    }

    fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, WorldError> {
        let path = self.run(run).join(within_run(name)?);
        let mut bytes = Vec::new();
        match open_regular(&path) {
            Err(error) if is_missing(&error) => Ok(None),
            file => file?.read_to_end(&mut bytes).map(|_| Some(bytes)).map_err(|e| failed("read", &path, e)),
        }
    }

    fn lock(&self, lock: &LockName, holder: &str) -> Result<Box<dyn Lock>, WorldError> {
        let (dir, file, exclusive) = match lock {
            LockName::Client(client) => (self.dir.join("locks"), Digest::of(client.as_bytes()), true),
            LockName::Root(path) => (self.machine.clone(), Digest::of(path.as_bytes()), true),
            LockName::Above(path) => (self.machine.clone(), Digest::of(path.as_bytes()), false),
        };
        let (LockName::Client(about) | LockName::Root(about) | LockName::Above(about)) = lock;
        private::make(&dir)?;
        private::check(&dir)?;
        let how = if exclusive { lock::How::Alone } else { lock::How::Shared };
        lock::take(&dir.join(file.as_str()), about, how, holder)
    }

    fn key(&self, make: Make) -> Result<Option<[u8; 32]>, WorldError> {
        let path = self.dir.join("hmac.key");
        let mut file = match open_regular(&path) {
            Err(error) if is_missing(&error) => {
                if make == Make::Never {
                    return Ok(None);
                }
                self.make()?;
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|e| failed("make", &path, io::Error::other(e)))?;
                write_new(&path, &key)?;
                open_regular(&path)?
            }
            file => file?,
        };
        let mut key = [0; 32];
        file.read_exact(&mut key).map_err(|e| failed("read", &path, e))?;
        Ok(Some(key))
    }

    fn hold_reserve(&self) -> Result<(), WorldError> {
        let path = self.dir.join("reserve");
        if path.exists() {
            return Ok(());
        }
        self.make()?;
        // Real bytes: not sparse, not to be compressed away. No file system sees over a mebibyte that they come again.
        let mut bytes = vec![0; 1 << 20];
        getrandom::fill(&mut bytes).map_err(|e| failed("make random bytes for", &path, io::Error::other(e)))?;
        write_new(&path, &bytes.repeat((RESERVE >> 20) as usize))
    }

    fn make_room(&self) -> Result<(), WorldError> {
        let short = crate::real::room::room(&name(&self.dir)).is_ok_and(|room| room < RESERVE);
        if short { self.release_reserve() } else { Ok(()) }
    }

    fn volume(&self) -> Result<Option<Volume>, WorldError> {
        let volume = match crate::real::room::volume(&name(&self.dir)) {
            // Not every system tells; then a full disk shows when it is full.
            Err(WorldError::Unavailable { .. }) => return Ok(None),
            volume => volume?,
        };
        let reserve = self.dir.join("reserve").symlink_metadata().map_or(0, |meta| meta.len());
        Ok(Some(Volume { free: volume.free.saturating_add(reserve), ..volume }))
    }

    fn release_reserve(&self) -> Result<(), WorldError> {
        remove(&self.dir.join("reserve"))
    }

    fn remove_blob(&self, blob: &Digest) -> Result<(), WorldError> {
        remove(&self.blob(blob))
    }

    fn blobs(&self) -> Result<Vec<(Digest, u64)>, WorldError> {
        let dir = self.dir.join("blobs");
        let mut blobs = Vec::new();
        for name in names(&dir)? {
            let Some(digest) = name.to_str().and_then(Digest::parse) else { continue };
            let length = dir.join(&name).symlink_metadata().map_err(|e| failed("read", &dir.join(&name), e))?.len();
            blobs.push((digest, length));
        }
        Ok(blobs)
    }
}

impl Blobs for DiskStore {
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError> {
        self.keep_all(contents)
    }

    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError> {
        self.open_blob(blob)
    }
}

/// A file of a run's directory by its name: one name, or one in `files/`.
fn within_run(name: &str) -> Result<PathBuf, WorldError> {
    let fits = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', ':', '\0']);
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() <= 2 && parts.iter().all(|part| fits(part)) {
        return Ok(parts.iter().collect());
    }
    Err(WorldError::Refused { name: name.to_owned(), reason: "it is no name in a run's directory".to_owned() })
}

/// Writes a file under a name of its own, flushes it, puts it under its name and flushes that.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WorldError> {
    let fresh = path.with_file_name(format!(".{}.{}.new", path.file_name().unwrap_or_default().display(), std::process::id()));
    let written = private::create_anew(&fresh).and_then(|mut file| file.write_all(bytes).map(|()| file));
    let file = written.map_err(|e| {
        let _ = fs::remove_file(&fresh);
        failed("write", path, e)
    })?;
    flush(&name(path), || file.sync_all())?;
    fs::rename(&fresh, path).map_err(|e| failed("write", path, e))?;
    flush_dir(path.parent().unwrap_or(path))
}

fn remove(path: &Path) -> Result<(), WorldError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|e| failed("remove", path, e)).and_then(|()| flush_dir(path.parent().unwrap_or(path))),
    }
}

/// Opens a file that must be one: no link, no fifo.
fn open_regular(path: &Path) -> Result<File, WorldError> {
    let open = || {
        let dir = Dir::at(&name(path.parent().unwrap_or(path)))?;
        let file = path.file_name().unwrap_or_default();
        match dir.look(file)?.map(|seen| seen.kind) {
            None => Err(io::ErrorKind::NotFound.into()),
            Some(Kind::File) => dir.open(file),
            Some(_) => Err(io::Error::other("it is no regular file")),
        }
    };
    let file = open().map_err(|e| failed("open", path, e))?;
    match sys::seen_file(&file).map_err(|e| failed("open", path, e))?.kind {
        Kind::File => Ok(file),
        _ => Err(failed("open", path, io::Error::other("it is no regular file"))),
    }
}

/// The names in a directory, sorted; none if there is no such directory.
fn names(path: &Path) -> Result<Vec<std::ffi::OsString>, WorldError> {
    match Dir::at(&name(path)).and_then(|dir| dir.names()) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|e| failed("list", path, e)),
    }
}

fn flush_dir(path: &Path) -> Result<(), WorldError> {
    let dir = Dir::at(&name(path)).map_err(|e| failed("open", path, e))?;
    flush(&name(path), || dir.flush())
}

fn name(path: &Path) -> String {
    path.as_os_str().to_string_lossy().into_owned()
}

fn failed(op: &'static str, path: &Path, source: io::Error) -> WorldError {
    WorldError::io(op, name(path), source)
}

fn is_missing(error: &WorldError) -> bool {
    matches!(error, WorldError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests;
