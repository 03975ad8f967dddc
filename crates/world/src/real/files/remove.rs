//! Removing what was set aside, by open directories: nothing outside can be reached.

use super::sys::{Dir, Kind};
use super::{Files, flush, is_missing};
use crate::error::WorldError;
use crate::path::{is_staging, parent};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;

impl Files {
    /// Removes what is under these staging names, and flushes.
    pub(crate) fn tidy(&self, staging: &[String]) -> Result<(), WorldError> {
        let mut dirs: BTreeMap<&str, Dir> = BTreeMap::new();
        if crate::planted::bug(14) {
            return Ok(());
        }
        for path in staging.iter().filter(|path| is_staging(path)) {
            let place = match self.place(path) {
                Err(error) if is_missing(&error) => continue,
                place => place?,
            };
            remove(&place.dir, &place.name).map_err(|e| place.failed("remove", e))?;
            // Also when it was gone already: the removal may not have been flushed.
            dirs.insert(parent(path).unwrap_or(path), place.dir);
        }
        if crate::planted::bug(15) {
            return Ok(());
        }
        dirs.iter().try_for_each(|(path, dir)| flush::flush(path, || dir.flush()))
    }
}

/// Removes a file, or a directory with everything in it. What is not there is no error.
pub(super) fn remove(dir: &Dir, name: &OsStr) -> io::Result<()> {
    match dir.look(name)? {
        None => Ok(()),
        Some(seen) if seen.kind == Kind::Dir => {
            let inner = dir.dir(name)?;
            let names = match inner.names() {
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => inner.unlock().and_then(|()| inner.names())?,
                names => names?,
            };
            for name in names {
                match remove(&inner, &name) {
                    Err(e) if e.kind() == io::ErrorKind::PermissionDenied => inner.unlock().and_then(|()| remove(&inner, &name))?,
                    done => done?,
                }
            }
            dir.remove_dir(name)
        }
        Some(_) => dir.unlink(name),
    }
}
