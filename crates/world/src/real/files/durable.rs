//! Making durable what somebody else has written: a program.

use super::place::Place;
use super::sys::{Dir, Kind};
use super::{Files, flush, is_missing};
use crate::error::WorldError;
use crate::path::{join, parent};
use std::ffi::OsStr;

impl Files {
    /// Flushes what is under a path with everything below it, and its name; of what is not there, that it is not.
    pub(crate) fn flush(&self, path: &str) -> Result<(), WorldError> {
        let mut at = path;
        let place = loop {
            match self.place(at) {
                Err(error) if is_missing(&error) => match parent(at) {
                    Some(above) => at = above,
                    None => return Err(error),
                },
                place => break place?,
            }
        };
        below(&place.dir, &place.name, at, &place)?;
        flush::flush(parent(at).unwrap_or(at), || place.dir.flush())
    }
}

/// Files first, then the directories they are in. Links and other volumes are not entered.
fn below(dir: &Dir, name: &OsStr, path: &str, top: &Place) -> Result<(), WorldError> {
    let failed = |e| WorldError::io("flush", path, e);
    match dir.look(name).map_err(failed)? {
        Some(seen) if seen.kind == Kind::File => {
            let file = dir.open_to_dress(name).map_err(failed)?;
            flush::flush(path, || file.sync_all())
        }
        Some(seen) if seen.kind == Kind::Dir && top.dir.seen().map_err(failed)?.volume == seen.volume => {
            let inner = dir.below(if name == "." { OsStr::new("") } else { name }).map_err(failed)?;
            for name in inner.names().map_err(failed)? {
                below(&inner, &name, &join(path, &name.to_string_lossy()), top)?;
            }
            flush::flush(path, || inner.flush())
        }
        _ => Ok(()),
    }
}
