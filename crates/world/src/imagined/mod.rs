//! A world that is only imagined: what steps would set, over something that can only be looked at.

mod layer;

use crate::act::Source;
use crate::error::WorldError;
use crate::look::{Endpoint, Entry, EntryKind, Look, Output, Process, Reply};
use crate::path::join;
use crate::store::Blobs;
use crate::walk;
use layer::{Contents, Found, Layer, Stamp, equal};
use model::effect::Change;
use model::id::StepId;
use model::program::Program;
use model::resource::{Resource, ResourceKind};
use model::state::{Content, Meta, State};
use model::value::May;
use std::collections::HashMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A copy-on-write layer of resources over a world. It never writes below. Behaviour is asked of the world below.
pub struct Imagined<'w> {
    base: &'w dyn Look,
    blobs: Option<&'w dyn Blobs>,
    layer: Mutex<Layer>,
    /// What files were when they were looked at first: a plan is of one moment. None in a fork, under which the world goes on.
    seen: Option<Mutex<HashMap<Box<str>, State>>>,
    /// Where programs were found: a thousand steps ask for the same one.
    programs: Mutex<HashMap<String, String>>,
}

impl<'w> Imagined<'w> {
    /// An empty layer.
    pub fn new(base: &'w dyn Look) -> Self {
        Self { base, blobs: None, layer: Mutex::default(), seen: Some(Mutex::default()), programs: Mutex::default() }
    }

    /// The bytes of what is set from blobs can be read too.
    #[must_use]
    pub fn with_blobs(mut self, blobs: &'w dyn Blobs) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// A second layer over this one, for another option of a decision.
    pub fn fork(&self) -> Imagined<'_> {
        Imagined { base: self, blobs: self.blobs, layer: Mutex::default(), seen: None, programs: Mutex::default() }
    }

    /// From now on the resource is as `after` says, its bytes those of `source` as they are now.
    pub fn imagine(&self, change: &Change, source: &Source) {
        self.layer().imagine(change, source);
    }

    /// From now on the resource, and all below it, is unknown before that step has run.
    pub fn forget(&self, what: &Resource, until: &StepId) {
        // What it was is remembered so that this can be taken back; if it cannot be told, it is as unknown as what follows.
        let before = self.state(what).unwrap_or_else(|_| State::Unknown { until: until.clone() });
        self.layer().forget(what, before, until);
    }

    /// Takes the latest change of a resource back: it must be as `after` says and becomes what it was before, which must be
    /// what `before` says.
    ///
    /// # Errors
    /// What was found instead.
    pub fn take_back(&self, change: &Change) -> Result<(), Box<State>> {
        let found = self.top(change);
        if !equal(&found, &change.after) {
            return Err(Box::new(found));
        }
        let dropped = self.layer().drop_latest(&change.resource);
        let now = self.top(change);
        if dropped.is_none() || !(equal(&now, &change.before) || matches!(change.before, State::Unknown { .. })) {
            return Err(Box::new(now));
        }
        Ok(())
    }

    /// What was set last is as if it had not been.
    pub fn drop_latest(&self, what: &Resource) {
        self.layer().drop_latest(what);
    }

    /// A later change that stays has already made of the resource what it was before this one: both are dropped.
    pub fn drop_with_later(&self, change: &Change) {
        while !equal(&self.top(change), &change.after) && self.layer().drop_latest(&change.resource).is_some() {}
        self.layer().drop_latest(&change.resource);
    }

    fn top(&self, change: &Change) -> State {
        let tree = change.is_of_tree();
        if tree && let Some(state) = self.layer().whole(&change.resource.name) {
            return state.clone();
        }
        match self.state(&change.resource) {
            Ok(state) => state,
            Err(_) => State::Foreign { what: "not readable".to_owned() },
        }
    }

    /// A file in the world below.
    fn below(&self, path: &str) -> Result<State, WorldError> {
        let look = || self.base.state(&Resource::file(path));
        let Some(seen) = &self.seen else { return look() };
        let seen = || seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen().get(path).cloned();
        match known {
            Some(state) => Ok(state),
            None => {
                let state = look()?;
                seen().insert(path.into(), state.clone());
                Ok(state)
            }
        }
    }

