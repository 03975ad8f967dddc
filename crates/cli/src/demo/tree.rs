//! Whether two moments of some directories are the same, byte for byte.

use model::digest::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What some directories held at one moment: paths, kinds, modes where there are any, and contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Tree {
    entries: BTreeMap<String, String>,
}

impl Tree {
    /// Reads it.
    ///
    /// # Errors
    /// Something in it cannot be read.
    pub(crate) fn read(root: &Path, names: &[&str]) -> io::Result<Self> {
        let mut entries = BTreeMap::new();
        for name in names {
            walk(root, &root.join(name), &mut entries)?;
        }
        Ok(Self { entries })
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// One digest of all.
    pub(crate) fn digest(&self) -> Digest {
        let lines: Vec<String> = self.entries.iter().map(|(path, what)| format!("{what} {path}\n")).collect();
        Digest::of(lines.concat().as_bytes())
    }

    /// The paths that are not the same in both.
    pub(crate) fn differences<'t>(&'t self, other: &'t Self) -> Vec<&'t str> {
        let paths = self.entries.keys().chain(other.entries.keys().filter(|path| !self.entries.contains_key(*path)));
        paths.filter(|path| self.entries.get(*path) != other.entries.get(*path)).map(String::as_str).collect()
    }
}

fn walk(root: &Path, dir: &Path, entries: &mut BTreeMap<String, String>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let meta = fs::symlink_metadata(&path)?;
        let what = if meta.is_dir() {
            walk(root, &path, entries)?;
            "dir".to_owned()
        } else {
            Digest::of(&fs::read(&path)?).to_string()
        };
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        entries.insert(name, format!("{:o} {what}", mode(&meta)));
    }
    Ok(())
}

#[cfg(unix)]
fn mode(meta: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::mode(meta)
}

#[cfg(not(unix))]
fn mode(meta: &fs::Metadata) -> u32 {
    u32::from(meta.permissions().readonly())
}
