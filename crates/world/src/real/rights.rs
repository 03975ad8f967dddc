//! Whether something may be made in a directory, without making anything.

use crate::error::WorldError;
use std::io;
use std::path::Path;

/// Whether names can be made and replaced in `dir`, or in the nearest directory above that exists.
pub(crate) fn may_write(dir: &str) -> Result<(), WorldError> {
    let mut place = Path::new(dir);
    loop {
        match writable(place) {
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => match place.parent() {
                Some(above) => place = above,
                None => return Ok(()),
            },
            answer => return answer.map_err(|e| WorldError::io("write in", place.display().to_string(), e)),
        }
    }
}

#[cfg(unix)]
fn writable(dir: &Path) -> io::Result<()> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    Ok(accessat(CWD, dir, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

/// By opening it with the right to add files.
#[cfg(windows)]
fn writable(dir: &Path) -> io::Result<()> {
    use std::os::windows::fs::OpenOptionsExt as _;
    use windows_sys::Win32::Storage::FileSystem::{FILE_ADD_FILE, FILE_FLAG_BACKUP_SEMANTICS};
    std::fs::OpenOptions::new().access_mode(FILE_ADD_FILE).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(dir).map(drop)
}
