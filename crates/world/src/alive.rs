//! The lock by which a later process can tell whether a program of a crashed run still runs.

use crate::error::WorldError;
use crate::real::processes::processes;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

/// A locked file that every program of a run inherits: it stays locked until the engine and all of them are gone, however
/// they end. The locks of clients and roots are never inherited; this one always is.
#[derive(Debug)]
pub struct Alive {
    file: File,
}

impl Alive {
    /// Locks the file at `path`, making it if it is missing.
    ///
    /// # Errors
    /// [`WorldError::Refused`] if it is locked: a program that was started under it still runs.
    pub fn hold(path: &Path) -> Result<Self, WorldError> {
        let name = path.display().to_string();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|e| WorldError::io("open", &name, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => {
                let who = holders(path);
                Err(WorldError::Refused { name, reason: format!("a program that an earlier process of it started still runs{who}") })
            }
            Err(TryLockError::Error(e)) => Err(WorldError::io("lock", name, e)),
        }
    }

    /// Whether the engine or a program that was started under it is still there. A missing file: no.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn held(path: &Path) -> Result<bool, WorldError> {
        let name = || path.display().to_string();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(WorldError::io("open", name(), e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(e)) => Err(WorldError::io("lock", name(), e)),
        }
    }

    /// The locked file.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Who else has a file open, where that can be told: `: image (process 7)`.
fn holders(path: &Path) -> String {
    let Ok(path) = path.canonicalize() else { return String::new() };
    let ours = std::process::id();
    let mut others = processes().unwrap_or_default();
    others.retain(|other| other.pid != ours && other.open.iter().any(|open| Path::new(open) == path));
    let named: Vec<String> = others.iter().map(|other| format!("`{}` (process {})", other.image, other.pid)).collect();
    if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) }
}
