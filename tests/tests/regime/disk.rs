//! A disk as a power cut may leave it: what was flushed is there, of the rest whatever one likes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Of longer files only so much is kept.
pub(crate) const LONGEST: usize = 70_000;

/// One thing that was done to a file and is lost unless it is flushed.
#[derive(Clone, Debug)]
enum Edit {
    Grow(usize),
    Cut(usize),
    Write(usize, Vec<u8>),
    Mode(u32),
    Time(u64, u32),
}

/// One thing that was done to names in a directory.
#[derive(Clone, Debug)]
enum Naming {
    Link(String, usize),
    Unlink(String),
    Rename(String, String),
    Exchange(String, String),
}

/// What is in a file or directory.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Node {
    dir: bool,
    bytes: Vec<u8>,
    mode: u32,
    modified: (u64, u32),
}

impl Node {
    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Grow(to) => self.bytes.resize((*to).max(self.bytes.len()), 0),
            Edit::Cut(to) => self.bytes.resize(*to, 0),
            Edit::Write(at, bytes) => {
                self.bytes.resize(self.bytes.len().max(at + bytes.len()), 0);
                self.bytes[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Edit::Mode(mode) => self.mode = *mode,
            Edit::Time(seconds, nanos) => self.modified = (*seconds, *nanos),
        }
    }
}

/// The names and what is under them.
pub(crate) type Image = BTreeMap<String, Node>;

/// The disk while the program works.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    flushed: Vec<Node>,
    cached: Vec<Node>,
    edits: Vec<Vec<Edit>>,
    at: Vec<usize>,
    names: BTreeMap<String, usize>,
    cached_names: BTreeMap<String, usize>,
    namings: Vec<Naming>,
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

impl Naming {
    fn dir(&self) -> &str {
        match self {
            Self::Link(path, _) | Self::Unlink(path) | Self::Rename(path, _) | Self::Exchange(path, _) => parent(path),
        }
    }

    /// Does it, where it can be done without what is lost.
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Link(path, node) => drop(names.insert(path.clone(), *node)),
            Self::Unlink(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Exchange(a, b) => {
                if let (Some(&of_a), Some(&of_b)) = (names.get(a), names.get(b)) {
                    names.insert(a.clone(), of_b);
                    names.insert(b.clone(), of_a);
                }
            }
        }
    }
}

