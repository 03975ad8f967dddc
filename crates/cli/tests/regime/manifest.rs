//! What is in a directory, told by the system and not by the program.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// What is under one name.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The bytes of a file; none for a directory.
    pub(crate) bytes: Option<Vec<u8>>,
    /// Permission bits.
    pub(crate) mode: u32,
    /// User and group.
    pub(crate) owner: (u32, u32),
    /// When a file was modified, in seconds and nanoseconds.
    pub(crate) modified: Option<(i64, i64)>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.as_deref().map(|bytes| String::from_utf8_lossy(&bytes[..bytes.len().min(60)]));
        write!(f, "{bytes:?} {:o} {:?} {:?}", self.mode, self.owner, self.modified)
    }
}

/// Everything under a directory, by its name below it.
pub(crate) type Manifest = BTreeMap<String, Entry>;

/// Reads what is under a directory.
pub(crate) fn manifest(root: &Path) -> Manifest {
    let mut found = Manifest::new();
    read(root, root, &mut found);
    found
}

fn read(root: &Path, dir: &Path, found: &mut Manifest) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let meta = fs::symlink_metadata(&path).unwrap();
        let bytes = meta.is_file().then(|| fs::read(&path).unwrap());
        let modified = meta.is_file().then(|| (meta.mtime(), meta.mtime_nsec()));
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        found.insert(name, Entry { bytes, mode: meta.permissions().mode() & 0o7777, owner: (meta.uid(), meta.gid()), modified });
        if meta.is_dir() {
            read(root, &path, found);
        }
    }
}

/// The same without the times of what was written.
pub(crate) fn untimed(manifest: &Manifest) -> Manifest {
    let untimed = |(name, entry): (&String, &Entry)| (name.clone(), Entry { modified: None, ..entry.clone() });
    manifest.iter().map(untimed).collect()
}

/// The first names that differ, for a message.
pub(crate) fn difference(wanted: &Manifest, found: &Manifest) -> String {
    let names: Vec<&String> = wanted.keys().chain(found.keys()).filter(|name| wanted.get(*name) != found.get(*name)).collect();
    names.iter().take(3).map(|name| format!("{name}: wanted {:?}, found {:?}; ", wanted.get(*name), found.get(*name))).collect()
}
