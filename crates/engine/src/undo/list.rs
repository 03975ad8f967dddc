//! What of a run is to be taken back, and in which order. Made from its journal alone.

use crate::graph::{Graph, Ix, Undo};
use model::effect::{Ask, Change, Effect};
use model::event::{Image, Observed, Scope};
use model::fold::{EffectFold, EffectStatus, Run, StepStatus};
use model::id::StepId;
use model::plan::Irreversible;
use model::resource::Resource;
use model::state::State;
use std::collections::{BTreeMap, BTreeSet};

/// What is to be taken back.
pub(crate) struct List {
    /// In the order in which it is done.
    pub(crate) steps: Vec<BackStep>,
    /// What stays because the runbook says so.
    pub(crate) kept: Vec<StepId>,
    /// What cannot be taken back.
    pub(crate) irreversible: Vec<Irreversible>,
    /// The state in which the run left each resource.
    pub(crate) left: BTreeMap<Resource, State>,
    /// The names of the run and of its undos: what a process of theirs that was cut off has left is not foreign.
    pub(crate) runs: Vec<String>,
}

/// One step of an undo.
pub(crate) struct BackStep {
    pub(crate) id: StepId,
    pub(crate) node: Option<Ix>,
    pub(crate) what: Vec<Back>,
}

/// One thing to do.
pub(crate) enum Back {
    /// The inverse of a `Set`, or a before-image of what a program or person changed.
    Set {
        change: Box<Change>,
        image: Option<Image>,
        /// The effect of the undone run.
        n: u32,
    },
    /// The action that the step declares.
    Act { kind: usize, with: Option<model::yaml::Raw> },
    /// The step once more, so that what was put back becomes effective.
    Settle,
    /// A check that must hold again.
    Gate,
}

/// What of a run its linked undos have taken back and not given back: the effect and the resource, for a program may change
/// several.
pub(crate) type Taken = BTreeSet<(StepId, u32, Resource)>;

/// What earlier undos of a run, or this one before it was cut off, have done.
#[derive(Default)]
pub(crate) struct Earlier {
    /// What they have taken back.
    pub(crate) taken: Taken,
    /// Settling steps that they owe: they had come to something of what these settle, and then the undo was cut off or failed
    /// before they and their gates were done once more.
    pub(crate) owed: BTreeSet<StepId>,
    /// Gates that they have passed: what is taken back since may not fit them any more.
    pub(crate) passed: BTreeSet<StepId>,
}

fn is_taken(taken: &Taken, effect: &EffectFold, resource: &Resource) -> bool {
    taken.contains(&(effect.step.clone(), effect.n, resource.clone()))
}

/// The list for a run, less what is taken back already; settling steps that are owed for that come first. Of a run that is itself
/// an undo only what it set can be inverted.
pub(crate) fn list(graph: &Graph, run: &Run, earlier: &Earlier, scope: &Scope, past_no_return: bool) -> List {
    let taken = &earlier.taken;
    let of_undo = run.started.undo_of.is_some();
    let mut list = List { steps: Vec::new(), kept: Vec::new(), irreversible: Vec::new(), left: BTreeMap::new(), runs: Vec::new() };
    for observed in run.effects.iter().flat_map(|effect| effect.status.observed()) {
        list.left.insert(observed.resource.clone(), observed.state.clone());
    }
    let after = match scope {
        Scope::To(step) => run.step(step).and_then(|step| step.finished).map_or(u64::MAX, |at| at.seq),
        Scope::All | Scope::Group(_) => 0,
    };
    let inside = |id: &StepId| match scope {
        Scope::Group(group) => id.as_str().strip_prefix(group.as_str()).is_some_and(|rest| rest.starts_with('/') || rest.is_empty()),
        Scope::All | Scope::To(_) => true,
    };
    let floor = floor(graph, run, &inside, past_no_return, of_undo);

    // By step, latest start first.
    let mut by_step: BTreeMap<&StepId, Vec<&EffectFold>> = BTreeMap::new();
    for effect in &run.effects {
        let began = effect.intended.seq;
        let happened = !matches!(effect.status, EffectStatus::NotHappened) || world::planted::bug(19);
        let changes = effect.effect.changes();
        let over = !changes.is_empty() && changes.iter().all(|(resource, _)| is_taken(taken, effect, resource));
        if happened && inside(&effect.step) && began >= after && !over {
            by_step.entry(&effect.step).or_default().push(effect);
        }
    }
    let mut found: Vec<(u64, BackStep)> = Vec::new();
    for (id, effects) in by_step {
        let Some(first) = effects.first().map(|effect| effect.intended.seq) else { continue };
        let node = graph.find(id.as_str());
        if let (Some(floor), false) = (&floor, of_undo)
            && first <= floor.at
        {
            below(&mut list, graph, node, id, &effects, floor);
            continue;
        }
        if node.is_some_and(|node| graph.nodes[node as usize].last.is_some()) {
            // What `finally` did is not inverted.
            continue;
        }
        let what = if of_undo { inverse_of_inverse(&mut list, id, &effects) } else { inverse(&mut list, graph, node, id, &effects, taken) };
        if !what.is_empty() {
            found.push((first, BackStep { id: id.clone(), node, what }));
        }
    }
    if !of_undo {
        let gates = gates(graph, run, &inside, after, floor.as_ref().map_or(0, |floor| floor.at), &found);
        found.extend(gates.into_iter().filter(|(_, gate)| !earlier.passed.contains(&gate.id)));
    }
    found.sort_by_key(|(began, _)| std::cmp::Reverse(*began));
    list.steps = found.into_iter().map(|(_, step)| step).collect();
    if !of_undo {
        insert_settling(graph, run, &mut list, &earlier.owed, &inside);
    }
    if world::planted::bug(17) {
        list.steps.reverse();
    }
    list
}

