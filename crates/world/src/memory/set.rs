//! Setting resources of a machine in memory.

use super::Memory;
use super::machine::{Machine, Node};
use crate::act::{Setting, Source};
use crate::error::WorldError;
use crate::look::Look;
use crate::manifest::{self, Kind, LINK};
use crate::meta::resolved;
use crate::path::{below, join, last, parent};
use crate::store::Blobs;
use model::digest::Digest;
use model::resource::{Resource, ResourceKind};
use model::state::{Content, FileState, State};
use std::io::{self, BufReader, Read};
use std::sync::Arc;

impl Memory {
    pub(super) fn set_one(&self, setting: &Setting, blobs: &dyn Blobs) -> Result<State, WorldError> {
        let change = &setting.change;
        let whole = change.is_of_tree();
        let found = self.look_at(&change.resource, whole)?;
        if let State::Foreign { what } = &found {
            return Err(WorldError::Refused { name: change.resource.name.to_string(), reason: format!("it is a {what}") });
        }
        if !found.fits(&change.before) {
            let (expected, found) = (Box::new(change.before.clone()), Box::new(found));
            return Err(WorldError::Moved { resource: change.resource.clone(), expected, found });
        }
        match change.resource.kind {
            ResourceKind::File => self.set_file(setting, &found, blobs)?,
            ResourceKind::Service => match &change.after {
                State::Service(after) => drop(self.machine().services.insert(change.resource.name.to_string(), after.clone())),
                _ => drop(self.machine().services.remove(&*change.resource.name)),
            },
            ResourceKind::Task | ResourceKind::Registry | ResourceKind::Other => {
                return Err(WorldError::Unavailable { what: format!("setting `{}`", change.resource) });
            }
        }
        if !matches!(change.after, State::Tree(_)) {
            return self.state(&change.resource);
        }
        let mut manifest = Vec::new();
        let observed = self.tree(&change.resource, &[], &mut manifest)?;
        setting.account.lists(manifest);
        Ok(observed)
    }

    fn look_at(&self, what: &Resource, whole: bool) -> Result<State, WorldError> {
        if whole { self.tree(what, &[], &mut io::sink()) } else { self.state(what) }
    }

    fn set_file(&self, setting: &Setting, found: &State, blobs: &dyn Blobs) -> Result<(), WorldError> {
        let path = &*setting.change.resource.name;
        let mut machine = self.machine();
        if parent(path).is_some_and(|dir| !machine.is_dir(dir)) {
            return Err(WorldError::io("write", path, io::ErrorKind::NotFound.into()));
        }
        match &setting.change.after {
            State::Absent => {
                if matches!(setting.change.before, State::Dir(_)) && !machine.list(path)?.is_empty() {
                    return Err(WorldError::io("remove", path, io::ErrorKind::DirectoryNotEmpty.into()));
                }
                machine.remove(path);
            }
            State::File(after) => {
                let bytes = bytes(&machine, path, after, &setting.source, blobs)?;
                setting.account.writes(bytes.len() as u64);
                let before = if let State::File(before) = found { Some(&before.meta) } else { None };
                let meta = machine.full(&resolved(&after.meta, before, 0o644), 0o644);
                machine.remove(path);
                machine.put(path, Node::File { bytes, meta });
            }
            State::Dir(after) => {
                let before = if let State::Dir(before) = found { Some(before) } else { None };
                let meta = machine.full(&resolved(after, before, 0o755), 0o755);
                if !matches!(found, State::Dir(_)) {
                    machine.remove(path);
                }
                machine.put(path, Node::Dir(meta));
            }
            State::Tree(_) => {
                let nodes = tree(&machine, setting, blobs)?;
                machine.remove(path);
                machine.dir(path);
                for (relative, node) in nodes {
                    machine.put(&join(path, &relative), node);
                }
            }
            State::Service(_) | State::Foreign { .. } | State::Unknown { .. } => {
                return Err(WorldError::Refused { name: path.to_owned(), reason: "no file can become that".to_owned() });
            }
        }
        Ok(())
    }
}

