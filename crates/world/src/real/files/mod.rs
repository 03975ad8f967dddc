//! Files and directories of this machine.

mod building;
mod durable;
pub(crate) mod flush;
pub(crate) mod place;
pub(crate) mod read;
mod remove;
mod set;
mod stage;
pub(crate) mod sys;
mod task;

use crate::error::WorldError;
use crate::look::{Entry, EntryKind};
use crate::manifest::{Writer, globs};
use model::state::State;
use place::{Place, Roots};
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;
use sys::Kind;

/// Files and directories of this machine.
pub(crate) struct Files {
    roots: Roots,
    /// A flush has failed; nothing is done after that.
    poisoned: AtomicBool,
}

impl Files {
    /// What lies above one of the `roots` may be links.
    pub(crate) fn new(roots: &[String]) -> Self {
        Self { roots: Roots::new(roots), poisoned: AtomicBool::new(false) }
    }

    pub(crate) fn state(&self, path: &str) -> Result<State, WorldError> {
        match self.place(path) {
            Ok(place) => Ok(read::state(&place.dir, &place.name, path)?.0),
            Err(error) if is_missing(&error) => Ok(State::Absent),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn tree(&self, path: &str, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        let state = self.state(path)?;
        let State::Dir(_) = state else { return Ok(state) };
        let place = self.place(path)?;
        let mut lines = Writer::new(manifest);
        read::tree(&place.dir, &place.name, path, &globs(exclude)?, &mut lines)?;
        Ok(State::Tree(lines.finish()))
    }

    pub(crate) fn may_be_set(&self, path: &str) -> Result<(), WorldError> {
        match self.place(path) {
            Ok(place) => place.look()?.map_or(Ok(()), |seen| place.may_be_set(&seen)),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn open(&self, path: &str) -> Result<Box<dyn Read>, WorldError> {
        let place = self.place(path)?;
        match place.look()?.map(|seen| seen.kind) {
            None => return Err(place.failed("open", io::ErrorKind::NotFound.into())),
            Some(Kind::File) => {}
            Some(Kind::Dir) => return Err(place.failed("open", io::ErrorKind::IsADirectory.into())),
            Some(Kind::Link) => return Err(place.refused("it is a link")),
            Some(Kind::Other(what)) => return Err(place.refused(format!("it is a {what}"))),
        }
        let file = place.dir.open(&place.name).map_err(|e| place.failed("open", e))?;
        match sys::seen_file(&file).map_err(|e| place.failed("open", e))?.kind {
            Kind::File => Ok(Box::new(file)),
            _ => Err(place.refused("it is no longer a file")),
        }
    }

    pub(crate) fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        let place = self.place(path)?;
        let failed = |e| place.failed("list", e);
        match place.look()?.map(|seen| seen.kind) {
            None => return Err(failed(io::ErrorKind::NotFound.into())),
            Some(Kind::Dir) => {}
            Some(_) => return Err(failed(io::ErrorKind::NotADirectory.into())),
        }
        let dir = self.dir(path)?;
        let volume = dir.seen().map_err(failed)?.volume;
        let mut entries = Vec::new();
        for name in dir.names().map_err(failed)? {
            let Some(seen) = dir.look(&name).map_err(failed)? else { continue };
            let kind = match seen.kind {
                Kind::File => EntryKind::File,
                Kind::Dir if seen.volume == volume => EntryKind::Dir,
                Kind::Dir | Kind::Link | Kind::Other(_) => EntryKind::Foreign,
            };
            let length = if kind == EntryKind::File { seen.length } else { 0 };
            entries.push(Entry { name: name.to_string_lossy().into_owned(), kind, length });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn place(&self, path: &str) -> Result<Place, WorldError> {
        self.roots.place(path)
    }

    /// A directory by its own path; it may be the top of a volume.
    fn dir(&self, path: &str) -> Result<sys::Dir, WorldError> {
        self.roots.dir(path)
    }
}

fn is_missing(error: &WorldError) -> bool {
    matches!(error, WorldError::Io { source, .. } if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory))
}
