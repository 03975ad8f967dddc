//! Which changes of a run stand: done, and not taken back by its undos, or given back by theirs.

use crate::read::{Record, RecordCause, RecordError, load};
use model::event::Scope;
use model::fold::{EffectFold, EffectStatus};
use model::id::{RunId, StepId};
use std::collections::BTreeSet;
use world::store::Store;

/// Effects by step and number.
pub type Effects = BTreeSet<(StepId, u32)>;

/// An undo of a run, made so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undo {
    /// Its run.
    pub run: RunId,
    /// How much it takes back.
    pub scope: Scope,
    /// What it has taken back and what stands taken back.
    pub taken: Effects,
}

/// The undos of a run, in order of their names.
///
/// # Errors
/// One of them cannot be read.
pub fn undos(store: &dyn Store, run: &RunId, all: &[RunId]) -> Result<Vec<Undo>, RecordError> {
    let mut undos = Vec::new();
    // `RUN.undo-N` only: each is longer than what it undoes, so this comes to an end.
    for id in all.iter().filter(|id| id.as_str().strip_prefix(run.as_str()).is_some_and(|rest| rest.starts_with(".undo-"))) {
        let record = match load(store, id) {
            // Cut off before it began: it did nothing.
            Err(RecordError { cause: RecordCause::Empty, .. }) => continue,
            record => record?,
        };
        let Some(of) = record.run.started.undo_of.clone().filter(|of| of.run == *run) else { continue };
        let mine = standing(store, &record, all)?;
        let taken = record.run.effects.iter().filter(|effect| mine.contains(&(effect.step.clone(), effect.n)));
        let taken = taken.filter_map(|effect| effect.takes_back.map(|n| (effect.step.clone(), n))).collect();
        undos.push(Undo { run: id.clone(), scope: of.scope, taken });
    }
    Ok(undos)
}

/// The effects of a run that have happened, or may have, and are not taken back.
///
/// # Errors
/// One of its undos cannot be read.
pub fn standing(store: &dyn Store, record: &Record, all: &[RunId]) -> Result<Effects, RecordError> {
    let mut standing: Effects = record.run.effects.iter().filter(|e| is_change(e)).map(|e| (e.step.clone(), e.n)).collect();
    for undo in undos(store, record.run.id(), all)? {
        standing.retain(|effect| !undo.taken.contains(effect));
    }
    Ok(standing)
}

/// Whether an effect has changed something, or may have.
pub(crate) fn is_change(effect: &EffectFold) -> bool {
    effect.status != EffectStatus::NotHappened && (effect.takes_back.is_some() || !effect.effect.changes().is_empty())
}
