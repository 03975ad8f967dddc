//! Files of Unix by descriptors: nothing here follows a link, and every name is relative to an open directory.

use super::{Kind, Seen};
use jiff::Timestamp;
use model::state::Meta;
use rustix::fs::{
    AtFlags, CWD, Gid, Mode, OFlags, RawDir, RenameFlags, ResolveFlags, Stat, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, fchmod, fchown,
    fgetxattr, flistxattr, fremovexattr, fsetxattr, fstat, futimens, mkdirat, openat, openat2, readlinkat, renameat, renameat_with, statat,
    symlinkat, unlinkat, utimensat,
};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Whether files get the modes and owners that they are to have.
pub(crate) const DRESSES: bool = true;
/// Whether names that differ in case only are the same.
pub(crate) const FOLDS_CASE: bool = false;

/// An open directory.
#[derive(Debug)]
pub(crate) struct Dir(OwnedFd);

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Dir {
    /// A directory by its absolute path, no part of which is a link.
    pub(crate) fn at(path: &str) -> io::Result<Self> {
        let root = openat(CWD, "/", DIRECTORY, Mode::empty())?;
        let below = path.trim_start_matches('/');
        if below.is_empty() {
            return Ok(Self(root));
        }
        Self(root).descend(below, ResolveFlags::empty())
    }

    /// A directory in this one, on the same volume; also by a path of several names.
    pub(crate) fn dir(&self, name: &OsStr) -> io::Result<Self> {
        self.descend(name, ResolveFlags::NO_XDEV)
    }

    /// A directory below this one, on the same volume.
    pub(crate) fn below(&self, relative: &OsStr) -> io::Result<Self> {
        if relative.is_empty() { Ok(Self(self.0.try_clone()?)) } else { self.dir(relative) }
    }

    fn descend(&self, below: impl rustix::path::Arg + Copy, more: ResolveFlags) -> io::Result<Self> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | more;
        // A rename anywhere in the system may make one try fail.
        for _ in 0..8 {
            match openat2(&self.0, below, DIRECTORY, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::PERM) => return self.walk(below.to_string_lossy().as_ref()),
                opened => return Ok(Self(opened?)),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// The same part by part, where the kernel cannot do it at once.
    fn walk(&self, below: &str) -> io::Result<Self> {
        let mut at = Self(self.0.try_clone()?);
        for part in below.split('/').filter(|part| !part.is_empty()) {
            if part == ".." {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            at = Self(openat(&at.0, part, DIRECTORY, Mode::empty())?);
        }
        Ok(at)
    }

    /// What is under a name.
    pub(crate) fn look(&self, name: &OsStr) -> io::Result<Option<Seen>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(seen(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The directory itself.
    pub(crate) fn seen(&self) -> io::Result<Seen> {
        Ok(seen(&fstat(&self.0)?))
    }

    /// The names in it, sorted by their bytes.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        let fresh = openat(&self.0, ".", DIRECTORY, Mode::empty())?;
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut entries = RawDir::new(fresh, &mut buffer);
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let name = OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// A regular file for reading. It never blocks.
    pub(crate) fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        Ok(File::from(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// A file whose owner, mode or times are to be changed: for that it need not be opened for writing.
    pub(crate) fn open_to_dress(&self, name: &OsStr) -> io::Result<File> {
        self.open(name)
    }

    /// A new file that nobody else may read yet.
    pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::from_raw_mode(0o600))?))
    }

    /// An existing file for overwriting.
    pub(crate) fn overwrite(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(openat(&self.0, name, flags, Mode::empty())?))
    }

    /// A new directory that nobody else may enter yet.
    pub(crate) fn create_dir(&self, name: &OsStr) -> io::Result<Self> {
        mkdirat(&self.0, name, Mode::RWXU)?;
        self.dir(name)
    }

    /// What a link says.
    pub(crate) fn link(&self, name: &OsStr) -> io::Result<OsString> {
        Ok(OsString::from_vec(readlinkat(&self.0, name, Vec::new())?.into_bytes()))
    }

    /// A new link, written at this time.
    pub(crate) fn create_link(&self, name: &OsStr, to: &OsStr, modified: Option<Timestamp>) -> io::Result<()> {
        symlinkat(to, &self.0, name)?;
        match modified {
            Some(modified) => Ok(utimensat(&self.0, name, &times(modified), AtFlags::SYMLINK_NOFOLLOW)?),
            None => Ok(()),
        }
    }

    pub(crate) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }

    pub(crate) fn remove_dir(&self, name: &OsStr) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Renames to a name that must be free.
    pub(crate) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                if self.look(to)?.is_some() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                Ok(renameat(&self.0, from, &self.0, to)?)
            }
            renamed => Ok(renamed?),
        }
    }

    /// Renames a file over what is there.
    pub(crate) fn rename_over(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(renameat(&self.0, from, &self.0, to)?)
    }

    /// Lets two names change places; false where the file system cannot.
    pub(crate) fn exchange(&self, a: &OsStr, b: &OsStr) -> io::Result<bool> {
        match renameat_with(&self.0, a, &self.0, b, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
            exchanged => exchanged.map(|()| true).map_err(Into::into),
        }
    }

    /// Makes the names in it durable.
    pub(crate) fn flush(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }

    /// Owner, mode, access lists and times of the directory itself.
    pub(crate) fn dress(&self, meta: &Meta, exact: bool) -> io::Result<()> {
        dress(&self.0, meta, exact)
    }

    /// Its extended attributes and access lists.
    pub(crate) fn extra(&self) -> io::Result<BTreeMap<String, String>> {
        extra(&self.0)
    }

    /// Lets its owner remove what is in it.
    pub(crate) fn unlock(&self) -> io::Result<()> {
        Ok(fchmod(&self.0, Mode::RWXU)?)
    }
}

