//! One resource on its way from what it is to what it will be.

use super::flush::Flush;
use super::place::Place;
use super::remove::remove;
use super::stage::Built;
use super::sys::{self, Dir, Kind, Seen};
use super::{Files, read};
use crate::act::{Setting, Source};
use crate::error::WorldError;
use crate::manifest::{Writer, globs};
use crate::meta::resolved;
use crate::path::{gone, last, staging};
use crate::store::Blobs;
use model::state::{Content, Meta, State, TreeState};
use sha2::{Digest as _, Sha256};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

/// Files up to this length are read again after the swap; of longer ones the file system's word is taken.
const SMALL: u64 = 1 << 20;

/// One resource on its way.
pub(super) struct Task<'s> {
    setting: &'s Setting,
    pub(super) place: Place,
    staging: OsString,
    found: Found,
    work: Work,
    /// What was there lies under the staging name.
    aside: bool,
    removed: bool,
}

/// What was there at the last look.
struct Found {
    state: State,
    seen: Option<Seen>,
    /// Over everything in a directory, by what the file system tells of it.
    print: Option<[u8; 32]>,
}

enum Work {
    Nothing,
    Remove,
    /// Only mode, owner, access lists or times.
    Dress,
    Dressed(Handle),
    /// Staged.
    New(Handle),
    Tree(Box<TreeState>),
}

pub(super) enum Handle {
    File(File),
    Dir(Dir),
}

impl Files {
    /// Looks, compares and stages.
    pub(super) fn prepare<'s>(&self, setting: &'s Setting, blobs: &dyn Blobs) -> Result<Task<'s>, WorldError> {
        let change = &setting.change;
        let path = &*change.resource.name;
        let place = self.place(path)?;
        let whole = change.is_of_tree();
        let found = Found::look(&place, &place.name, whole)?;
        found.may_be_set(&place)?;
        if !found.state.fits(&change.before) {
            return Err(moved(setting, found.state));
        }
        let name = setting.staging.clone().or_else(|| staging(path, "0")).unwrap_or_default();
        let mut task = Task { setting, staging: sys::name(last(&name)), place, found, work: Work::Nothing, aside: false, removed: false };
        // Not ours: it must not be removed when staging fails.
        if task.place.dir.look(&task.staging).map_err(|e| task.place.failed("write", e))?.is_some() {
            return Err(task.place.refused(format!("`{name}` is in its way")));
        }
        match self.stage(&task, blobs) {
            Ok(work) => {
                task.work = work;
                Ok(task)
            }
            Err(poisoned @ WorldError::Poisoned { .. }) => Err(poisoned),
            Err(error) => {
                task.drop_staging();
                Err(error)
            }
        }
    }

    fn stage(&self, task: &Task<'_>, blobs: &dyn Blobs) -> Result<Work, WorldError> {
        let (place, setting, found) = (&task.place, task.setting, &task.found.state);
        Ok(match (&setting.change.after, found) {
            (State::Absent, State::Absent) => Work::Nothing,
            (State::Absent, _) => Work::Remove,
            (State::File(after), State::File(before)) if after.content == before.content && matches!(setting.source, Source::Nothing) => Work::Dress,
            (State::File(after), _) => {
                let before = if let State::File(before) = found { Some(&before.meta) } else { None };
                let file = self.stage_file(place, &task.staging, (after, before), (setting, blobs))?;
                let in_place = crate::planted::bug(11) && before.is_some();
                if in_place { Work::Dressed(Handle::File(file)) } else { Work::New(Handle::File(file)) }
            }
            (State::Dir(_), State::Dir(_)) => Work::Dress,
            (State::Dir(after), _) => {
                let name = if crate::planted::bug(12) { &place.name } else { &task.staging };
                let dir = place.dir.create_dir(name).map_err(|e| place.failed("write", e))?;
                dir.dress(&resolved(after, None, 0o755), after.owner.is_some()).map_err(|e| place.failed("write", e))?;
                Work::New(Handle::Dir(dir))
            }
            (State::Tree(after), _) => {
                let Built { state, manifest } = self.stage_tree(place, &task.staging, setting, blobs)?;
                if after.content.is_some() && after.content != state.content {
                    return Err(place.refused("what was built is not what was announced"));
                }
                setting.account.lists(manifest);
                Work::Tree(Box::new(state))
            }
            (State::Service(_) | State::Foreign { .. } | State::Unknown { .. }, _) => {
                return Err(place.refused("no file can become that"));
            }
        })
    }
}

