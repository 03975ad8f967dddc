//! Files of Windows through the standard library: the honest minimum. Reparse points are not followed, names are flushed
//! where the system lets a directory be opened for writing; owners and access lists are not part of a state yet.

use super::{Kind, Seen};
use jiff::Timestamp;
use model::state::Meta;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const WRITE: u32 = 0x4000_0000;
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
const REPARSE_POINT: u32 = 0x400;
const SHARE_READ_WRITE: u32 = 3;

/// Whether files get the modes and owners that they are to have.
pub(crate) const DRESSES: bool = false;
/// Whether names that differ in case only are the same.
pub(crate) const FOLDS_CASE: bool = true;

/// A directory, held open without sharing its removal, so that nobody puts another in its place.
#[derive(Debug)]
pub(crate) struct Dir {
    path: PathBuf,
    held: File,
}

impl Dir {
    /// A directory by its absolute path, no part of which is a reparse point.
    pub(crate) fn at(path: &str) -> io::Result<Self> {
        let path = PathBuf::from(format!(r"\\?\{path}"));
        for part in path.ancestors().filter(|part| part.parent().is_some()) {
            if part.symlink_metadata()?.file_attributes() & REPARSE_POINT != 0 {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        Self::open_at(path)
    }

    fn open_at(path: PathBuf) -> io::Result<Self> {
        let held = OpenOptions::new().read(true).share_mode(SHARE_READ_WRITE).custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT).open(&path)?;
        let meta = held.metadata()?;
        if meta.file_attributes() & REPARSE_POINT != 0 || !meta.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { path, held })
    }

    /// A directory in this one; also by a path of several names.
    pub(crate) fn dir(&self, name: &OsStr) -> io::Result<Self> {
        let mut at = self.path.clone();
        for part in Path::new(name) {
            at.push(part);
            Self::open_at(at.clone())?;
        }
        Self::open_at(at)
    }

    /// A directory below this one.
    pub(crate) fn below(&self, relative: &OsStr) -> io::Result<Self> {
        if relative.is_empty() { Self::open_at(self.path.clone()) } else { self.dir(relative) }
    }

    /// What is under a name.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Seen>> {
        match self.under(name).symlink_metadata() {
            Ok(meta) => Ok(Some(seen(&meta))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The directory itself.
    pub(crate) fn seen(&self) -> io::Result<Seen> {
        Ok(seen(&self.held.metadata()?))
    }

    /// The names in it, sorted by their bytes.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = std::fs::read_dir(&self.path)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// A file for reading.
    pub(crate) fn open(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(OPEN_REPARSE_POINT).open(self.under(name))
    }

    /// A file whose times and attributes are to be changed.
    pub(crate) fn open_to_dress(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).custom_flags(OPEN_REPARSE_POINT).open(self.under(name))
    }

    /// A new file.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(self.under(name))
    }

    /// An existing file for overwriting.
    pub(crate) fn overwrite(&self, name: &OsStr) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).truncate(true).open(self.under(name))
    }

    /// A new directory.
    pub(crate) fn create_dir(&self, name: &OsStr) -> io::Result<Self> {
        std::fs::create_dir(self.under(name))?;
        self.dir(name)
    }

    /// What a link says.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<OsString> {
        Ok(std::fs::read_link(self.under(name))?.into_os_string())
    }

    /// Links are not made here.
    pub(crate) fn create_link(&self, _: &OsStr, _: &OsStr, _: Option<Timestamp>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        std::fs::remove_file(self.under(name))
    }

    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        std::fs::remove_dir(self.under(name))
    }

    /// Renames to a name that must be free.
    pub(crate) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        if self.look(to)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        std::fs::rename(self.under(from), self.under(to))
    }

    /// Renames a file over what is there.
    pub(crate) fn rename_over(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::rename(self.under(from), self.under(to))
    }

    /// Lets two names change places: never at once here.
    pub(crate) fn exchange(&self, _: &OsStr, _: &OsStr) -> io::Result<bool> {
        Ok(false)
    }

    /// Makes the names in it durable. That needs a handle opened for writing; an error is an error.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let share = SHARE_READ_WRITE;
        OpenOptions::new().access_mode(WRITE).share_mode(share).custom_flags(BACKUP_SEMANTICS).open(&self.path)?.sync_all()
    }

    /// Attributes of the directory itself: none are kept.
    pub(crate) fn dress(&self, _: &Meta, _: bool) -> io::Result<()> {
        Ok(())
    }

    /// None are kept.
    pub(crate) fn extra(&self) -> io::Result<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }

    pub(crate) fn unlock(&self) -> io::Result<()> {
        Ok(())
    }

    fn under(&self, name: &OsStr) -> PathBuf {
        if name == "." { self.path.clone() } else { self.path.join(name) }
    }
}

/// A file that is open.
pub(crate) fn seen_file(file: &File) -> io::Result<Seen> {
    Ok(seen(&file.metadata()?))
}

/// None are kept.
pub(crate) fn extra_of(_: &File) -> io::Result<BTreeMap<String, String>> {
    Ok(BTreeMap::new())
}

/// Makes room for so many bytes, so that a full disk shows now.
pub(crate) fn reserve(file: &File, length: u64) -> io::Result<()> {
    file.set_len(length)?;
    file.set_len(0)
}

/// The time of the last write.
pub(crate) fn dress_file(file: &File, meta: &Meta, _: bool) -> io::Result<()> {
    match meta.modified {
        Some(modified) => file.set_times(FileTimes::new().set_modified(modified.try_into().map_err(io::Error::other)?)),
        None => Ok(()),
    }
}

fn seen(meta: &Metadata) -> Seen {
    let kind = match meta.file_attributes() & REPARSE_POINT {
        0 if meta.is_dir() => Kind::Dir,
        0 => Kind::File,
        _ => Kind::Link,
    };
    Seen {
        kind,
        // The standard library does not tell volume and number yet; creation and write time stand in for them.
        volume: 0,
        number: meta.creation_time(),
        links: 1,
        length: if kind == Kind::File { meta.file_size() } else { 0 },
        changed: i128::from(meta.last_write_time()),
        meta: Meta { modified: meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok()), ..Meta::default() },
    }
}

/// A name as text.
pub(crate) fn text(name: &OsStr) -> String {
    name.to_string_lossy().into_owned()
}

/// A text as a name.
pub(crate) fn name(text: &str) -> OsString {
    text.into()
}

/// No link is followed here.
pub(crate) fn is_arranged(_: &str, _: &OsStr) -> io::Result<bool> {
    Ok(false)
}