/// A file that is open.
pub(crate) fn seen_file(file: &File) -> io::Result<Seen> {
    Ok(seen(&fstat(file)?))
}

/// Its extended attributes and access lists.
pub(crate) fn extra_of(file: &File) -> io::Result<BTreeMap<String, String>> {
    extra(file)
}

/// Makes room for so many bytes, so that a full disk shows now.
pub(crate) fn reserve(file: &File, length: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, length) {
        // Not every file system can.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        done => Ok(done?),
    }
}

/// Owner, then mode, then access lists and attributes, times last. `exact`: what `meta` does not name is taken away.
pub(crate) fn dress_file(file: &File, meta: &Meta, exact: bool) -> io::Result<()> {
    dress(file, meta, exact)
}

fn dress(what: impl AsFd, meta: &Meta, exact: bool) -> io::Result<()> {
    let what = what.as_fd();
    let is = fstat(what)?;
    let owner = number(meta.owner.as_ref())?.filter(|owner| *owner != is.st_uid);
    let group = number(meta.group.as_ref())?.filter(|group| *group != is.st_gid);
    if owner.is_some() || group.is_some() {
        fchown(what, owner.map(Uid::from_raw), group.map(Gid::from_raw))?;
    }
    if let Some(mode) = meta.mode {
        fchmod(what, Mode::from_raw_mode(mode))?;
    }
    let has = extra(what)?;
    for (name, value) in &meta.extra {
        if has.get(name) != Some(value) {
            let value = unhex(value).ok_or(io::ErrorKind::InvalidData)?;
            fsetxattr(what, name.as_str(), &value, XattrFlags::empty())?;
        }
    }
    if exact && !crate::planted::bug(26) {
        // A new file takes the access list of its directory, which is not what was recorded.
        for name in has.keys().filter(|name| !meta.extra.contains_key(*name) && name.as_str() != "security.selinux") {
            fremovexattr(what, name.as_str())?;
        }
    }
    match meta.modified {
        Some(modified) => Ok(futimens(what, &times(modified))?),
        None => Ok(()),
    }
}

