//! Setting files and directories: rounds of staging, flushing, swapping, flushing.

use super::task::Task;
use super::{Files, flush};
use crate::act::Setting;
use crate::error::WorldError;
use crate::store::Blobs;
use model::state::State;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;

/// So many at once: each holds a file and a directory open.
const ROUND: usize = 128;

type Tasks<'s> = Vec<Result<Task<'s>, WorldError>>;

impl Files {
    /// Sets resources of which none is another or lies in another. See [`crate::act::Act::set`].
    pub(crate) fn set(&self, settings: &[&Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        settings.chunks(ROUND).flat_map(|part| self.round(part, blobs)).collect()
    }

    fn round(&self, settings: &[&Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>> {
        let mut tasks: Tasks<'_> = Vec::new();
        for setting in settings {
            let task = self.sound().and_then(|()| self.prepare(setting, blobs));
            if let Err(WorldError::Poisoned { .. }) = &task {
                self.poisoned.store(true, Ordering::SeqCst);
            }
            tasks.push(task);
        }
        if let Err(poison) = self.sound().and_then(|()| finish(&mut tasks)) {
            self.poisoned.store(true, Ordering::SeqCst);
            let all = tasks.into_iter().map(|task| Err(task.err().unwrap_or_else(|| again(&poison))));
            return all.collect();
        }
        tasks.into_iter().map(|task| task.and_then(Task::read_back)).collect()
    }

    /// Whether no flush has failed yet.
    fn sound(&self) -> Result<(), WorldError> {
        if self.poisoned.load(Ordering::SeqCst) {
            return Err(WorldError::Poisoned { name: "an earlier change".to_owned(), source: io::Error::other("a flush has failed before") });
        }
        Ok(())
    }
}

/// From staged to settled. An error is a failed flush, after which nothing may be done.
fn finish<'s>(tasks: &mut Tasks<'s>) -> Result<(), WorldError> {
    let staged: Vec<_> = tasks.iter().flatten().filter_map(Task::unflushed).collect();
    if !crate::planted::bug(4) {
        flush::round(&staged)?;
    }
    each(tasks, Task::swap);
    let dressed: Vec<_> = tasks.iter().flatten().filter_map(Task::dressed).collect();
    flush::round(&dressed)?;
    if !crate::planted::bug(5) {
        flush_dirs(tasks.iter().flatten())?;
    }
    each(tasks, Task::name_for_removal);
    flush_dirs(tasks.iter().flatten().filter(|task| task.is_big_aside()))?;
    each(tasks, Task::remove_aside);
    flush_dirs(tasks.iter().flatten().filter(|task| task.is_aside_removed()))
}

fn each<'s>(tasks: &mut Tasks<'s>, act: impl Fn(&mut Task<'s>) -> Result<(), WorldError>) {
    for task in tasks {
        if let Ok(at_work) = task
            && let Err(error) = act(at_work)
        {
            *task = Err(error);
        }
    }
}

/// Flushes the directories of these tasks, each once.
fn flush_dirs<'t, 's: 't>(tasks: impl Iterator<Item = &'t Task<'s>>) -> Result<(), WorldError> {
    let mut dirs = BTreeMap::new();
    for task in tasks {
        let seen = task.place.dir.seen().map_err(|source| WorldError::Poisoned { name: task.place.path.clone(), source })?;
        dirs.entry((seen.volume, seen.number)).or_insert(&task.place);
    }
    dirs.values().try_for_each(|place| flush::flush(crate::path::parent(&place.path).unwrap_or(&place.path), || place.dir.flush()))
}

fn again(poison: &WorldError) -> WorldError {
    match poison {
        WorldError::Poisoned { name, source } => {
            let source = source.raw_os_error().map_or_else(|| io::Error::from(source.kind()), io::Error::from_raw_os_error);
            WorldError::Poisoned { name: name.clone(), source }
        }
        other => WorldError::Poisoned { name: other.to_string(), source: io::ErrorKind::Other.into() },
    }
}