fn bytes(machine: &Machine, path: &str, after: &FileState, source: &Source, blobs: &dyn Blobs) -> Result<Arc<Vec<u8>>, WorldError> {
    let own = |path: &str| machine.read(path).ok_or_else(|| WorldError::io("read", path, io::ErrorKind::NotFound.into()));
    let bytes = match source {
        Source::Nothing => own(path)?,
        Source::Bytes(bytes) => Arc::new(bytes.to_vec()),
        Source::File { path } => own(path)?,
        Source::Blob(blob) => Arc::new(whole(blob, blobs)?),
        Source::Trees { .. } | Source::Stdout => return Err(WorldError::Unavailable { what: "this source of a file".to_owned() }),
    };
    match &after.content {
        Content::Plain { sha256, .. } if *sha256 != Digest::of(&bytes) => {
            Err(WorldError::Refused { name: path.to_owned(), reason: "the bytes are not those that were announced".to_owned() })
        }
        _ => Ok(bytes),
    }
}

fn whole(blob: &Digest, blobs: &dyn Blobs) -> Result<Vec<u8>, WorldError> {
    let mut bytes = Vec::new();
    blobs.open(blob)?.read_to_end(&mut bytes).map_err(|e| WorldError::io("read", blob.as_str(), e))?;
    Ok(bytes)
}

/// What a tree is made of, parents first, by relative path.
fn tree(machine: &Machine, setting: &Setting, blobs: &dyn Blobs) -> Result<Vec<(String, Node)>, WorldError> {
    let mut nodes = Vec::new();
    match &setting.source {
        Source::Nothing => {}
        Source::Blob(blob) => {
            for line in manifest::read(BufReader::new(blobs.open(blob)?)) {
                let line = line?;
                let node = match line.is {
                    Kind::Dir => Node::Dir(line.meta()),
                    Kind::Link => Node::Foreign(format!("{LINK}{}", line.to.as_deref().unwrap_or_default())),
                    Kind::File => {
                        let meta = line.meta();
                        let blob = line.sha256.ok_or_else(|| WorldError::Damaged(blob.to_string()))?;
                        Node::File { bytes: Arc::new(whole(&blob, blobs)?), meta }
                    }
                    Kind::Foreign => return Err(foreign(&line.path)),
                };
                nodes.push((line.path, node));
            }
        }
        Source::Trees { sources, exclude, leave_locked } => {
            let exclude = manifest::globs(exclude)?;
            for source in sources {
                let mut found = false;
                for (path, node) in machine.under(source) {
                    let relative = below(path, source).unwrap_or_default();
                    if manifest::is_excluded(&exclude, relative) {
                        continue;
                    }
                    if matches!(node, Node::Foreign(what) if !what.starts_with(LINK)) {
                        return Err(foreign(path));
                    }
                    found = true;
                    match node {
                        Node::File { .. } if machine.locked.contains(path) && *leave_locked => {
                            setting.account.leaves_out(path);
                            continue;
                        }
                        Node::File { .. } if machine.locked.contains(path) => {
                            return Err(WorldError::io("copy", path, io::ErrorKind::PermissionDenied.into()));
                        }
                        Node::File { bytes, .. } => setting.account.writes(bytes.len() as u64),
                        Node::Dir(_) | Node::Foreign(_) => {}
                    }
                    let inside = if relative.is_empty() { last(source).to_owned() } else { format!("{}/{relative}", last(source)) };
                    nodes.push((inside, node.clone()));
                }
                if !found {
                    return Err(WorldError::io("copy", source.as_str(), io::ErrorKind::NotFound.into()));
                }
            }
        }
        Source::Bytes(_) | Source::File { .. } | Source::Stdout => {
            return Err(WorldError::Unavailable { what: "this source of a directory".to_owned() });
        }
    }
    Ok(nodes)
}

fn foreign(path: &str) -> WorldError {
    WorldError::Refused { name: path.to_owned(), reason: "it is neither a file, a directory nor a link".to_owned() }
}
