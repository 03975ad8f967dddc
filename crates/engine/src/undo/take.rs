//! Doing it: a run whose steps come from a journal.

use crate::graph::Ix;
use crate::questions::Asked;
use crate::run::Ending;
use crate::run::Order;
use crate::run::aside;
use crate::run::hands::{Hands, Job, Trouble};
use crate::run::images::Keeper;
use crate::run::pause::Pause;
use crate::run::recover;
use crate::run::scribe::{Dead, Scribe};
use crate::run::whole::{present, whole_state};
use crate::run::worker::Worker;
use crate::session::Session;
use crate::undo::agreed::Agreed;
use crate::undo::inside::{Inside, inside};
use crate::undo::list::{Back, BackStep, Earlier, List, Taken, gates_of, list};
use crate::undo::look::{self, Judged, Seen, announce, conflict, judge, look, now};
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::event::{Event, Image, Outcome, RunOutcome, RunStarted, Scope, UndoOf};
use model::fold::{EffectFold, EffectStatus, Run, StepStatus};
use model::id::{RunId, StepId};
use model::plan::{Planned, PlannedStep};
use model::resource::Resource;
use std::collections::{BTreeMap, BTreeSet};

/// Takes back, as part of a run that goes on: of all of it, or of a group instance.
pub(crate) fn automatic<'a>(order: &Order<'_, 'a>, parent: &Scribe<'a>, scope: Scope) -> Result<Ending, Dead> {
    parent.flush()?;
    let Some(run) = parent.fold(Clone::clone) else { return Err(parent.die("the run has no beginning: a bug in retrace")) };
    linked(order, &run, scope, &Agreed::default(), false).map_err(|wrong| match wrong {
        Trouble::Dead(dead) => dead,
        other => parent.die(&format!("the undo could not begin: {}", words(&other))),
    })
}

/// The linked undos of a run that have begun, oldest first.
pub(crate) fn undos(session: &Session<'_>, run: &RunId) -> Result<Vec<Run>, Trouble> {
    let store = session.engine.store;
    let read = |(_, id): (u32, RunId)| crate::history::begun(store, &id).map(|read| read.map(|read| read.run)).map_err(Trouble::Failed).transpose();
    numbered(session, run)?.into_iter().filter_map(read).collect()
}

/// The names of the linked undos of a run by their numbers, those that never began too.
fn numbered(session: &Session<'_>, run: &RunId) -> Result<BTreeMap<u32, RunId>, Trouble> {
    let runs = session.engine.store.runs().map_err(|wrong| Trouble::Failed(crate::plan::chain(&wrong)))?;
    let prefix = format!("{run}.undo-");
    Ok(runs.into_iter().filter_map(|id| Some((id.as_str().strip_prefix(&prefix)?.parse().ok()?, id))).collect())
}

/// What linked undos have taken back of a run, less what undos of these have given back.
pub(crate) fn taken_back(session: &Session<'_>, run: &RunId) -> Result<Taken, Trouble> {
    taken_by(session, &undos(session, run)?)
}

fn taken_by(session: &Session<'_>, undos: &[Run]) -> Result<Taken, Trouble> {
    let mut all = Taken::new();
    for undo in undos {
        let given_back = taken_back(session, undo.id())?;
        for effect in &undo.effects {
            let (EffectStatus::Applied { .. }, Effect::Set(change), Some(n)) = (&effect.status, &effect.effect, effect.takes_back) else { continue };
            if !given_back.contains(&(effect.step.clone(), effect.n, change.resource.clone())) {
                all.insert((effect.step.clone(), n, change.resource.clone()));
            }
        }
    }
    Ok(all)
}

