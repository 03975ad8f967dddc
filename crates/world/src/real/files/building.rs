//! A tree that is being built under its staging name.

use super::flush;
use super::place::Place;
use super::read::visit;
use super::stage::{fill, mark};
use super::sys::{self, Dir, Kind, Seen};
use crate::account::Account;
use crate::error::WorldError;
use crate::manifest::{Kind as LineKind, Line};
use crate::path::join;
use crate::store::Blobs;
use globset::GlobSet;
use jiff::Timestamp;
use model::state::Meta;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

/// So many files are flushed together, and so many are open at once.
const ROUND: usize = 64;

/// A tree that is being built. What is in it is open to its owner only until [`Building::finish`].
pub(super) struct Building<'t> {
    top: &'t Dir,
    /// Where it will be, for messages.
    path: &'t str,
    account: &'t Account,
    /// What directories will carry, parents first.
    dirs: Vec<(String, Meta)>,
    unflushed: Vec<(File, String)>,
    written: u128,
}

impl<'t> Building<'t> {
    pub(super) fn new(top: &'t Dir, path: &'t str, account: &'t Account) -> Self {
        Self { top, path, account, dirs: Vec::new(), unflushed: Vec::new(), written: 0 }
    }

    /// A directory; of the top itself, which is there, only what it will carry.
    pub(super) fn dir(&mut self, relative: &str, meta: Meta) -> Result<(), WorldError> {
        if !relative.is_empty() {
            let (dir, name) = self.place(relative)?;
            dir.create_dir(&name).map_err(|e| self.failed(relative, e))?;
        }
        self.dirs.push((relative.to_owned(), meta));
        Ok(())
    }

    /// What a line of a manifest says, files from their blobs.
    pub(super) fn restore(&mut self, line: Line, blobs: &dyn Blobs) -> Result<(), WorldError> {
        if line.path.split('/').any(|part| part == ".." || part == ".") || line.path.starts_with('/') {
            return Err(WorldError::Damaged(line.path));
        }
        let meta = line.meta();
        match line.is {
            LineKind::Dir => self.dir(&line.path, meta),
            LineKind::Link => self.link(&line.path, &sys::name(line.to.as_deref().unwrap_or_default()), line.modified),
            LineKind::Foreign => Err(self.foreign(&line.path)),
            LineKind::File => {
                let (Some(sha256), Some(length)) = (line.sha256, line.length) else { return Err(WorldError::Damaged(line.path)) };
                self.file(&line.path, &mut *blobs.open(&sha256)?, length, |file| sys::dress_file(file, &meta, true))
            }
        }
    }

    /// A file or directory with everything below it but what is excluded, under its last name.
    pub(super) fn copy(&mut self, from: &Place, exclude: &GlobSet, leave_locked: bool) -> Result<(), WorldError> {
        let top = sys::text(&from.name);
        let seen = from.look()?.ok_or_else(|| from.failed("copy", io::ErrorKind::NotFound.into()))?;
        self.copy_one((&from.dir, &from.name, &from.path), &top, &seen, leave_locked)?;
        if seen.kind != Kind::Dir {
            return Ok(());
        }
        let dir = from.dir.dir(&from.name).map_err(|e| from.failed("copy", e))?;
        visit(&dir, "", &from.path, exclude, 0, &mut |entry| match entry.dir.look(entry.name) {
            Ok(Some(seen)) => self.copy_one((entry.dir, entry.name, &entry.path()), &format!("{top}/{}", entry.relative), &seen, leave_locked),
            Ok(None) => Ok(()),
            Err(e) => Err(WorldError::io("copy", entry.path(), e)),
        })
    }