/// Where an undo stops.
struct Floor {
    /// The line at which it was intended.
    at: u64,
    step: StepId,
}

fn floor(graph: &Graph, run: &Run, inside: &dyn Fn(&StepId) -> bool, past: bool, of_undo: bool) -> Option<Floor> {
    if past || of_undo {
        return None;
    }
    let effects = run.effects.iter().filter(|effect| inside(&effect.step) && !matches!(effect.status, EffectStatus::NotHappened));
    effects
        .filter(|effect| graph.find(effect.step.as_str()).and_then(|node| graph.step(node)).is_some_and(|step| step.about.point_of_no_return))
        .map(|effect| Floor { at: effect.intended.seq, step: effect.step.clone() })
        .max_by_key(|floor| floor.at)
}

/// What stays because it lies below the floor; what changed nothing is not worth a line.
fn below(list: &mut List, graph: &Graph, node: Option<Ix>, id: &StepId, effects: &[&EffectFold], floor: &Floor) {
    let about = node.and_then(|node| graph.step(node)).map(|step| &step.about);
    if about.is_some_and(|about| about.undo == Undo::Keep) {
        list.kept.push(id.clone());
        return;
    }
    let acts = about.is_some_and(|about| matches!(about.undo, Undo::Action(..)));
    let changes = |effect: &&EffectFold| match &effect.effect {
        Effect::Set(_) => true,
        Effect::Run { changes, .. } => acts || !changes.is_empty(),
        Effect::Ask(ask) => acts || !ask.changes.is_empty(),
        Effect::Wait { .. } => false,
    };
    let why = about.and_then(|about| about.irreversible.clone());
    if why.is_none() && *id != floor.step && !effects.iter().any(changes) {
        return;
    }
    let reason = why.unwrap_or_else(|| match *id == floor.step {
        true => "it is the point of no return".into(),
        false => format!("the point of no return `{}` came after it", floor.step),
    });
    list.irreversible.push(Irreversible { step: id.clone(), reason });
}

fn inverse(list: &mut List, graph: &Graph, node: Option<Ix>, id: &StepId, effects: &[&EffectFold], taken: &Taken) -> Vec<Back> {
    let about = node.and_then(|node| graph.step(node)).map(|step| (&step.about, !step.settles.is_empty()));
    if let Some(reason) = about.and_then(|(about, _)| about.irreversible.clone()) {
        list.irreversible.push(Irreversible { step: id.clone(), reason });
        return Vec::new();
    }
    let undo = about.map_or(Undo::Auto, |(about, _)| about.undo.clone());
    let settles = about.is_some_and(|(_, settles)| settles);
    if undo == Undo::Keep {
        list.kept.push(id.clone());
        return Vec::new();
    }
    if settles {
        return Vec::new();
    }
    let mut what = Vec::new();
    for effect in effects.iter().rev() {
        match (&effect.effect, &undo) {
            (Effect::Set(change), _) => what.extend(back(effect, change)),
            (Effect::Run { .. } | Effect::Ask(_), Undo::Action(kind, with)) => what.push(Back::Act { kind: *kind, with: *with }),
            (Effect::Run { changes, .. } | Effect::Ask(Ask { changes, .. }), _) => {
                what.extend(changes.iter().rev().filter_map(|before| restored(effect, before, taken)));
            }
            (Effect::Wait { .. }, _) => {}
        }
    }
    what
}