/// What undos of a run have done.
fn earlier(session: &Session<'_>, run: &Run) -> Result<Earlier, Trouble> {
    let graph = session.graph;
    let id = |node: &Ix| &graph.nodes[*node as usize].id;
    let undos = undos(session, run.id())?;
    let mut earlier = Earlier { taken: taken_by(session, &undos)?, ..Earlier::default() };
    for undo in undos {
        let is_done = |id: &StepId| undo.step(id).is_some_and(|step| step.status == StepStatus::Done);
        let has_come_to = |id: &StepId| {
            is_done(id)
                || undo.step(id).is_some_and(|step| step.status == StepStatus::Unchanged)
                || undo.effects.iter().any(|effect| effect.takes_back.is_some() && effect.step == *id)
        };
        let is_given_back = !taken_back(session, undo.id())?.is_empty();
        if !is_given_back && Agreed::of(&undo).0.leave.is_empty() {
            earlier.taken.extend(through(&undo, run));
        }
        for node in 0..graph.nodes.len() as Ix {
            let Some(step) = graph.step(node) else { continue };
            if step.about.gate && is_done(id(&node)) && !is_given_back {
                earlier.passed.insert(id(&node).clone());
            }
            if step.settles.iter().any(|settled| has_come_to(id(settled))) {
                earlier.owed.insert(id(&node).clone());
            }
            if !step.settles.is_empty() && is_done(id(&node)) && gates_of(graph, run, node).all(|gate| is_done(id(&gate))) {
                earlier.owed.remove(id(&node));
            }
        }
    }
    Ok(earlier)
}

/// What an undo is through with, of a run: also what it found to be as before, though other steps of it have changed that since.
fn through<'r>(undo: &'r Run, run: &'r Run) -> impl Iterator<Item = (StepId, u32, Resource)> + 'r {
    let steps = undo.steps.iter().filter(|step| matches!(step.status, StepStatus::Done | StepStatus::Unchanged));
    let effects = steps.filter_map(|step| run.step(&step.id)).flat_map(|step| run.effects_of(step));
    effects.flat_map(|effect| {
        let changes = effect.effect.changes().into_iter().map(|(resource, _)| resource.clone()).collect::<Vec<_>>();
        changes.into_iter().map(|resource| (effect.step.clone(), effect.n, resource))
    })
}

/// What is left to be taken back of a run.
fn listed(session: &Session<'_>, run: &Run, scope: &Scope, past_no_return: bool) -> Result<List, Trouble> {
    let mut list = list(session.graph, run, &earlier(session, run)?, scope, past_no_return);
    let runs = below(session, run.id())?;
    list.runs.extend(runs.iter().chain([run]).map(|run| run.id().to_string()));
    Ok(list)
}

/// Makes a linked run that takes back, and does it.
pub(crate) fn linked<'a>(order: &Order<'_, 'a>, run: &Run, scope: Scope, agreed: &Agreed, past_no_return: bool) -> Result<Ending, Trouble> {
    let parent = order.session;
    let store = parent.engine.store;
    let failed = |wrong: world::error::WorldError| Trouble::Failed(crate::plan::chain(&wrong));
    store.make_room().map_err(failed)?;
    settle_undos(order, run.id())?;
    // What a run that was cut off or failed left beside its targets would be in the way.
    for effect in below(parent, run.id())?.iter().chain([run]).flat_map(unfinished) {
        aside::tidy(parent, effect)?;
    }
    let list = listed(parent, run, &scope, past_no_return)?;
    let seen = look(parent, order.keeper, &list, agreed).map_err(failed)?;
    if let Some(refused) = refused(order, &seen)? {
        return Ok(refused);
    }
    let number = numbered(parent, run.id())?.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
    let id = RunId::parse(&format!("{}.undo-{number}", run.id())).ok_or_else(|| Trouble::Failed("the name of the undo would be too long".into()))?;
    let mut plan = announce(
        parent,
        &list,
        &seen,
        Planned { id: run.started.runbook.clone(), version: run.started.version.clone(), digest: order.plan.runbook.digest.clone() },
        run.started.client.clone(),
    );
    plan.run = id.clone();
    plan.digest = plan.digest().map(|d| d.to_string()).unwrap_or_default();
    let mut files = run.started.files.clone();
    files.remove("plan.json");
    let journal = store.create(&id).map_err(failed)?;
    for name in files.keys() {
        if let Some(bytes) = store.file(run.id(), name).map_err(failed)? {
            store.put(&id, name, &bytes).map_err(failed)?;
        }
    }
    let written = model::json::pretty(&plan).map_err(|wrong| Trouble::Failed(wrong.to_string()))?;
    store.put(&id, "plan.json", written.as_bytes()).map_err(failed)?;
    files.insert("plan.json".into(), Digest::of(written.as_bytes()));
    let started = RunStarted {
        format: model::event::FORMAT,
        tool: parent.engine.tool.to_owned(),
        operator: parent.engine.operator.to_owned(),
        host: parent.engine.host.to_owned(),
        files,
        nonce: parent.engine.short_random() + &parent.engine.short_random(),
        undo_of: Some(UndoOf { run: run.id().clone(), scope }),
        ..(*run.started).clone()
    };
    let scribe = Scribe::new(parent.engine, id, journal, None, 0, crate::history::zeros());
    let decided = agreed.decided(parent.engine.operator, past_no_return);
    scribe.commit([Event::RunStarted(Box::new(started))].into_iter().chain(decided).collect())?;
    parent.engine.sink.say(&format!("taking back {} as {}", run.id(), plan.run));
    plan.warnings.iter().for_each(|stays| parent.engine.sink.say(stays));
    Ok(take(order, &scribe, &list, agreed)?)
}