impl Task<'_> {
    /// What is staged and not flushed yet.
    pub(super) fn unflushed(&self) -> Option<(&Handle, &str)> {
        match &self.work {
            Work::New(handle) => Some((handle, &self.place.path)),
            _ => None,
        }
    }

    /// What was changed where it is and not flushed yet.
    pub(super) fn dressed(&self) -> Option<(&Handle, &str)> {
        match &self.work {
            Work::Dressed(handle) => Some((handle, &self.place.path)),
            _ => None,
        }
    }

    /// Looks once more and puts what is staged in its place; what was there lies under the staging name then.
    pub(super) fn swap(&mut self) -> Result<(), WorldError> {
        let swapped = self.unmoved().and_then(|()| self.swap_now());
        if swapped.is_err() && !self.aside {
            self.drop_staging();
        }
        swapped
    }

    fn swap_now(&mut self) -> Result<(), WorldError> {
        let Self { place, staging, .. } = &*self;
        match &self.work {
            Work::Nothing | Work::Dressed(_) => Ok(()),
            Work::New(Handle::Dir(_)) if crate::planted::bug(12) => Ok(()),
            Work::Dress => self.dress(),
            Work::Remove => {
                self.may_be_removed()?;
                place.dir.rename_new(&place.name, staging).map_err(|e| place.failed("remove", e))?;
                self.aside = true;
                self.check_aside(|place, staging| place.dir.rename_new(staging, &place.name))
            }
            Work::New(_) | Work::Tree(_) if self.found.seen.is_none() => match place.dir.rename_new(staging, &place.name) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(moved(self.setting, self.now())),
                renamed => renamed.map_err(|e| place.failed("write", e)),
            },
            Work::New(_) | Work::Tree(_) => match place.dir.exchange(staging, &place.name) {
                Ok(true) => {
                    self.aside = true;
                    self.check_aside(|place, staging| place.dir.exchange(staging, &place.name).map(drop))
                }
                // The last race stays open where names cannot change places.
                Ok(false) if matches!((&self.work, &self.found.state), (Work::New(Handle::File(_)), State::File(_))) => {
                    place.dir.rename_over(staging, &place.name).map_err(|e| place.failed("write", e))
                }
                Ok(false) => Err(place.refused("this file system cannot let two names change places")),
                Err(e) => Err(place.failed("write", e)),
            },
        }
    }

    /// What came out must be what was to be replaced; else it goes back.
    fn check_aside(&mut self, put_back: impl Fn(&Place, &OsStr) -> io::Result<()>) -> Result<(), WorldError> {
        if self.found.is_under(&self.place, &self.staging) {
            return Ok(());
        }
        put_back(&self.place, &self.staging).map_err(|e| self.place.failed("put back", e))?;
        self.aside = false;
        Err(moved(self.setting, self.now()))
    }

    /// A directory that is removed is not whole any more: it gets a name that says so, for what lies under the staging name
    /// itself is always whole.
    pub(super) fn name_for_removal(&mut self) -> Result<(), WorldError> {
        if !self.is_big_aside() {
            return Ok(());
        }
        let gone = sys::name(&gone(&sys::text(&self.staging)));
        self.place.dir.rename_new(&self.staging, &gone).map_err(|e| self.place.failed("remove what was", e))?;
        self.staging = gone;
        Ok(())
    }

    /// Whether what was there lies under the staging name and is removed in more than one moment.
    pub(super) fn is_big_aside(&self) -> bool {
        self.aside && matches!(self.found.state, State::Tree(_)) && !crate::planted::bug(14)
    }

    /// Removes what was there.
    pub(super) fn remove_aside(&mut self) -> Result<(), WorldError> {
        if !std::mem::take(&mut self.aside) || crate::planted::bug(14) {
            return Ok(());
        }
        remove(&self.place.dir, &self.staging).map_err(|e| self.place.failed("remove what was", e))?;
        self.removed = !crate::planted::bug(15);
        Ok(())
    }

    pub(super) fn is_aside_removed(&self) -> bool {
        self.removed
    }

    /// What is there at the end.
    pub(super) fn read_back(self) -> Result<State, WorldError> {
        let (state, _) = read::state(&self.place.dir, &self.place.name, &self.place.path)?;
        let state = match (self.work, state) {
            // It was read again before it was published, and nobody could reach it until then.
            (Work::Tree(built), State::Dir(_)) => State::Tree(*built),
            (_, state) => state,
        };
        if !is_as_wanted(&state, &self.setting.change.after) {
            return Err(self.place.failed("read back", io::Error::other(format!("it is {state}"))));
        }
        Ok(state)
    }

    fn drop_staging(&self) {
        if !crate::planted::bug(14) {
            // What cannot be removed now is named in the intent and removed by recovery.
            let _ = remove(&self.place.dir, &self.staging);
        }
    }

    fn now(&self) -> State {
        let now = read::state(&self.place.dir, &self.place.name, &self.place.path);
        now.map_or_else(|error| State::Foreign { what: error.to_string() }, |(state, _)| state)
    }

    /// The look again: the same thing, or at least the same state.
    fn unmoved(&mut self) -> Result<(), WorldError> {
        if crate::planted::bug(12) && matches!(self.work, Work::New(Handle::Dir(_))) {
            return Ok(());
        }
        if matches!(self.work, Work::Dressed(_)) {
            return Ok(());
        }
        let same = match (&self.found.seen, self.place.look()?) {
            (None, None) => true,
            (Some(before), Some(now)) => before.is(&now),
            _ => false,
        };
        if !same {
            let now = Found::look(&self.place, &self.place.name, self.found.print.is_some())?;
            now.may_be_set(&self.place)?;
            if !now.state.fits(&self.setting.change.before) {
                return Err(moved(self.setting, now.state));
            }
            self.found = now;
        }
        Ok(())
    }

    fn dress(&mut self) -> Result<(), WorldError> {
        let place = &self.place;
        let failed = |e| place.failed("change", e);
        let handle = match (&self.setting.change.after, &self.found.state) {
            (State::File(after), State::File(before)) => {
                let file = place.dir.open_to_dress(&place.name).map_err(failed)?;
                sys::dress_file(&file, &resolved(&after.meta, Some(&before.meta), 0o644), true).map_err(failed)?;
                Handle::File(file)
            }
            (State::Dir(after), State::Dir(before)) => {
                let dir = place.dir.dir(&place.name).map_err(failed)?;
                dir.dress(&resolved(after, Some(before), 0o755), true).map_err(failed)?;
                Handle::Dir(dir)
            }
            _ => return Ok(()),
        };
        self.work = Work::Dressed(handle);
        Ok(())
    }

    fn may_be_removed(&self) -> Result<(), WorldError> {
        let State::Dir(_) = self.found.state else { return Ok(()) };
        let inside = self.place.dir.dir(&self.place.name).and_then(|dir| dir.names());
        if inside.map_err(|e| self.place.failed("remove", e))?.is_empty() {
            return Ok(());
        }
        Err(self.place.failed("remove", io::ErrorKind::DirectoryNotEmpty.into()))
    }
}

