//! Removing what was set aside, by open directories: nothing outside can be reached.

use super::sys::{self, Dir, Kind};
use super::{Files, flush, is_missing};
use crate::error::WorldError;
use crate::path::{gone, is_staging, last, parent};
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
            for name in [place.name.clone(), sys::name(&gone(&sys::text(&place.name)))] {
                remove(&place.dir, &name).map_err(|e| place.failed("remove", e))?;
            }
            // Also when it was gone already: the removal may not have been flushed.
            dirs.insert(parent(path).unwrap_or(path), place.dir);
        }
        if crate::planted::bug(15) {
            return Ok(());
        }
        dirs.iter().try_for_each(|(path, dir)| flush::flush(path, || dir.flush()))
    }
}

impl Files {
    /// Puts what lies under a staging name back, and flushes.
    pub(crate) fn put_back(&self, path: &str, staging: &str) -> Result<(), WorldError> {
        let place = self.place(path)?;
        let aside = sys::name(last(staging));
        let failed = |e| place.failed("put back", e);
        if place.look()?.is_none() {
            place.dir.rename_new(&aside, &place.name).map_err(failed)?;
        } else if !place.dir.exchange(&aside, &place.name).map_err(failed)? {
            return Err(place.refused("this file system cannot let two names change places"));
        }
        flush::flush(parent(path).unwrap_or(path), || place.dir.flush())
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