/// What is in the way of taking anything back: what somebody has changed since, an image that nobody at hand can open, or places
/// in which one may not write.
fn refused(order: &Order<'_, '_>, seen: &Seen) -> Result<Option<Ending>, Trouble> {
    let refused = |why| Ok(Some(Ending { outcome: RunOutcome::Failed, exit: 4, why }));
    if !seen.conflicts.is_empty() {
        let conflict = |step: &PlannedStep| step.reason.clone().filter(|r| r.starts_with("conflict")).map(|r| format!("`{}`: {r}", step.id));
        return refused(seen.steps.iter().filter_map(conflict).collect());
    }
    if let Some(needs) = &seen.needs {
        return Err(Trouble::Missing(vec![format!("taking back {needs}")]));
    }
    let closed = crate::rights::missing(order.session.engine.world, &seen.steps);
    if closed.is_empty() { Ok(None) } else { refused(closed) }
}

/// Settles what is in doubt in the undos of a run that were cut off, each in its own journal, for a new one begins anew; the
/// undos of undos first.
fn settle_undos(order: &Order<'_, '_>, run: &RunId) -> Result<(), Trouble> {
    for undo in undos(order.session, run)? {
        settle_undos(order, undo.id())?;
        if undo.ended.is_none() {
            reopened(order, undo.id())?;
        }
    }
    Ok(())
}

/// The undos of a run, and those of them.
fn below(session: &Session<'_>, run: &RunId) -> Result<Vec<Run>, Trouble> {
    let mut all = undos(session, run)?;
    for undo in all.clone() {
        all.extend(below(session, undo.id())?);
    }
    Ok(all)
}

/// The effects that may have left something beside their targets: in doubt, or of a step that failed.
fn unfinished(run: &Run) -> impl Iterator<Item = &EffectFold> {
    let failed = |effect: &&EffectFold| run.step(&effect.step).is_some_and(|step| step.status == StepStatus::Failed);
    run.effects.iter().filter(move |effect| effect.status.open() || failed(effect))
}

/// Goes on with a linked undo that was cut off, with what was agreed for it and what is agreed beside that.
pub(crate) fn finish_linked<'a>(order: &Order<'_, 'a>, parent: &Run, undo: &Run, more: &Agreed) -> Result<Ending, Trouble> {
    let Some(undo_of) = &undo.started.undo_of else { return Err(Trouble::Failed("it is no undo".into())) };
    let (before, past_no_return) = Agreed::of(undo);
    let agreed = before.and(more);
    let scribe = reopened(order, undo.id())?;
    scribe.commit(more.decided(order.session.engine.operator, false))?;
    let mut list = listed(order.session, parent, &undo_of.scope, past_no_return)?;
    // What it has found to be as before is so for good, though other steps have changed it since.
    list.steps.retain(|step| !is_over(&scribe, step));
    // What was sealed for the process that was cut off is so for nobody any more.
    let seen = look(order.session, order.keeper, &list, &agreed).map_err(|wrong| Trouble::Failed(crate::plan::chain(&wrong)))?;
    match refused(order, &seen)? {
        Some(refused) => Ok(refused),
        None => Ok(take(order, &scribe, &list, &agreed)?),
    }
}

