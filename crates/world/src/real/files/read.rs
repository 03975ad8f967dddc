//! Reading files and directories through open directories.

use super::sys::{self, Dir, Kind, Seen};
use crate::error::WorldError;
use crate::manifest::{LINK, Line, Writer};
use crate::path::join;
use globset::GlobSet;
use model::digest::Digest;
use model::state::{Meta, State};
use sha2::{Digest as _, Sha256};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};

/// Deeper than anybody nests directories, and few enough to hold open at once.
const DEPTH: usize = 256;

/// What is under a name, and what it was recognised by. A directory by itself.
pub(super) fn state(dir: &Dir, name: &OsStr, path: &str) -> Result<(State, Option<Seen>), WorldError> {
    let failed = |e| WorldError::io("read", path, e);
    let Some(seen) = dir.look(name).map_err(failed)? else { return Ok((State::Absent, None)) };
    let state = match seen.kind {
        Kind::File => {
            let mut file = dir.open(name).map_err(failed)?;
            let opened = sys::seen_file(&file).map_err(failed)?;
            let (sha256, length) = digest(&mut file, path)?;
            let meta = Meta { extra: sys::extra_of(&file).map_err(failed)?, ..opened.meta.clone() };
            return match opened.kind {
                Kind::File => Ok((State::file(sha256, length, meta), Some(opened))),
                _ => Err(WorldError::Refused { name: path.to_owned(), reason: "it is no longer a file".to_owned() }),
            };
        }
        Kind::Dir => State::Dir(dir_meta(dir, name, &seen).map_err(failed)?),
        Kind::Link => State::Foreign { what: format!("{LINK}{}", sys::text(&dir.link(name).map_err(failed)?)) },
        Kind::Other(what) => State::Foreign { what: what.to_owned() },
    };
    Ok((state, Some(seen)))
}

fn dir_meta(dir: &Dir, name: &OsStr, seen: &Seen) -> io::Result<Meta> {
    // A directory that may not be opened still says who owns it.
    let extra = match if name == "." { dir.extra() } else { dir.dir(name).and_then(|inner| inner.extra()) } {
        Ok(extra) => extra,
        Err(e) if matches!(e.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::CrossesDevices) => Default::default(),
        Err(e) => return Err(e),
    };
    Ok(Meta { extra, ..seen.meta.clone() })
}

/// Digest and number of the bytes of an open file.
pub(super) fn digest(file: &mut File, path: &str) -> Result<(Digest, u64), WorldError> {
    let mut sha = Sha256::new();
    let length = copy(file, path, |bytes| {
        sha.update(bytes);
        Ok(())
    })?;
    Ok((Digest::from_sha256(sha.finalize().into()), length))
}

/// Gives all bytes of a reader away, in pieces.
pub(crate) fn copy(from: &mut dyn Read, name: &str, mut to: impl FnMut(&[u8]) -> Result<(), WorldError>) -> Result<u64, WorldError> {
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(length),
            Ok(n) => {
                to(&buffer[..n])?;
                length += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(WorldError::io("read", name, e)),
        }
    }
}

/// Writes the manifest of a directory.
pub(super) fn tree(dir: &Dir, name: &OsStr, path: &str, exclude: &GlobSet, to: &mut Writer<'_>) -> Result<(), WorldError> {
    let mut write = |relative: &str, dir: &Dir, name: &OsStr, path: &str| {
        // What is gone since its directory was read has no line.
        let (state, seen) = state(dir, name, path)?;
        let Some(line) = Line::of(relative, &state) else { return Ok(()) };
        match seen.filter(|seen| seen.kind == Kind::Link) {
            Some(link) => to.write(&Line { modified: link.meta.modified, ..line }),
            None => to.write(&line),
        }
    };
    write("", dir, name, path)?;
    let top = if name == "." { Dir::at(path) } else { dir.dir(name) };
    visit(&top.map_err(|e| WorldError::io("list", path, e))?, "", path, exclude, 0, &mut |entry| {
        write(entry.relative, entry.dir, entry.name, &entry.path())
    })
}

/// Something in a directory that is visited.
pub(super) struct Visited<'v> {
    pub(super) dir: &'v Dir,
    pub(super) name: &'v OsStr,
    /// Below the directory where the visit began.
    pub(super) relative: &'v str,
    top: &'v str,
}

impl Visited<'_> {
    pub(super) fn path(&self) -> String {
        join(self.top, &self.relative.replace('/', if cfg!(windows) { "\\" } else { "/" }))
    }
}

/// Visits everything in a directory, sorted by the bytes of the path; links and other volumes are not entered.
pub(super) fn visit(
    dir: &Dir,
    relative: &str,
    top: &str,
    exclude: &GlobSet,
    depth: usize,
    visitor: &mut dyn FnMut(&Visited<'_>) -> Result<(), WorldError>,
) -> Result<(), WorldError> {
    let at = || join(top, relative);
    if depth > DEPTH {
        return Err(WorldError::Refused { name: at(), reason: format!("it is nested more than {DEPTH} deep") });
    }
    // What is in a directory `a` sorts as `a/...`, behind `a-b` which sorts behind `a` itself.
    let mut keys: Vec<(Vec<u8>, OsString)> = Vec::new();
    for name in dir.names().map_err(|e| WorldError::io("list", at(), e))? {
        let key = name.as_encoded_bytes().to_vec();
        keys.push(([&key[..], b"/"].concat(), name.clone()));
        keys.push((key, name));
    }
    keys.sort();
    for (key, name) in keys {
        let inner = if relative.is_empty() { sys::text(&name) } else { format!("{relative}/{}", sys::text(&name)) };
        if !exclude.is_empty() && exclude.is_match(&inner) {
            continue;
        }
        let visited = Visited { dir, name: &name, relative: &inner, top };
        if !key.ends_with(b"/") {
            visitor(&visited)?;
        } else if dir.look(&name).map_err(|e| WorldError::io("list", visited.path(), e))?.is_some_and(|seen| seen.kind == Kind::Dir) {
            let below = dir.dir(&name).map_err(|e| match e.kind() {
                io::ErrorKind::CrossesDevices => WorldError::Refused { name: visited.path(), reason: "another volume is mounted there".to_owned() },
                _ => WorldError::io("list", visited.path(), e),
            })?;
            visit(&below, &inner, top, exclude, depth + 1, visitor)?;
        }
    }
    Ok(())
}
