//! Going on with a run.

use super::forms::ask_again;
use super::kept::kept_plan;
use super::memory::remember_effects;
use super::opened::Opened;
use super::{Options, Refusal, locks};
use crate::context::Engine;
use crate::graph::OnFailure;
use crate::history;
use crate::procedure::{Bound, Procedure};
use crate::run::locks::Locks;
use crate::run::recover::{self, Then};
use crate::run::{self, Ending};
use crate::secrets::Secrets;
use crate::session::Session;
use crate::undo;
use crate::undo::Agreed;
use model::event::{Outcome, RunOutcome, Scope};
use model::fold::{Run, StepStatus};
use model::id::{RunId, StepId};
use model::plan::PlannedStep;
use std::collections::BTreeMap;

/// Goes on with a run that was cut off, stopped or failed. `procedure` is read from what is kept with the run.
///
/// # Errors
/// See [`Refusal`].
pub fn resume(engine: Engine<'_>, procedure: &Procedure, id: &RunId, options: &Options) -> Result<Ending, Refusal> {
    let bound = procedure.bind(&engine, id)?;
    let locks = locks::lock(&engine, &bound)?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    if let Some(ended) = read.run.ended.filter(|ended| matches!(ended.outcome, RunOutcome::Done | RunOutcome::Undone)) {
        return Ok(Ending { outcome: ended.outcome, exit: ended.exit, why: vec!["the run has ended: nothing to resume".to_owned()] });
    }
    if let Some(undo_of) = &read.run.started.undo_of {
        let parent = undo_of.run.clone();
        return resume_undo(engine, &bound, locks, &parent, options, &read.run);
    }
    let secrets = Secrets::default();
    secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people)?;
    let plan = kept_plan(&engine, id)?;
    let opened = Opened::new(engine, (&bound, &plan), locks, &secrets, options)?;
    opened.same_secrets(&read.run)?;
    let opened = opened.again(&read.run)?;
    let over = over(&bound, &read.run);
    let then = if decided_undo(&read.run) == Some(Scope::All) { Then::TakeBack } else { Then::GoOn };
    if then == Then::GoOn {
        let rest: Vec<PlannedStep> = plan.steps.iter().filter(|step| !over.contains_key(&step.id)).cloned().collect();
        let closed = crate::rights::missing(engine.world, &rest);
        if !closed.is_empty() {
            return Err(Refusal::Refused(closed));
        }
        ask_again(&opened.session, &read.run, &over)?;
    }
    let history = read.run.clone();
    let mut order = opened.order();
    let scribe = recover::reopen(&order, read)?;
    recover::settle(&order, &scribe, then)?;
    order.cut = recover::cut(&scribe);
    order.cut.iter().for_each(|(step, effects)| remember_effects(&opened.session, step, effects));
    order.over = over;
    // An undo that the run had decided on comes first.
    let undone = match unfinished_undo(&opened.session, &history)? {
        Some((undone, scope)) if undone.ended.is_some_and(|ended| ended.exit == 0) => {
            Some((Ending { outcome: RunOutcome::Undone, exit: 0, why: Vec::new() }, scope))
        }
        Some((undone, scope)) => Some((undo::finish_linked(&order, &history, &undone, &Agreed::default())?, scope)),
        None => match decided_undo(&history) {
            Some(scope) => Some((undo::automatic(&order, &scribe, scope.clone())?, scope)),
            None => None,
        },
    };
    Ok(match undone {
        None => run::run(&order, &scribe)?,
        Some((ending, Scope::Group(group))) if ending.exit == 0 => {
            give_up(&bound, &mut order.over, &group);
            run::run(&order, &scribe)?
        }
        Some((ending, _)) => run::finish_undone(&order, &scribe, &ending)?,
    })
}

fn resume_undo(engine: Engine<'_>, bound: &Bound<'_>, locks: Locks, parent: &RunId, options: &Options, undo_run: &Run) -> Result<Ending, Refusal> {
    let read = history::read(engine.store, parent).map_err(Refusal::Damaged)?;
    if read.run.ended.is_none() {
        return Err(Refusal::Refused(vec![format!("it belongs to `{parent}`, which goes on with it: retrace resume {parent}")]));
    }
    let secrets = Secrets::default();
    secrets.fetch(bound.procedure.secrets.iter().map(String::as_str), engine.people)?;
    let plan = kept_plan(&engine, parent)?;
    let opened = Opened::new(engine, (bound, &plan), locks, &secrets, options)?.again(&read.run)?;
    Ok(undo::finish_linked(&opened.order(), &read.run, undo_run, &Agreed::default())?)
}

/// What is over already. A step that failed is tried again, unless the runbook allows it to fail.
pub(super) fn over(bound: &Bound<'_>, run: &Run) -> BTreeMap<StepId, Outcome> {
    let mut over = BTreeMap::new();
    for step in &run.steps {
        let allowed = bound
            .graph
            .find(step.id.as_str())
            .and_then(|node| bound.graph.step(node))
            .is_some_and(|definition| matches!(definition.about.on_failure, OnFailure::Continue));
        let outcome = match step.status {
            StepStatus::Done => Outcome::Done,
            StepStatus::Unchanged => Outcome::Unchanged,
            StepStatus::Skipped => Outcome::Skipped,
            StepStatus::Failed if allowed => Outcome::Failed,
            _ => continue,
        };
        over.insert(step.id.clone(), outcome);
    }
    over
}

/// A group that was taken back is not done again.
fn give_up(bound: &Bound<'_>, over: &mut BTreeMap<StepId, Outcome>, group: &StepId) {
    let inside = format!("{group}/");
    for node in bound.graph.nodes.iter().filter(|node| node.last.is_none() && (node.id.as_str().starts_with(&inside) || node.id == *group)) {
        over.insert(node.id.clone(), Outcome::Failed);
    }
}

/// The undo that a run decided on last and that has not come to its end in the run's own journal.
pub(super) fn unfinished_undo(session: &Session<'_>, run: &Run) -> Result<Option<(Run, Scope)>, Refusal> {
    if decided_undo(run).is_none() {
        return Ok(None);
    }
    let mut undos = undo::undos(session, run.id())?;
    Ok(undos.pop().and_then(|undo| undo.started.undo_of.clone().map(|of| (undo, of.scope))))
}

fn decided_undo(run: &Run) -> Option<Scope> {
    let last = run.decisions.iter().rev().find(|decision| matches!(decision.what.as_str(), "undo" | "undo_group" | "retry" | "go_on"))?;
    // Whatever started after the decision shows that the undo is behind the run.
    let later = run.steps.iter().any(|step| step.started.is_some_and(|at| at.seq > last.at.seq));
    match last.what.as_str() {
        "undo" if !later => Some(Scope::All),
        "undo_group" if !later => Some(Scope::Group(StepId::new(&last.about))),
        _ => None,
    }
}
