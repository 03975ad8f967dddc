//! The backward pass: every effect of the imagined run is taken back, latest first.

use crate::graph::Undo;
use crate::plan::imagine::Imaginer;
use model::effect::{Change, Effect};
use model::plan::{Irreversible, NotTakenBack, Rehearsal};

/// Takes everything back in the imagined world; gives what that showed, and what is irreversible by declaration.
pub(crate) fn rehearse(imaginer: &mut Imaginer<'_, '_>) -> (Rehearsal, Vec<Irreversible>) {
    let mut rehearsal = Rehearsal::default();
    let mut irreversible: Vec<Irreversible> = Vec::new();
    let graph = imaginer.graph;
    for (node, effect) in std::mem::take(&mut imaginer.changes).into_iter().rev() {
        let Some(step) = graph.step(node) else { continue };
        let id = graph.nodes[node as usize].id.clone();
        if let Some(reason) = &step.about.irreversible {
            if !irreversible.iter().any(|i| i.step == id) {
                irreversible.push(Irreversible { step: id, reason: reason.clone() });
            }
            continue;
        }
        if step.about.undo == Undo::Keep || (!step.settles.is_empty() && !matches!(effect, Effect::Set(_))) {
            continue;
        }
        match effect {
            Effect::Set(change) => {
                rehearsal.effects += 1;
                // What a kept step has put back already, such as a `steps.undo`, is as it was: there is nothing to do.
                if imaginer.state(&change.resource).is_ok_and(|now| now.same(&change.before)) {
                    rehearsal.taken_back += 1;
                    continue;
                }
                match imaginer.world.take_back(&change) {
                    Ok(()) => rehearsal.taken_back += 1,
                    Err(found) => rehearsal.not.push(NotTakenBack { step: id, reason: format!("{} would be {found} by then", change.resource) }),
                }
            }
            Effect::Run { changes, .. } => take_back_declared(imaginer, &mut rehearsal, &step.about.undo, changes),
            Effect::Ask(ask) => take_back_declared(imaginer, &mut rehearsal, &step.about.undo, ask.changes),
            Effect::Wait { .. } => {}
        }
    }
    irreversible.reverse();
    (rehearsal, irreversible)
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
