//! Building what is to be set beside its target, complete but for its name.

use super::Files;
use super::building::Building;
use super::place::Place;
use super::read::copy;
use super::sys;
use crate::account::Account;
use crate::act::{Setting, Source};
use crate::error::WorldError;
use crate::manifest::{self, Writer};
use crate::meta::resolved;
use crate::store::Blobs;
use model::digest::Digest;
use model::state::{Content, FileState, Meta, TreeState};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read, Write};

/// A tree that was built and read again.
pub(super) struct Built {
    pub(super) state: TreeState,
    pub(super) manifest: Vec<u8>,
}

impl Files {
    /// A file under its staging name, not flushed yet. `before` is what a file in its place carries.
    pub(super) fn stage_file(
        &self,
        place: &Place,
        staging: &OsStr,
        (after, before): (&FileState, Option<&Meta>),
        (setting, blobs): (&Setting, &dyn Blobs),
    ) -> Result<File, WorldError> {
        let failed = |e| place.failed("write", e);
        let mut from: Box<dyn Read + '_> = match &setting.source {
            Source::Bytes(bytes) => Box::new(&bytes[..]),
            Source::Blob(blob) => blobs.open(blob)?,
            Source::File { path } => self.open(path)?,
            Source::Nothing => Box::new(place.dir.open(&place.name).map_err(failed)?),
            Source::Trees { .. } | Source::Stdout => return Err(WorldError::Unavailable { what: "this source of a file".to_owned() }),
        };
        let meta = resolved(&after.meta, before, 0o644);
        let exact = after.meta.owner.is_some() || before.is_some();
        let in_place = crate::planted::bug(11) && before.is_some();
        let file = if in_place { place.dir.overwrite(&place.name) } else { place.dir.create(staging) };
        let mut file = file.map_err(failed)?;
        if crate::planted::bug(25) {
            sys::dress_file(&file, &meta, exact).map_err(failed)?;
        }
        let length = if let Content::Plain { length, .. } = after.content { length } else { 0 };
        let sha256 = fill(&mut file, &mut *from, length, &place.path, &setting.account)?;
        match &after.content {
            Content::Plain { sha256: announced, .. } if *announced != sha256 => {
                return Err(place.refused("the bytes are not those that were announced"));
            }
            _ => {}
        }
        if !crate::planted::bug(25) {
            sys::dress_file(&file, &meta, exact).map_err(failed)?;
        }
        Ok(file)
    }

    /// A directory with everything below it under its staging name, flushed but for that name, and read again.
    pub(super) fn stage_tree(&self, place: &Place, staging: &OsStr, setting: &Setting, blobs: &dyn Blobs) -> Result<Built, WorldError> {
        let top = place.dir.create_dir(staging).map_err(|e| place.failed("write", e))?;
        let mut tree = Building::new(&top, &place.path, &setting.account);
        let root = Meta { mode: Some(0o700), ..Meta::default() };
        match &setting.source {
            Source::Nothing => tree.dir("", root)?,
            Source::Blob(blob) => {
                for line in manifest::read(BufReader::new(blobs.open(blob)?)) {
                    tree.restore(line?, blobs)?;
                }
            }
            Source::Trees { sources, exclude, leave_locked } => {
                tree.dir("", root)?;
                let exclude = manifest::globs(exclude)?;
                for source in sources {
                    tree.copy(&self.place(source)?, &exclude, *leave_locked)?;
                }
            }
            Source::Bytes(_) | Source::File { .. } | Source::Stdout => {
                return Err(WorldError::Unavailable { what: "this source of a directory".to_owned() });
            }
        }
        let written = tree.finish()?;
        let mut manifest = Vec::new();
        let mut lines = Writer::new(&mut manifest);
        super::read::tree(&place.dir, staging, &place.path, &manifest::globs(&[])?, &mut lines)?;
        let state = lines.finish();
        // A copy counts only once it has been read again.
        let mut read = 0u128;
        for line in manifest::read(&manifest[..]) {
            let line = line?;
            read = read.wrapping_add(line.sha256.map_or(0, |sha256| mark(&line.path, &sha256)));
        }
        if read != written {
            return Err(place.failed("copy", std::io::Error::other("what was read back is not what was written")));
        }
        Ok(Built { state, manifest })
    }
}

/// Writes all bytes of a reader into a new file and gives their digest.
pub(super) fn fill(file: &mut File, from: &mut dyn Read, length: u64, path: &str, account: &Account) -> Result<Digest, WorldError> {
    let failed = |e| WorldError::io("write", path, e);
    if length > 0 {
        sys::reserve(file, length).map_err(failed)?;
    }
    let mut sha = Sha256::new();
    copy(from, path, |bytes| {
        sha.update(bytes);
        account.writes(bytes.len() as u64);
        if crate::planted::bug(24) { file.write(bytes).map(drop) } else { file.write_all(bytes) }.map_err(failed)
    })?;
    Ok(Digest::from_sha256(sha.finalize().into()))
}

/// A number for a file of a tree; sums of them tell whether two trees hold the same, in whatever order they were read.
pub(super) fn mark(relative: &str, sha256: &Digest) -> u128 {
    let digest = Sha256::digest(format!("{relative}\n{sha256}"));
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}
