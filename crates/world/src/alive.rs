//! The lock by which a later process can tell whether a program of a crashed run still runs.

use crate::error::WorldError;
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
            Err(TryLockError::WouldBlock) => Err(WorldError::Refused { name, reason: "a program that was started under it still runs".to_owned() }),
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
