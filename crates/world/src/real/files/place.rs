//! Finding the directory of a path without being led astray.

use super::sys::{self, Dir, Kind, Seen};
use crate::error::WorldError;
use crate::path::{join, last, parent};
use model::path::within;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::{Mutex, PoisonError};

/// A name in an open directory.
pub(crate) struct Place {
    pub(super) dir: Dir,
    pub(super) name: OsString,
    pub(super) path: String,
}

/// The declared roots. What lies above one may be links, for the administrator named it; these are resolved once. At a
/// root and below it a link is refused. Without a root a link is followed only where the system itself arranged it.
pub(crate) struct Roots {
    roots: Vec<String>,
    above: Mutex<BTreeMap<String, String>>,
}

impl Roots {
    pub(crate) fn new(roots: &[String]) -> Self {
        Self { roots: roots.to_vec(), above: Mutex::default() }
    }

    /// The place of a path; an error of the kind `NotFound` if its directory is not there.
    pub(super) fn place(&self, path: &str) -> Result<Place, WorldError> {
        // What people write has no control characters; what lies in a tree may.
        let written = path.replace(char::is_control, "?");
        match model::path::normal(&written) {
            Ok(normal) if normal == written => {}
            Ok(normal) => return Err(WorldError::Refused { name: path.to_owned(), reason: format!("it is written `{normal}`") }),
            Err(e) => return Err(WorldError::Refused { name: path.to_owned(), reason: e.to_string() }),
        }
        let Some(dir) = parent(path) else {
            let dir = Dir::at(path).map_err(|e| WorldError::io("open", path, e))?;
            return Ok(Place { dir, name: ".".into(), path: path.to_owned() });
        };
        Ok(Place { dir: self.open(dir, path)?, name: sys::name(last(path)), path: path.to_owned() })
    }

    /// A directory itself.
    pub(super) fn dir(&self, path: &str) -> Result<Dir, WorldError> {
        self.open(path, path)
    }

    /// The path of a directory without the links that may be followed on the way; it need not exist to its end.
    pub(crate) fn real(&self, path: &str) -> Result<String, WorldError> {
        match self.follow(path, path) {
            Ok((_, real)) => Ok(real),
            Err((error, real)) => {
                if super::is_missing(&error) {
                    Ok(real)
                } else {
                    Err(error)
                }
            }
        }
    }

    fn open(&self, dir: &str, path: &str) -> Result<Dir, WorldError> {
        self.follow(dir, path).map(|(dir, _)| dir).map_err(|(error, _)| error)
    }

    /// Opens a directory, and says by which path; also if it is not there.
    fn follow(&self, dir: &str, path: &str) -> Result<(Dir, String), (WorldError, String)> {
        let root = self.roots.iter().filter(|root| within(path, root)).max_by_key(|root| root.len());
        let mut real = match root.and_then(|root| parent(root)) {
            Some(above) => {
                let resolved = self.resolved(above).map_err(|e| (e, dir.to_owned()))?;
                join(&resolved, crate::path::below(dir, above).unwrap_or_default())
            }
            None => dir.to_owned(),
        };
        for _ in 0..8 {
            let error = match Dir::at(&real) {
                Ok(dir) => return Ok((dir, real)),
                Err(e) => e,
            };
            let Some((at, name)) = link_in(&real) else { return Err((WorldError::io("open", path, error), real)) };
            let link = join(&at, &sys::text(&name));
            if root.is_some() || !sys::is_arranged(&at, &name).unwrap_or(false) {
                return Err((WorldError::Refused { name: path.to_owned(), reason: format!("`{link}` is a link") }, real));
            }
            let to = canonical(&link).map_err(|e| (e, real.clone()))?;
            real = join(&to, crate::path::below(&real, &link).unwrap_or_default());
        }
        Err((WorldError::Refused { name: path.to_owned(), reason: "it leads through too many links".to_owned() }, real))
    }

    fn resolved(&self, above: &str) -> Result<String, WorldError> {
        let mut known = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(real) = known.get(above) {
            return Ok(real.clone());
        }
        let real = canonical(above)?;
        known.insert(above.to_owned(), real.clone());
        Ok(real)
    }
}

impl Place {
    pub(super) fn look(&self) -> Result<Option<Seen>, WorldError> {
        self.dir.look(&self.name).map_err(|e| self.failed("look at", e))
    }

    /// Whether what was seen here is something that is ever set.
    pub(super) fn may_be_set(&self, seen: &Seen) -> Result<(), WorldError> {
        match seen.kind {
            Kind::File if seen.links > 1 => Err(self.refused(format!("{} names lead to this file", seen.links))),
            Kind::Dir if self.dir.seen().map_err(|e| self.failed("look at", e))?.volume != seen.volume => {
                Err(self.refused("another volume is mounted there"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn failed(&self, op: &'static str, source: io::Error) -> WorldError {
        WorldError::io(op, self.path.as_str(), source)
    }

    pub(super) fn refused(&self, reason: impl Into<String>) -> WorldError {
        WorldError::Refused { name: self.path.clone(), reason: reason.into() }
    }
}

fn canonical(path: &str) -> Result<String, WorldError> {
    let real = std::fs::canonicalize(path).map_err(|e| WorldError::io("open", path, e))?;
    match real.into_os_string().into_string() {
        Ok(real) => Ok(model::path::normal(real.strip_prefix(r"\\?\").unwrap_or(&real)).unwrap_or(real)),
        Err(_) => Err(WorldError::Refused { name: path.to_owned(), reason: "it leads to a name that is not Unicode".to_owned() }),
    }
}

/// The first link on the way: its directory and its name.
fn link_in(path: &str) -> Option<(String, OsString)> {
    let mut dirs: Vec<&str> = crate::path::above(path).collect();
    dirs.reverse();
    let parts = dirs.iter().copied().skip(1).chain([path]);
    let link = parts.into_iter().find(|part| std::fs::symlink_metadata(part).is_ok_and(|meta| meta.file_type().is_symlink()))?;
    Some((parent(link)?.to_owned(), OsStr::new(last(link)).to_owned()))
}