/// The places in which taking a run back would have to write, and may not.
pub(crate) fn closed(order: &Order<'_, '_>, run: &Run, scope: &Scope, agreed: &Agreed, past_no_return: bool) -> Result<Vec<String>, Trouble> {
    let list = listed(order.session, run, scope, past_no_return)?;
    let seen = look(order.session, order.keeper, &list, agreed).map_err(|wrong| Trouble::Failed(crate::plan::chain(&wrong)))?;
    Ok(crate::rights::missing(order.session.engine.world, &seen.steps))
}

/// The journal of an undo that was cut off.
fn reopened<'a>(order: &Order<'_, 'a>, undo: &RunId) -> Result<Scribe<'a>, Trouble> {
    let read = crate::history::read(order.session.engine.store, undo).map_err(Trouble::Failed)?;
    let scribe = recover::reopen(order, read)?;
    recover::settle(order, &scribe, recover::Then::GoOn)?;
    Ok(scribe)
}

/// Whether an undo is through with a step.
fn is_over(scribe: &Scribe<'_>, step: &BackStep) -> bool {
    let is_over = |fold: &Run| fold.step(&step.id).is_some_and(|step| matches!(step.status, StepStatus::Done | StepStatus::Unchanged));
    scribe.fold(is_over).unwrap_or(false)
}

/// Takes back step by step, then writes the last line.
pub(crate) fn take<'a>(order: &Order<'_, 'a>, scribe: &Scribe<'a>, list: &List, agreed: &Agreed) -> Result<Ending, Dead> {
    let hands = order.hands(scribe);
    let nothing = BTreeMap::new();
    // What this undo had done before it was cut off itself, not what the run had.
    let cut = recover::cut(scribe);
    let worker = Worker { hands: &hands, planned: &nothing, cut: &cut, deadline: None };
    let (mut touched, mut pause) = (BTreeSet::new(), Pause::default());
    for step in &list.steps {
        // A settling step and its gates stand in the list beside the inverse of nothing: once each.
        if is_over(scribe, step) {
            continue;
        }
        pause.sit_out(&order.session.engine, scribe)?;
        match one(order, &worker, list, step, agreed, &mut touched) {
            Ok(()) => {}
            Err(Trouble::Dead(dead)) => return Err(dead),
            Err(wrong) => return ended(order, scribe, step, &wrong),
        }
    }
    scribe.commit(vec![Event::RunEnded { outcome: RunOutcome::Done, exit: 0 }])?;
    crate::history::seal(&order.session.engine, scribe)?;
    Ok(Ending { outcome: RunOutcome::Undone, exit: 0, why: Vec::new() })
}

fn ended<'a>(order: &Order<'_, 'a>, scribe: &Scribe<'a>, step: &BackStep, wrong: &Trouble) -> Result<Ending, Dead> {
    let why = vec![format!("`{}` could not be taken back: {}", step.id, words(wrong))];
    let (outcome, exit) = match wrong {
        Trouble::Stopped => (RunOutcome::Stopped, 6),
        Trouble::Missing(_) => (RunOutcome::Stopped, 7),
        _ => (RunOutcome::Failed, 1),
    };
    scribe.commit(vec![Event::RunEnded { outcome, exit }])?;
    crate::history::seal(&order.session.engine, scribe)?;
    Ok(Ending { outcome, exit, why })
}

fn one(
    order: &Order<'_, '_>,
    worker: &Worker<'_, '_>,
    list: &List,
    step: &BackStep,
    agreed: &Agreed,
    touched: &mut BTreeSet<Resource>,
) -> Result<(), Trouble> {
    let hands = worker.hands;
    let attempt = hands.scribe.fold(|fold| fold.step(&step.id).map_or(0, |step| step.attempts)).unwrap_or(0) + 1;
    hands.scribe.say(Event::StepStarted { step: step.id.clone(), attempt })?;
    let mut outcome = Outcome::Unchanged;
    for back in &step.what {
        let did = match back {
            Back::Set { change, image, n } => set(order, hands, list, step, (change, image.as_ref(), *n), agreed, touched),
            Back::Act { kind, with } => worker.act(step.node, &step.id, *kind, *with).map(|()| true),
            Back::Settle => worker.settle_again(step.node, &step.id).map(|()| true),
            Back::Gate => worker.pass(step.node).map(|()| true),
        };
        match did {
            Ok(true) => outcome = Outcome::Done,
            Ok(false) => {}
            Err(Trouble::Dead(dead)) => return Err(dead.into()),
            Err(wrong) => {
                let reason = Some(words(&wrong));
                hands.scribe.say(Event::StepFinished { step: step.id.clone(), outcome: Outcome::Failed, outputs: BTreeMap::new(), reason })?;
                return Err(wrong);
            }
        }
    }
    hands.scribe.say(Event::StepFinished { step: step.id.clone(), outcome, outputs: BTreeMap::new(), reason: None })?;
    Ok(())
}