impl Disk {
    /// What is on the real disk under a directory now, all of it flushed.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self::default();
        disk.read(root);
        disk
    }

    fn read(&mut self, path: &Path) {
        let meta = fs::symlink_metadata(path).unwrap();
        let mut bytes = if meta.is_file() { fs::read(path).unwrap() } else { Vec::new() };
        bytes.truncate(LONGEST);
        let modified = (meta.mtime().cast_unsigned(), u32::try_from(meta.mtime_nsec()).unwrap());
        let node = self.node(Node { dir: meta.is_dir(), bytes, mode: meta.permissions().mode() & 0o7777, modified });
        let name = path.to_str().unwrap().to_owned();
        self.names.insert(name.clone(), node);
        self.cached_names.insert(name, node);
        if meta.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                self.read(&entry.unwrap().path());
            }
        }
    }

    fn node(&mut self, node: Node) -> usize {
        self.flushed.push(node.clone());
        self.cached.push(node);
        self.edits.push(Vec::new());
        self.at.push(0);
        self.cached.len() - 1
    }

    fn edit(&mut self, path: &str, edit: Edit) {
        if let Some(&node) = self.cached_names.get(path) {
            self.cached[node].edit(&edit);
            self.edits[node].push(edit);
        }
    }

    fn naming(&mut self, naming: Naming) {
        naming.apply(&mut self.cached_names);
        self.namings.push(naming);
    }

    pub(crate) fn make(&mut self, path: &str, dir: bool, mode: u32) {
        // The name is durable with its directory, the rest with the file; a directory's own mode comes with its name.
        let node = self.node(Node { dir, bytes: Vec::new(), mode, modified: (1, 0) });
        self.naming(Naming::Link(path.to_owned(), node));
    }

    pub(crate) fn open(&mut self, path: &str, mode: u32, append: bool, cut: bool) {
        match self.cached_names.get(path) {
            None => self.make(path, false, mode),
            Some(&node) => self.at[node] = if append { self.cached[node].bytes.len() } else { 0 },
        }
        if cut {
            self.cut(path, 0);
        }
    }

    pub(crate) fn write(&mut self, path: &str, bytes: Vec<u8>) {
        let Some(&node) = self.cached_names.get(path) else { return };
        let at = self.at[node];
        self.at[node] += bytes.len();
        self.edit(path, Edit::Write(at, bytes));
    }

    pub(crate) fn grow(&mut self, path: &str, to: usize) {
        self.edit(path, Edit::Grow(to));
    }

    pub(crate) fn cut(&mut self, path: &str, to: usize) {
        self.edit(path, Edit::Cut(to));
        if let Some(&node) = self.cached_names.get(path) {
            self.at[node] = self.at[node].min(to);
        }
    }

    pub(crate) fn mode(&mut self, path: &str, mode: u32) {
        self.edit(path, Edit::Mode(mode));
    }

    pub(crate) fn time(&mut self, path: &str, seconds: u64, nanos: u32) {
        self.edit(path, Edit::Time(seconds, nanos));
    }

    pub(crate) fn unlink(&mut self, path: &str) {
        self.naming(Naming::Unlink(path.to_owned()));
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str, exchange: bool) {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.naming(if exchange { Naming::Exchange(from, to) } else { Naming::Rename(from, to) });
    }

    /// A flush that succeeded.
    pub(crate) fn flush(&mut self, path: &str) {
        let Some(&node) = self.cached_names.get(path) else { return };
        self.flushed[node] = self.cached[node].clone();
        self.edits[node].clear();
        if self.cached[node].dir {
            let (mine, others) = std::mem::take(&mut self.namings).into_iter().partition(|naming: &Naming| naming.dir() == path);
            self.namings = others;
            let mine: Vec<Naming> = mine;
            mine.iter().for_each(|naming| naming.apply(&mut self.names));
        }
    }

    /// What may be found after a cut now. `keep` says of the n-th thing that is not flushed how much of it is there, from 0 to 1.
    pub(crate) fn left(&self, mut keep: impl FnMut(bool) -> f64) -> Image {
        let mut names = self.names.clone();
        for naming in &self.namings {
            if keep(true) > 0.5 {
                naming.apply(&mut names);
            }
        }
        let mut nodes = self.flushed.clone();
        for (node, edits) in nodes.iter_mut().zip(&self.edits) {
            for edit in edits {
                let share = keep(false);
                match edit {
                    Edit::Write(at, bytes) if share < 1.0 => {
                        // A torn tail: the size grew or it did not, and the rest are zeros or nothing.
                        let kept = (bytes.len() as f64 * share) as usize;
                        node.edit(&Edit::Write(*at, bytes[..kept].to_vec()));
                        if share > 0.6 {
                            node.edit(&Edit::Grow(at + bytes.len()));
                        }
                        break;
                    }
                    _ if share < 0.5 => break,
                    edit => node.edit(edit),
                }
            }
        }
        let there = |path: &str, names: &BTreeMap<String, usize>, top: &str| {
            let mut above = parent(path);
            while above.len() > top.len() {
                if !names.contains_key(above) {
                    return false;
                }
                above = parent(above);
            }
            true
        };
        let top = self.names.keys().next().map(|first| parent(first).to_owned()).unwrap_or_default();
        names.iter().filter(|(path, _)| there(path, &names, &top)).map(|(path, node)| (path.clone(), nodes[*node].clone())).collect()
    }
}

/// Puts an image on the real disk, in place of what is in these directories.
pub(crate) fn put(image: &Image, places: [&Path; 2]) {
    for place in places {
        if place.exists() {
            fs::remove_dir_all(place).unwrap();
        }
    }
    for (path, node) in image.iter().filter(|(path, _)| places.iter().any(|place| Path::new(path).starts_with(place))) {
        if node.dir {
            fs::create_dir(path).unwrap();
        } else {
            fs::write(path, &node.bytes).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::new(node.modified.0, node.modified.1);
            fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        }
        fs::set_permissions(path, fs::Permissions::from_mode(node.mode)).unwrap();
    }
}
