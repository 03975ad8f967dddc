//! The backward pass: every effect of the imagined run is taken back, latest first.

use crate::graph::Undo;
use crate::plan::imagine::Imaginer;
use crate::run::images::is_sealed;
use model::effect::{Ask, Before, Change, Effect};
use model::plan::{Irreversible, NotTakenBack, Rehearsal};
use model::resource::Resource;
use model::state::State;
use std::collections::BTreeSet;

/// What the backward pass shows.
#[derive(Default)]
pub(crate) struct Rehearsed {
    /// What can be taken back.
    pub(crate) rehearsal: Rehearsal,
    /// What is irreversible by declaration.
    pub(crate) irreversible: Vec<Irreversible>,
    /// Of what can be taken back, that whose images are kept sealed.
    pub(crate) sealed: BTreeSet<Resource>,
}

/// Takes everything back in the imagined world.
pub(crate) fn rehearse(imaginer: &mut Imaginer<'_, '_>) -> Rehearsed {
    let Rehearsed { mut rehearsal, mut irreversible, mut sealed } = Rehearsed::default();
    let graph = imaginer.graph;
    // What an inverse has set.
    let mut touched = BTreeSet::new();
    for (node, effect, maybe) in std::mem::take(&mut imaginer.changes).into_iter().rev() {
        let Some(step) = graph.step(node) else { continue };
        let id = graph.nodes[node as usize].id.clone();
        if let Some(reason) = &step.about.irreversible {
            if !irreversible.iter().any(|i| i.step == id) {
                irreversible.push(Irreversible { step: id, reason: reason.clone() });
            }
            continue;
        }
        if step.about.undo == Undo::Keep {
            // What it left counts as left by the run: the first inverse on that resource goes over it.
            for (resource, _) in effect.changes().into_iter().filter(|(resource, _)| !touched.contains(*resource)) {
                imaginer.world.drop_latest(resource);
            }
            continue;
        }
        touched.extend(effect.changes().into_iter().map(|(resource, _)| resource.clone()));
        if !step.settles.is_empty() && !matches!(effect, Effect::Set(_)) {
            continue;
        }
        if step.about.point_of_no_return {
            // It is taken back by nothing but what goes past it; here what came before it is looked at.
            for (resource, before) in effect.changes().into_iter().rev() {
                let after = imaginer.state(resource).unwrap_or_else(|_| before.clone());
                let _ = imaginer.world.take_back(&Change { resource: resource.clone(), before: before.clone(), after });
            }
            continue;
        }
        sealed
            .extend(images(&step.about.undo, &effect).filter(|change| is_sealed(&imaginer.session.sensitive, change)).map(|change| change.resource));
        match effect {
            Effect::Set(change) => {
                rehearsal.effects += 1;
                // Whether it happened is not known: so is what it left.
                let change = match maybe {
                    Some(until) => Change { after: State::Unknown { until }, ..change },
                    None => change,
                };
                match imaginer.world.take_back(&change) {
                    Ok(()) => rehearsal.taken_back += 1,
                    // What a kept step has put back already, such as a `steps.undo`, is as it was: there is nothing to do.
                    Err(found) if found.same(&change.before) => {
                        imaginer.world.drop_with_later(&change);
                        rehearsal.taken_back += 1;
                    }
                    Err(found) => rehearsal.not.push(NotTakenBack { step: id, reason: format!("{} would be {found} by then", change.resource) }),
                }
            }
            Effect::Run { changes, .. } => take_back_declared(imaginer, &mut rehearsal, &step.about.undo, changes),
            Effect::Ask(ask) => take_back_declared(imaginer, &mut rehearsal, &step.about.undo, ask.changes),
            Effect::Wait { .. } => {}
        }
    }
    irreversible.reverse();
    Rehearsed { rehearsal, irreversible, sealed }
}

/// The changes that are taken back from before-images.
fn images(undo: &Undo, effect: &Effect) -> impl Iterator<Item = Change> {
    let (set, declared) = match effect {
        Effect::Set(change) => (Some(change.clone()), &[][..]),
        Effect::Run { .. } | Effect::Ask(_) if matches!(undo, Undo::Action(..)) => (None, &[][..]),
        Effect::Run { changes, .. } | Effect::Ask(Ask { changes, .. }) => (None, changes.as_slice()),
        Effect::Wait { .. } => (None, &[][..]),
    };
    let same = |b: &Before| Change { resource: b.resource.clone(), before: b.before.clone(), after: b.before.clone() };
    set.into_iter().chain(declared.iter().map(same))
}

/// What a program or person changed comes back from before-images, or by the declared action.
fn take_back_declared(imaginer: &mut Imaginer<'_, '_>, rehearsal: &mut Rehearsal, undo: &Undo, changes: Vec<model::effect::Before>) {
    if changes.is_empty() && !matches!(undo, Undo::Action(..)) {
        return;
    }
    rehearsal.effects += 1;
    rehearsal.taken_back += 1;
    for before in changes.into_iter().rev() {
        let after = imaginer.state(&before.resource).unwrap_or_else(|_| before.before.clone());
        // What it is by then is unknown, and whatever it is, its image is put back.
        let _ = imaginer.world.take_back(&Change { resource: before.resource, before: before.before, after });
    }
}