fn set(
    order: &Order<'_, '_>,
    hands: &Hands<'_, '_>,
    list: &List,
    step: &BackStep,
    (change, image, n): (&Change, Option<&Image>, u32),
    agreed: &Agreed,
    touched: &mut BTreeSet<Resource>,
) -> Result<bool, Trouble> {
    let session = order.session;
    let failed = |wrong: world::error::WorldError| crate::run::hands::trouble(&wrong, &session.sensitive);
    let first = touched.insert(change.resource.clone());
    let mut whole = false;
    match inside(session.engine.world, list, change, agreed, false).map_err(failed)? {
        Inside::Nothing => {}
        Inside::Stays(_) => return Ok(false),
        Inside::Foreign(_) if agreed.overwrite.contains(&change.resource) => whole = true,
        Inside::Foreign(now) => return Err(Trouble::Failed(conflict(change, "meanwhile", &now))),
    }
    let found = now(session, session.engine.world, change).map_err(failed)?;
    match judge(list, change, &found, first, agreed) {
        Judged::Already | Judged::Leave => return Ok(false),
        Judged::Conflict => {
            return Err(Trouble::Failed(conflict(change, "meanwhile", &found.to_string())));
        }
        Judged::Set => {}
    }
    let real = if whole {
        whole_state(&session.sensitive, session.engine.world, &change.resource)
    } else {
        present(&session.sensitive, session.engine.world, change)
    };
    let real = real.map_err(failed)?;
    let (after, source) = hands.restored(change, image)?;
    let job = Job {
        step: step.id.clone(),
        n: hands.scribe.fold(|fold| fold.next_effect(&step.id)).unwrap_or(0),
        change: Change { resource: change.resource.clone(), before: real, after },
        source,
        takes_back: Some(n),
    };
    hands.set(vec![job])?.remove(0)?;
    Ok(true)
}

fn words(trouble: &Trouble) -> String {
    crate::run::hands::words(trouble)
}

/// What taking a run back would do.
pub(crate) fn preview(
    session: &Session<'_>,
    keeper: &Keeper,
    run: &Run,
    scope: &Scope,
    agreed: &Agreed,
    past_no_return: bool,
    runbook: Planned,
) -> Result<model::plan::Plan, Trouble> {
    let list = listed(session, run, scope, past_no_return)?;
    let seen = look(session, keeper, &list, agreed).map_err(|wrong| Trouble::Failed(crate::plan::chain(&wrong)))?;
    let mut plan = announce(session, &list, &seen, runbook, run.started.client.clone());
    plan.digest = plan.digest().map(|digest| digest.to_string()).unwrap_or_default();
    Ok(plan)
}

/// What taking a run back asks people, as far as it is known before it begins.
pub(crate) fn asked(session: &Session<'_>, run: &Run, scope: &Scope, past_no_return: bool) -> Result<Vec<Asked>, Trouble> {
    let list = listed(session, run, scope, past_no_return)?;
    Ok(look::asked(session, &list))
}

/// Whether taking a run back starts programs or asks people, which may be given secrets.
pub(crate) fn needs_secrets(session: &Session<'_>, run: &Run, scope: &Scope, past_no_return: bool) -> Result<bool, Trouble> {
    let list = listed(session, run, scope, past_no_return)?;
    Ok(list.steps.iter().flat_map(|step| &step.what).any(|back| !matches!(back, Back::Set { .. })))
}