fn times(modified: Timestamp) -> Timestamps {
    // Rounded down: a time before 1970 has its nanoseconds counted forward too.
    let nanoseconds = modified.as_nanosecond();
    let last_modification = Timespec { tv_sec: nanoseconds.div_euclid(1_000_000_000) as i64, tv_nsec: nanoseconds.rem_euclid(1_000_000_000) as i64 };
    Timestamps { last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }, last_modification }
}

fn number(text: Option<&String>) -> io::Result<Option<u32>> {
    text.map(|text| text.parse().map_err(|_| io::ErrorKind::InvalidInput.into())).transpose()
}

fn seen(stat: &Stat) -> Seen {
    let kind = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => Kind::File,
        rustix::fs::FileType::Directory => Kind::Dir,
        rustix::fs::FileType::Symlink => Kind::Link,
        rustix::fs::FileType::Fifo => Kind::Other("fifo"),
        rustix::fs::FileType::Socket => Kind::Other("socket"),
        _ => Kind::Other("device"),
    };
    let stamp = |seconds: i64, nanoseconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Seen {
        kind,
        volume: stat.st_dev,
        number: stat.st_ino,
        links: stat.st_nlink,
        length: stat.st_size.try_into().unwrap_or(0),
        changed: stamp(stat.st_ctime, stat.st_ctime_nsec),
        meta: Meta {
            mode: Some(stat.st_mode & 0o7777),
            owner: Some(stat.st_uid.to_string()),
            group: Some(stat.st_gid.to_string()),
            extra: BTreeMap::new(),
            modified: Timestamp::from_nanosecond(stamp(stat.st_mtime, stat.st_mtime_nsec)).ok(),
        },
    }
}

/// The attributes that belong to a file's state. Those of integrity measurement and of overlays are made anew by the system.
fn extra(what: impl AsFd) -> io::Result<BTreeMap<String, String>> {
    let what = what.as_fd();
    let mut names = Vec::with_capacity(1024);
    match flistxattr(what, rustix::buffer::spare_capacity(&mut names)) {
        Ok(_) => {}
        Err(Errno::RANGE) => {
            names.reserve(65536);
            flistxattr(what, rustix::buffer::spare_capacity(&mut names))?;
        }
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(BTreeMap::new()),
        Err(e) => return Err(e.into()),
    }
    let mut extra = BTreeMap::new();
    for name in names.split(|b| *b == 0).filter_map(|name| std::str::from_utf8(name).ok()) {
        let ours = name.starts_with("user.")
            || name.starts_with("system.posix_acl_")
            || ["security.capability", "security.selinux", "security.SMACK64"].contains(&name);
        if !ours {
            continue;
        }
        let mut value = Vec::with_capacity(65536);
        match fgetxattr(what, name, rustix::buffer::spare_capacity(&mut value)) {
            Ok(_) => drop(extra.insert(name.to_owned(), hex(&value))),
            Err(Errno::NODATA) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(extra)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    digits?.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

/// A name as text that can be turned back: bytes that are not Unicode as U+0000 and two hex digits.
pub(crate) fn text(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push('\0');
            text.push_str(&hex(&[*byte]));
        }
    }
    text
}

/// The name that [`text`] gave as text.
pub(crate) fn name(text: &str) -> OsString {
    let mut parts = text.split('\0');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        bytes.extend(unhex(digits).unwrap_or_default());
        bytes.extend(rest.as_bytes());
    }
    OsString::from_vec(bytes)
}

/// Whether a link is the system's own arrangement (`/var/run`, `/bin`): at the top, made by root where only root can.
pub(crate) fn is_arranged(dir: &str, name: &OsStr) -> io::Result<bool> {
    if !["/", "/var", "/usr"].contains(&dir) {
        return Ok(false);
    }
    let dir = openat(CWD, dir, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let (above, link) = (fstat(&dir)?, statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW)?);
    Ok(above.st_uid == 0 && above.st_mode & 0o022 == 0 && link.st_uid == 0)
}
