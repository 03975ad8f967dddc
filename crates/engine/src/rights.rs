//! Whether the one who runs may write where a run, or what takes it back, writes.

use crate::room::content_stays;
use model::effect::Effect;
use model::path::parent;
use model::plan::PlannedStep;
use model::resource::{Resource, ResourceKind};
use model::state::{FileState, Meta, State};
use std::collections::{BTreeMap, BTreeSet};
use world::act::Act;

/// For each directory that may not be written in, a sentence. Where the run itself changes the directory or one above it first,
/// only that step can tell.
pub(crate) fn missing(world: &dyn Act, steps: &[PlannedStep]) -> Vec<String> {
    let mut asked: BTreeMap<&str, Option<String>> = BTreeMap::new();
    let mut changed: BTreeSet<&str> = BTreeSet::new();
    let (mut given, mut sentences) = (BTreeSet::new(), BTreeSet::new());
    for effect in steps.iter().flat_map(|step| &step.effects) {
        if let Effect::Set(change) = effect
            && !content_stays(change)
            && let Some(dir) = directory(&change.resource)
            && !std::iter::successors(Some(dir), |path| parent(path)).any(|path| changed.contains(path))
        {
            asked.entry(dir).or_insert_with(|| world.may_write(dir).err().map(|wrong| crate::plan::chain(&wrong)));
            if let State::File(FileState { meta, .. }) | State::Dir(meta) = &change.after
                && given.insert((dir, &meta.owner, &meta.group))
                && !world.may_give(dir, meta)
            {
                sentences.insert(foreign(&change.resource, meta));
            }
        }
        changed.extend(effect.changes().into_iter().filter(|(what, _)| what.kind == ResourceKind::File).map(|(what, _)| &*what.name));
    }
    // Several may lie below the one that exists.
    sentences.extend(asked.into_values().flatten());
    sentences.into_iter().collect()
}

/// That whoever replaces a file would have to give the new one to somebody else.
fn foreign(what: &Resource, meta: &Meta) -> String {
    let [owner, group] = [&meta.owner, &meta.group].map(|id| id.as_deref().unwrap_or("the same"));
    format!("cannot give {what} to owner {owner} and group {group}: only root may")
}

/// Where the name of a file is.
fn directory(what: &Resource) -> Option<&str> {
    if what.kind == ResourceKind::File { parent(&what.name) } else { None }
}