    fn copy_one(&mut self, (dir, name, path): (&Dir, &OsStr, &str), relative: &str, seen: &Seen, leave_locked: bool) -> Result<(), WorldError> {
        let failed = |e| WorldError::io("copy", path, e);
        match seen.kind {
            Kind::Dir => {
                let extra = dir.dir(name).and_then(|inner| inner.extra()).map_err(failed)?;
                self.dir(relative, Meta { extra, ..seen.meta.clone() })
            }
            Kind::Link => self.link(relative, &dir.link(name).map_err(failed)?, seen.meta.modified),
            Kind::Other(_) => Err(self.foreign(relative)),
            Kind::File => {
                let mut from = match dir.open(name) {
                    Err(_) if leave_locked => {
                        self.account.leaves_out(path);
                        return Ok(());
                    }
                    from => from.map_err(failed)?,
                };
                let seen = sys::seen_file(&from).map_err(failed)?;
                let meta = Meta { extra: sys::extra_of(&from).map_err(failed)?, ..seen.meta };
                self.file(relative, &mut from, seen.length, |file| dress_copy(&meta, |meta| sys::dress_file(file, meta, true)))
            }
        }
    }

    fn file(&mut self, relative: &str, from: &mut dyn io::Read, length: u64, dress: impl FnOnce(&File) -> io::Result<()>) -> Result<(), WorldError> {
        let (dir, name) = self.place(relative)?;
        let path = join(self.path, relative);
        let mut file = dir.create(&name).map_err(|e| self.failed(relative, e))?;
        let sha256 = fill(&mut file, from, length, &path, self.account)?;
        dress(&file).map_err(|e| self.failed(relative, e))?;
        self.written = self.written.wrapping_add(mark(relative, &sha256));
        self.unflushed.push((file, path));
        if self.unflushed.len() >= ROUND { self.flush() } else { Ok(()) }
    }

    fn link(&mut self, relative: &str, to: &OsStr, modified: Option<Timestamp>) -> Result<(), WorldError> {
        let (dir, name) = self.place(relative)?;
        dir.create_link(&name, to, modified).map_err(|e| self.failed(relative, e))
    }

    /// Directories get what they carry, from the bottom up, and are flushed. Gives a sum over all files.
    pub(super) fn finish(mut self) -> Result<u128, WorldError> {
        self.flush()?;
        for (relative, meta) in self.dirs.iter().rev() {
            let dir = self.top.below(&sys::name(relative)).map_err(|e| self.failed(relative, e))?;
            dress_copy(meta, |meta| dir.dress(meta, meta.owner.is_some())).map_err(|e| self.failed(relative, e))?;
            if !crate::planted::bug(4) {
                flush::flush(&join(self.path, relative), || dir.flush())?;
            }
        }
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<(), WorldError> {
        let files: Vec<_> = self.unflushed.iter().map(|(file, path)| (file, path.as_str())).collect();
        if !crate::planted::bug(4) {
            flush::round(&files)?;
        }
        self.unflushed.clear();
        Ok(())
    }

    fn place(&self, relative: &str) -> Result<(Dir, OsString), WorldError> {
        let (dir, name) = relative.rsplit_once('/').unwrap_or(("", relative));
        let dir = self.top.below(&sys::name(dir)).map_err(|e| self.failed(relative, e))?;
        Ok((dir, sys::name(name)))
    }

    fn failed(&self, relative: &str, source: io::Error) -> WorldError {
        WorldError::io("write", join(self.path, relative), source)
    }

    fn foreign(&self, relative: &str) -> WorldError {
        WorldError::Refused { name: join(self.path, relative), reason: "it is neither a file, a directory nor a link".to_owned() }
    }
}

/// A copy belongs to whom the original belongs to, as far as we may give it away.
fn dress_copy(meta: &Meta, dress: impl Fn(&Meta) -> io::Result<()>) -> io::Result<()> {
    match dress(meta) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
            let extra = meta.extra.iter().filter(|(name, _)| !name.starts_with("security.")).map(|(n, v)| (n.clone(), v.clone())).collect();
            dress(&Meta { owner: None, group: None, extra, ..meta.clone() })
        }
        done => done,
    }
}
