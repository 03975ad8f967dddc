//! Locks that the system frees when their process ends. They are never judged by age.

use super::{failed, private};
use crate::error::WorldError;
use crate::real::files::sys;
use crate::store::Lock;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Whether others may hold it too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Alone,
    Shared,
}

/// Takes a lock on the file at `path`, making it if it is missing. What the file says is only for the message.
pub(super) fn take(path: &Path, about: &str, how: How, holder: &str) -> Result<Box<dyn Lock>, WorldError> {
    for _ in 0..8 {
        let mut file = private::open_or_create(path).map_err(|e| failed("open", path, e))?;
        let locked = if how == How::Alone { file.try_lock() } else { file.try_lock_shared() };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                let who = if text.is_empty() { "another run".to_owned() } else { text };
                return Err(WorldError::Refused { name: about.to_owned(), reason: format!("it is held by {who}") });
            }
            Err(TryLockError::Error(e)) => return Err(failed("lock", path, e)),
        }
        let lock = DiskLock { file, path: path.to_owned() };
        // Somebody may have removed the file between our opening and locking it.
        if lock.holds() {
            let mut file = &lock.file;
            let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
            written.map_err(|e| failed("write", path, e))?;
            #[cfg(unix)]
            if crate::planted::bug(27) {
                rustix::io::fcntl_setfd(&lock.file, rustix::io::FdFlags::empty()).map_err(|e| failed("lock", path, e.into()))?;
            }
            return Ok(Box::new(lock));
        }
    }
    Err(WorldError::Refused { name: about.to_owned(), reason: "its lock file is removed again and again".to_owned() })
}

struct DiskLock {
    file: File,
    path: PathBuf,
}

impl Lock for DiskLock {
    fn holds(&self) -> bool {
        let there = File::open(&self.path).and_then(|file| sys::seen_file(&file));
        let here = sys::seen_file(&self.file);
        matches!((here, there), (Ok(a), Ok(b)) if (a.volume, a.number) == (b.volume, b.number))
    }
}
