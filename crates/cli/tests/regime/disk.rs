//! A disk as a power cut may leave it: what was flushed is there, of the rest whatever one likes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Of longer files only so much is kept.
pub(crate) const LONGEST: usize = 70_000;

/// One thing that was done to a file and is lost unless it is flushed.
#[derive(Clone, Debug)]
enum Edit {
    Grow(usize),
    Cut(usize),
    Write(usize, Arc<Vec<u8>>),
    Mode(u32),
    Time(u64, u32),
}

/// One thing that was done to the names in a directory.
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
    pub(crate) dir: bool,
    pub(crate) bytes: Arc<Vec<u8>>,
    mode: u32,
    modified: (u64, u32),
}

type Names = BTreeMap<String, usize>;

/// A file or directory: as it is on the disk, as it is in the cache, and what lies between.
#[derive(Clone)]
struct Inode {
    flushed: Node,
    cached: Node,
    edits: Vec<Edit>,
    /// Where the next write goes.
    at: usize,
    names: Names,
    cached_names: Names,
    namings: Vec<Naming>,
}

/// The paths and what is under them.
pub(crate) type Image = BTreeMap<String, Node>;

/// The disk while the program works.
#[derive(Clone)]
pub(crate) struct Disk {
    root: String,
    /// The first is the root.
    inodes: Vec<Inode>,
}

impl Node {
    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Grow(to) if *to <= self.bytes.len() => {}
            Edit::Grow(to) | Edit::Cut(to) => Arc::make_mut(&mut self.bytes).resize(*to, 0),
            Edit::Write(at, written) => {
                let bytes = Arc::make_mut(&mut self.bytes);
                bytes.resize(bytes.len().max(at + written.len()), 0);
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
            Edit::Mode(mode) => self.mode = *mode,
            Edit::Time(seconds, nanos) => self.modified = (*seconds, *nanos),
        }
    }
}