    fn layer(&self) -> MutexGuard<'_, Layer> {
        self.layer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, path: &str) -> Found {
        let layer = self.layer();
        layer.find(path, layer.now())
    }

    fn open_at(&self, path: &str, stamp: Option<Stamp>) -> Result<Box<dyn Read + '_>, WorldError> {
        let found = {
            let layer = self.layer();
            layer.find(path, stamp.unwrap_or(layer.now()))
        };
        let (state, contents) = match found {
            Found::Base(path) => return self.base.open(&path),
            Found::Unknown(until) => return Err(WorldError::Unknown { until }),
            Found::Here(state, contents) => (state, contents),
        };
        match state {
            State::File(file) => {
                if let Content::Unknown { until } = file.content {
                    return Err(WorldError::Unknown { until });
                }
            }
            State::Absent => return Err(WorldError::io("open", path, io::ErrorKind::NotFound.into())),
            State::Foreign { what } => return Err(WorldError::Refused { name: path.to_owned(), reason: format!("it is a {what}") }),
            _ => return Err(WorldError::io("open", path, io::ErrorKind::IsADirectory.into())),
        }
        match contents {
            Contents::Base => self.base.open(path),
            Contents::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.to_vec()))),
            Contents::At { path, stamp } => self.open_at(&path, Some(stamp)),
            Contents::Blob(blob) => match self.blobs {
                Some(blobs) => blobs.open(&blob),
                None => Err(unavailable(path)),
            },
            Contents::Nothing | Contents::Copies(_) => Err(unavailable(path)),
        }
    }
}

impl Look for Imagined<'_> {
    fn folds_case(&self) -> bool {
        self.base.folds_case()
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        if what.kind != ResourceKind::File {
            let known = self.layer().other(what).cloned();
            return known.map_or_else(|| self.base.state(what), Ok);
        }
        match self.find(&what.name) {
            Found::Base(path) => self.below(&path),
            Found::Unknown(until) => Ok(State::Unknown { until }),
            // By itself, without what is in it.
            Found::Here(State::Tree(_), Contents::Base) => self.base.state(what),
            Found::Here(State::Tree(_), _) => Ok(State::Dir(Meta::default())),
            Found::Here(state, _) => Ok(state),
        }
    }

    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        if what.kind != ResourceKind::File {
            return self.state(what);
        }
        let path = &*what.name;
        let untouched = {
            let layer = self.layer();
            layer.is_untouched() || (matches!(layer.find(path, layer.now()), Found::Base(p) if p == path) && !layer.has_below(path, 0))
        };
        if untouched { self.base.tree(what, exclude, manifest) } else { walk::tree(self, path, exclude, manifest) }
    }

    fn may_be_set(&self, path: &str) -> Result<(), WorldError> {
        match self.find(path) {
            Found::Base(path) => self.base.may_be_set(&path),
            // What a step before has set could be set, and can be set again.
            Found::Unknown(_) | Found::Here(..) => Ok(()),
        }
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        self.open_at(path, None)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        let (found, names) = {
            let layer = self.layer();
            (layer.find(path, layer.now()), layer.names(path, layer.now()))
        };
        match found {
            Found::Unknown(until) => return Err(WorldError::Unknown { until }),
            Found::Here(State::Absent, _) => return Err(WorldError::io("list", path, io::ErrorKind::NotFound.into())),
            Found::Here(State::File(_) | State::Foreign { .. }, _) => {
                return Err(WorldError::io("list", path, io::ErrorKind::NotADirectory.into()));
            }
            Found::Base(_) | Found::Here(..) => {}
        }
        let names = names.map_err(|until| WorldError::Unknown { until })?;
        let mut entries = match &names.base {
            Some(base) => self.base.list(base)?,
            None => Vec::new(),
        };
        entries.retain(|entry| !names.here.contains(&entry.name));
        if names.base.is_some_and(|base| base != path) {
            // A copy of a directory below may leave something out.
            entries.retain(|entry| !matches!(self.find(&join(path, &entry.name)), Found::Here(State::Absent, _)));
        }
        for name in names.here {
            let (kind, length) = match self.state(&Resource::file(&join(path, &name)))? {
                State::Absent => continue,
                State::Unknown { until } => return Err(WorldError::Unknown { until }),
                State::File(file) => (EntryKind::File, if let Content::Plain { length, .. } = file.content { length } else { 0 }),
                State::Dir(_) | State::Tree(_) => (EntryKind::Dir, 0),
                State::Foreign { .. } | State::Service(_) => (EntryKind::Foreign, 0),
            };
            entries.push(Entry { name, kind, length });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn services(&self) -> Result<Vec<String>, WorldError> {
        self.base.services()
    }

    fn reload(&self, service: &str) -> Result<Program, WorldError> {
        self.base.reload(service)
    }

    fn program(&self, name: &str) -> Result<String, WorldError> {
        let mut known = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(name) {
            return Ok(found.clone());
        }
        let found = self.base.program(name)?;
        known.insert(name.to_owned(), found.clone());
        Ok(found)
    }

    fn room(&self, path: &str) -> Result<May<u64>, WorldError> {
        self.base.room(path)
    }

    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        self.base.processes()
    }

    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        self.base.connect(endpoint)
    }

    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        self.base.output(program)
    }
}

fn unavailable(path: &str) -> WorldError {
    WorldError::Unavailable { what: format!("the contents of `{path}` before the run") }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests;
