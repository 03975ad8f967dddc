//! What a machine in memory is made of.

use crate::error::WorldError;
use crate::look::{Endpoint, Entry, EntryKind, Process, Reply};
use crate::path::{above, below, join, last, parent};
use jiff::Timestamp;
use model::digest::Digest;
use model::state::{Meta, ServiceState, State};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

/// A whole machine: files, services, programs that run, endpoints. Tests and programs of [`super::Memory`] change it at will.
#[derive(Clone, Debug)]
pub struct Machine {
    /// By path; the root is always there.
    nodes: BTreeMap<String, Node>,
    /// By name.
    pub services: BTreeMap<String, ServiceState>,
    /// The running programs.
    pub processes: Vec<Process>,
    /// What answers. What is not named is silent.
    pub endpoints: Vec<(Endpoint, Reply)>,
    /// Files that nobody can read.
    pub locked: BTreeSet<String>,
    /// Free bytes.
    pub room: u64,
    now: i64,
}

/// A file, a directory, or something that is never touched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Node {
    File { bytes: Arc<Vec<u8>>, meta: Meta },
    Dir(Meta),
    Foreign(String),
}

/// Something in a directory with its bytes, if it is a file: for comparing whole worlds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Snapshot {
    /// Its state, times included.
    pub state: State,
    /// The bytes of a file.
    pub bytes: Option<Arc<Vec<u8>>>,
}

impl Machine {
    /// An empty machine: a root directory, 1 TiB free, the clock at 2026-01-01.
    pub(super) fn new() -> Self {
        let mut machine = Self {
            nodes: BTreeMap::new(),
            services: BTreeMap::new(),
            processes: Vec::new(),
            endpoints: Vec::new(),
            locked: BTreeSet::new(),
            room: 1 << 40,
            now: 1_767_225_600,
        };
        let root = machine.full(&Meta::default(), 0o755);
        machine.nodes.insert("/".to_owned(), Node::Dir(root));
        machine
    }

    /// Writes a file and the directories above it; an existing one keeps its mode and owner.
    pub fn write(&mut self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.dir_above(path);
        let meta = match self.nodes.get(path) {
            Some(Node::File { meta, .. }) => Meta { modified: None, ..meta.clone() },
            _ => Meta::default(),
        };
        let meta = self.full(&meta, 0o644);
        self.nodes.insert(path.to_owned(), Node::File { bytes: Arc::new(bytes.into()), meta });
    }

    /// Makes a directory and those above it.
    pub fn dir(&mut self, path: &str) {
        self.dir_above(path);
        let meta = self.full(&Meta::default(), 0o755);
        self.nodes.entry(path.to_owned()).or_insert(Node::Dir(meta));
    }

    /// Puts something there that is never touched, in words: `link to /etc`, `fifo`.
    pub fn foreign(&mut self, path: &str, what: &str) {
        self.dir_above(path);
        self.nodes.insert(path.to_owned(), Node::Foreign(what.to_owned()));
    }

    /// Changes mode, owner, group or times of what is there.
    pub fn change_meta(&mut self, path: &str, change: impl FnOnce(&mut Meta)) {
        if let Some(Node::File { meta, .. } | Node::Dir(meta)) = self.nodes.get_mut(path) {
            change(meta);
        }
    }

    /// Removes what is there, with everything below it.
    pub fn remove(&mut self, path: &str) {
        self.nodes.retain(|p, _| below(p, path).is_none());
    }

    /// The bytes of a file.
    pub fn read(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        match self.nodes.get(path) {
            Some(Node::File { bytes, .. }) => Some(bytes.clone()),
            _ => None,
        }
    }

    /// Everything, to be compared.
    pub fn snapshot(&self) -> BTreeMap<String, Snapshot> {
        let services =
            self.services.iter().map(|(name, state)| (format!("service:{name}"), Snapshot { state: State::Service(state.clone()), bytes: None }));
        let files = self.nodes.keys().map(|path| (path.clone(), Snapshot { state: self.state(path), bytes: self.read(path) }));
        services.chain(files).collect()
    }

    pub(super) fn state(&self, path: &str) -> State {
        match self.nodes.get(path) {
            None => State::Absent,
            Some(Node::File { bytes, meta }) => State::file(Digest::of(bytes), bytes.len() as u64, meta.clone()),
            Some(Node::Dir(meta)) => State::Dir(meta.clone()),
            Some(Node::Foreign(what)) => State::Foreign { what: what.clone() },
        }
    }

    pub(super) fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        let Some(Node::Dir(_)) = self.nodes.get(path) else {
            return Err(WorldError::io("list", path, io::ErrorKind::NotADirectory.into()));
        };
        let inside = self.nodes.range(join(path, "\0")..).take_while(|(p, _)| below(p, path).is_some());
        let children = inside.filter(|(p, _)| parent(p) == Some(path));
        Ok(children
            .map(|(p, node)| {
                let (kind, length) = match node {
                    Node::File { bytes, .. } => (EntryKind::File, bytes.len() as u64),
                    Node::Dir(_) => (EntryKind::Dir, 0),
                    Node::Foreign(_) => (EntryKind::Foreign, 0),
                };
                Entry { name: last(p).to_owned(), kind, length }
            })
            .collect())
    }

    /// Refuses a path that leads through a link.
    pub(super) fn reachable(&self, path: &str) -> Result<(), WorldError> {
        for dir in above(path) {
            match self.nodes.get(dir) {
                Some(Node::Dir(_) | Node::File { .. }) | None => {}
                Some(Node::Foreign(what)) => {
                    return Err(WorldError::Refused { name: path.to_owned(), reason: format!("`{dir}` is a {what}") });
                }
            }
        }
        Ok(())
    }

    /// It and everything below it, parents first.
    pub(super) fn under(&self, path: &str) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().filter(move |(p, _)| below(p, path).is_some()).map(|(p, node)| (p.as_str(), node))
    }

    /// Lets two names change places; if there is nothing under the first, the second is renamed to it.
    pub(super) fn exchange(&mut self, a: &str, b: &str) -> Result<(), WorldError> {
        let mut take = |path: &str| {
            let all: Vec<(String, Node)> = self.under(path).map(|(p, node)| (below(p, path).unwrap_or_default().to_owned(), node.clone())).collect();
            self.remove(path);
            all
        };
        let (at_a, at_b) = (take(a), take(b));
        if at_b.is_empty() {
            return Err(WorldError::io("put back", b, io::ErrorKind::NotFound.into()));
        }
        for (path, nodes) in [(a, at_b), (b, at_a)] {
            nodes.into_iter().for_each(|(relative, node)| self.put(&join(path, &relative), node));
        }
        Ok(())
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        matches!(self.nodes.get(path), Some(Node::Dir(_)))
    }

    pub(super) fn put(&mut self, path: &str, node: Node) {
        self.nodes.insert(path.to_owned(), node);
    }

    /// What a node gets where its state leaves something open.
    pub(super) fn full(&mut self, meta: &Meta, mode: u32) -> Meta {
        Meta {
            mode: meta.mode.or(Some(mode)),
            owner: meta.owner.clone().or_else(|| Some("0".to_owned())),
            group: meta.group.clone().or_else(|| Some("0".to_owned())),
            extra: meta.extra.clone(),
            modified: meta.modified.or_else(|| Some(self.tick())),
        }
    }

    fn dir_above(&mut self, path: &str) {
        if let Some(dir) = parent(path) {
            self.dir(dir);
        }
    }

    /// Its own clock: every write is a second later.
    fn tick(&mut self) -> Timestamp {
        self.now += 1;
        Timestamp::from_second(self.now).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