impl Naming {
    /// Does it, where it can be done without what is lost.
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Link(name, node) => drop(names.insert(name.clone(), *node)),
            Self::Unlink(name) => drop(names.remove(name)),
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
        let mut image = Image::new();
        read(root, &mut image);
        Self::from(&image)
    }

    /// What is on a disk that was left so, all of it flushed.
    pub(crate) fn from(image: &Image) -> Self {
        let (root, top) = image.first_key_value().unwrap();
        let mut disk = Self { root: root.clone(), inodes: Vec::new() };
        disk.inode(top.clone());
        for (path, node) in image.iter().skip(1) {
            let inode = disk.inode(node.clone());
            let (above, name) = disk.place(path).unwrap();
            disk.inodes[above].names.insert(name.to_owned(), inode);
            disk.inodes[above].cached_names.insert(name.to_owned(), inode);
        }
        disk
    }

    fn inode(&mut self, node: Node) -> usize {
        let (names, cached_names) = (Names::new(), Names::new());
        self.inodes.push(Inode { flushed: node.clone(), cached: node, edits: Vec::new(), at: 0, names, cached_names, namings: Vec::new() });
        self.inodes.len() - 1
    }

    /// What a program finds under a path.
    fn find(&self, path: &str) -> Option<usize> {
        let below = path.strip_prefix(&self.root)?;
        below.split('/').filter(|part| !part.is_empty()).try_fold(0, |at: usize, part| self.inodes[at].cached_names.get(part).copied())
    }

    fn place<'p>(&self, path: &'p str) -> Option<(usize, &'p str)> {
        let (above, name) = path.rsplit_once('/')?;
        Some((self.find(above)?, name))
    }

    fn edit(&mut self, path: &str, edit: Edit) {
        if let Some(inode) = self.find(path) {
            let inode = &mut self.inodes[inode];
            inode.cached.edit(&edit);
            inode.edits.push(edit);
        }
    }

    fn naming(&mut self, above: usize, naming: Naming) {
        let above = &mut self.inodes[above];
        naming.apply(&mut above.cached_names);
        above.namings.push(naming);
    }

    pub(crate) fn make(&mut self, path: &str, dir: bool, mode: u32) {
        let Some((above, name)) = self.place(path) else { return };
        // The name is durable with its directory, the rest with the file; a directory's own mode comes with its name.
        let inode = self.inode(Node { dir, bytes: Arc::default(), mode, modified: (1, 0) });
        self.naming(above, Naming::Link(name.to_owned(), inode));
    }

    pub(crate) fn open(&mut self, path: &str, mode: u32, append: bool, cut: bool) {
        match self.find(path) {
            None => self.make(path, false, mode),
            Some(inode) => self.inodes[inode].at = if append { self.inodes[inode].cached.bytes.len() } else { 0 },
        }
        if cut {
            self.cut(path, 0);
        }
    }

    pub(crate) fn write(&mut self, path: &str, bytes: Vec<u8>) {
        let Some(inode) = self.find(path) else { return };
        let at = self.inodes[inode].at;
        self.inodes[inode].at += bytes.len();
        self.edit(path, Edit::Write(at, Arc::new(bytes)));
    }

    pub(crate) fn grow(&mut self, path: &str, to: usize) {
        self.edit(path, Edit::Grow(to));
    }

    pub(crate) fn cut(&mut self, path: &str, to: usize) {
        self.edit(path, Edit::Cut(to));
        if let Some(inode) = self.find(path) {
            self.inodes[inode].at = self.inodes[inode].at.min(to);
        }
    }

    pub(crate) fn mode(&mut self, path: &str, mode: u32) {
        self.edit(path, Edit::Mode(mode));
    }

    pub(crate) fn time(&mut self, path: &str, seconds: u64, nanos: u32) {
        self.edit(path, Edit::Time(seconds, nanos));
    }

    pub(crate) fn unlink(&mut self, path: &str) {
        if let Some((above, name)) = self.place(path) {
            self.naming(above, Naming::Unlink(name.to_owned()));
        }
    }

    /// Within one directory: everything of ours is staged beside its target.
    pub(crate) fn rename(&mut self, from: &str, to: &str, exchange: bool) {
        let (Some((above, from)), Some((other, to))) = (self.place(from), self.place(to)) else { return };
        assert_eq!(above, other, "renamed from one directory to another");
        let (from, to) = (from.to_owned(), to.to_owned());
        self.naming(above, if exchange { Naming::Exchange(from, to) } else { Naming::Rename(from, to) });
    }

    /// A flush that succeeded: what was waiting is on the disk. What an earlier one lost does not come back.
    pub(crate) fn flush(&mut self, path: &str) {
        let Some(inode) = self.find(path) else { return };
        let inode = &mut self.inodes[inode];
        inode.edits.drain(..).for_each(|edit| inode.flushed.edit(&edit));
        inode.namings.drain(..).for_each(|naming| naming.apply(&mut inode.names));
    }

    /// A flush that failed: what was waiting in a file is in the cache only, and counts as written. Names go on waiting: they
    /// are in the file system's journal, which is written or is the end of all writing.
    pub(crate) fn lose(&mut self, path: &str) {
        let Some(inode) = self.find(path) else { return };
        self.inodes[inode].edits.clear();
    }

    /// What a program sees now.
    pub(crate) fn cached(&self) -> Image {
        let cached: Vec<(Node, &Names)> = self.inodes.iter().map(|inode| (inode.cached.clone(), &inode.cached_names)).collect();
        self.image(&cached)
    }

    /// What may be found after a cut now. `keep` says of the n-th thing that is not flushed how much of it is there, from 0
    /// to 1; it is told whether that is a name.
    pub(crate) fn left(&self, mut keep: impl FnMut(bool) -> f64) -> Image {
        let mut all: Vec<(Node, Names)> = Vec::new();
        for inode in &self.inodes {
            let mut names = inode.names.clone();
            inode.namings.iter().filter(|_| keep(true) > 0.5).for_each(|naming| naming.apply(&mut names));
            let mut node = inode.flushed.clone();
            for edit in &inode.edits {
                let share = keep(false);
                match edit {
                    Edit::Write(at, bytes) if share < 1.0 => {
                        // A torn tail: the size grew or it did not, and the rest are zeros or nothing.
                        let kept = (bytes.len() as f64 * share) as usize;
                        node.edit(&Edit::Write(*at, Arc::new(bytes[..kept].to_vec())));
                        if share > 0.6 {
                            node.edit(&Edit::Grow(at + bytes.len()));
                        }
                        break;
                    }
                    _ if share < 0.5 => break,
                    edit => node.edit(edit),
                }
            }
            all.push((node, names));
        }
        let all: Vec<(Node, &Names)> = all.iter().map(|(node, names)| (node.clone(), names)).collect();
        self.image(&all)
    }

    fn image(&self, inodes: &[(Node, &Names)]) -> Image {
        let mut image = Image::new();
        let mut next = vec![(self.root.clone(), 0)];
        while let Some((path, inode)) = next.pop() {
            let (node, names) = &inodes[inode];
            next.extend(names.iter().map(|(name, inode)| (format!("{path}/{name}"), *inode)));
            image.insert(path, node.clone());
        }
        image
    }
}

fn read(path: &Path, image: &mut Image) {
    let meta = fs::symlink_metadata(path).unwrap();
    let mut bytes = if meta.is_file() { fs::read(path).unwrap() } else { Vec::new() };
    bytes.truncate(LONGEST);
    let modified = (meta.mtime().cast_unsigned(), u32::try_from(meta.mtime_nsec()).unwrap());
    let node = Node { dir: meta.is_dir(), bytes: Arc::new(bytes), mode: meta.permissions().mode() & 0o7777, modified };
    image.insert(path.to_str().unwrap().to_owned(), node);
    if meta.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            read(&entry.unwrap().path(), image);
        }
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
            fs::write(path, &*node.bytes).unwrap();
            let modified = SystemTime::UNIX_EPOCH + Duration::new(node.modified.0, node.modified.1);
            fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
        }
        fs::set_permissions(path, fs::Permissions::from_mode(node.mode)).unwrap();
    }
}