impl Flush for Handle {
    fn flush(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.sync_all(),
            Self::Dir(dir) => dir.flush(),
        }
    }
}

impl Found {
    fn look(place: &Place, name: &OsStr, whole: bool) -> Result<Self, WorldError> {
        let (mut state, seen) = read::state(&place.dir, name, &place.path)?;
        let mut print = None;
        if whole && matches!(state, State::Dir(_)) {
            print = Some(fingerprint(place, name)?);
            let mut sink = io::sink();
            let mut lines = Writer::new(&mut sink);
            read::tree(&place.dir, name, &place.path, &globs(&[])?, &mut lines)?;
            state = State::Tree(lines.finish());
        }
        Ok(Self { state, seen, print })
    }

    fn may_be_set(&self, place: &Place) -> Result<(), WorldError> {
        let Some(seen) = &self.seen else { return Ok(()) };
        match (seen.kind, &self.state) {
            (Kind::File | Kind::Dir, _) => place.may_be_set(seen),
            (_, State::Foreign { what }) => Err(place.refused(format!("it is a {what}"))),
            (Kind::Link | Kind::Other(_), _) => Err(place.refused("it is no file")),
        }
    }

    /// Whether what was found is what now lies under that name.
    fn is_under(&self, place: &Place, name: &OsStr) -> bool {
        let (Some(before), Ok(Some(now))) = (&self.seen, place.dir.look(name)) else { return false };
        if !before.is_moved(&now) {
            return false;
        }
        match (&self.state, self.print) {
            (State::File(_), _) if now.length <= SMALL => read::state(&place.dir, name, &place.path).is_ok_and(|(state, _)| state.same(&self.state)),
            (State::Dir(_), _) => place.dir.dir(name).and_then(|dir| dir.names()).is_ok_and(|names| names.is_empty()),
            (State::Tree(_), Some(print)) => fingerprint(place, name).is_ok_and(|now| now == print),
            _ => true,
        }
    }
}

/// A digest over everything in a directory by what the file system tells of it: any change shows, and nothing is read.
fn fingerprint(place: &Place, name: &OsStr) -> Result<[u8; 32], WorldError> {
    let mut sha = Sha256::new();
    let top = place.dir.dir(name).map_err(|e| place.failed("list", e))?;
    read::visit(&top, "", &place.path, &globs(&[])?, 0, &mut |entry| {
        let seen = entry.dir.look(entry.name).map_err(|e| place.failed("list", e))?;
        let Some(Seen { kind, volume, number, links, length, changed, meta: Meta { modified, .. } }) = seen else { return Ok(()) };
        sha.update(format!("{}\n{kind:?} {volume} {number} {links} {length} {changed} {modified:?}\n", entry.relative));
        Ok(())
    })?;
    Ok(sha.finalize().into())
}

/// Whether what was read back is what was to be set, as far as the platform sets it.
fn is_as_wanted(found: &State, wanted: &State) -> bool {
    match (found, wanted) {
        (State::File(found), State::File(wanted)) if !sys::DRESSES => {
            let plain = |content: &Content| matches!(content, Content::Plain { .. });
            found.content == wanted.content || !plain(&wanted.content)
        }
        (State::Dir(_), State::Dir(_)) if !sys::DRESSES => true,
        (found, wanted) => found.fits(wanted),
    }
}

fn moved(setting: &Setting, found: State) -> WorldError {
    let expected = Box::new(setting.change.before.clone());
    WorldError::Moved { resource: setting.change.resource.clone(), expected, found: Box::new(found) }
}