fn inverse_of_inverse(list: &mut List, id: &StepId, effects: &[&EffectFold]) -> Vec<Back> {
    let mut what = Vec::new();
    for effect in effects.iter().rev() {
        match &effect.effect {
            Effect::Set(change) => what.extend(back(effect, change)),
            Effect::Run { .. } | Effect::Ask(_) => {
                list.irreversible.push(Irreversible { step: id.clone(), reason: "it was itself an act of an undo".into() });
            }
            Effect::Wait { .. } => {}
        }
    }
    what
}

fn back(effect: &EffectFold, change: &Change) -> Option<Back> {
    let observed = observed(effect, &change.resource);
    // Without an end it may have happened or not: what it was to be is what can be compared.
    let now = observed.cloned().unwrap_or_else(|| change.after.clone());
    if now.same(&change.before) && now == change.before {
        return None;
    }
    let image = effect.images.iter().find(|image| image.resource == change.resource).cloned();
    Some(Back::Set { change: Box::new(Change { resource: change.resource.clone(), before: now, after: change.before.clone() }), image, n: effect.n })
}

fn restored(effect: &EffectFold, before: &model::effect::Before, taken: &Taken) -> Option<Back> {
    if before.resource.kind == model::resource::ResourceKind::Other || is_taken(taken, effect, &before.resource) {
        return None;
    }
    let now = observed(effect, &before.resource).cloned().unwrap_or_else(|| State::Unknown { until: effect.step.clone() });
    if now == before.before {
        return None;
    }
    let image = effect.images.iter().find(|image| image.resource == before.resource).cloned();
    Some(Back::Set { change: Box::new(Change { resource: before.resource.clone(), before: now, after: before.before.clone() }), image, n: effect.n })
}

fn observed<'e>(effect: &'e EffectFold, resource: &Resource) -> Option<&'e State> {
    effect.status.observed().iter().find(|o: &&Observed| o.resource == *resource).map(|o| &o.state)
}

/// Gates that were passed, at their mirrored places; those directly after a settling step come with it.
fn gates(graph: &Graph, run: &Run, inside: &dyn Fn(&StepId) -> bool, after: u64, floor: u64, found: &[(u64, BackStep)]) -> Vec<(u64, BackStep)> {
    let earliest = found.iter().map(|(began, _)| *began).min().unwrap_or(u64::MAX);
    let mut gates = Vec::new();
    for step in run.steps.iter().filter(|step| step.status == StepStatus::Done && inside(&step.id)) {
        let (Some(node), Some(started)) = (graph.find(step.id.as_str()), step.started) else { continue };
        let is_gate = graph.step(node).is_some_and(|definition| definition.about.gate);
        let follows = graph.before(node).any(|(before, _)| graph.step(before).is_some_and(|step| !step.settles.is_empty()));
        if is_gate && !follows && started.seq > after.max(floor) && started.seq > earliest {
            gates.push((started.seq, BackStep { id: step.id.clone(), node: Some(node), what: vec![Back::Gate] }));
        }
    }
    gates
}

/// A settling step that had started runs once more, right after the last inverse of what it settles; its gates follow it.
fn insert_settling(graph: &Graph, run: &Run, list: &mut List, owed: &BTreeSet<StepId>, inside: &dyn Fn(&StepId) -> bool) {
    for node in (0..graph.nodes.len() as Ix).rev() {
        let Some(step) = graph.step(node).filter(|step| !step.settles.is_empty()) else { continue };
        let id = &graph.nodes[node as usize].id;
        if !inside(id) || run.step(id).is_none_or(|step| step.effects.is_empty()) {
            continue;
        }
        let last = list.steps.iter().rposition(|back| back.node.is_some_and(|n| step.settles.contains(&n)));
        let at = match last {
            Some(last) => last + 1,
            None if owed.contains(id) => 0,
            None => continue,
        };
        let gates = gates_of(graph, run, node).map(|gate| (gate, Back::Gate));
        let once_more = std::iter::once((node, Back::Settle)).chain(gates);
        let once_more = once_more.map(|(node, back)| BackStep { id: graph.nodes[node as usize].id.clone(), node: Some(node), what: vec![back] });
        list.steps.splice(at..at, once_more);
    }
}

/// The gates directly after a settling step that the run had passed.
pub(crate) fn gates_of<'g>(graph: &'g Graph, run: &'g Run, settling: Ix) -> impl Iterator<Item = Ix> + 'g {
    let is_passed = |gate: &Ix| run.step(&graph.nodes[*gate as usize].id).is_some_and(|step| step.status == StepStatus::Done);
    let gates = graph.after(settling).map(|(next, _)| next).filter(|next| graph.step(*next).is_some_and(|next| next.about.gate));
    gates.filter(move |gate| is_passed(gate))
}
