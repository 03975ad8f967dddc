//! Taking a run back.

use super::kept::kept_plan;
use super::opened::Opened;
use super::plan::planned;
use super::resume::{over, unfinished_undo};
use super::{Options, Refusal, UndoOptions, locks, memory};
use crate::context::Engine;
use crate::history;
use crate::procedure::Procedure;
use crate::questions::Questions;
use crate::run::hands::Trouble;
use crate::run::images::Keeper;
use crate::run::recover::{self, Then};
use crate::run::{self, Ending};
use crate::secrets::Secrets;
use crate::session::Session;
use crate::undo;
use model::event::Event;
use model::fold::Run;
use model::id::RunId;
use model::plan::Plan;
use world::store::Make;

/// Takes a run back.
///
/// # Errors
/// See [`Refusal`].
pub fn undo(engine: Engine<'_>, procedure: &Procedure, id: &RunId, wanted: &UndoOptions, options: &Options) -> Result<Ending, Refusal> {
    let bound = procedure.bind(&engine, id)?;
    let locks = locks::lock(&engine, &bound)?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    let secrets = Secrets::default();
    let plan = kept_plan(&engine, id)?;
    let opened = Opened::new(engine, (&bound, &plan), locks, &secrets, options)?.again(&read.run)?;
    let mut order = opened.order();
    if undo::needs_secrets(&opened.session, &read.run, &wanted.scope, wanted.past_no_return)? {
        secrets.fetch(procedure.secrets.iter().map(String::as_str), engine.people)?;
        opened.same_secrets(&read.run)?;
    }
    if read.run.ended.is_some() {
        return Ok(undo::linked(&order, &read.run, wanted.scope.clone(), &wanted.agreed, wanted.past_no_return)?);
    }
    let closed = undo::closed(&order, &read.run, &wanted.scope, &wanted.agreed, wanted.past_no_return)?;
    if !closed.is_empty() {
        return Err(Refusal::Refused(closed));
    }
    // It was cut off: what is in doubt is settled in its own journal, and it ends there.
    let history = read.run.clone();
    let scribe = recover::reopen(&order, read)?;
    scribe.commit(vec![Event::Decided { by: engine.operator.to_owned(), what: "undo".into(), about: "run".into() }])?;
    recover::settle(&order, &scribe, Then::TakeBack)?;
    let settled = scribe.fold(Clone::clone).unwrap_or(history);
    // Of these only its `finally` may come again, as far as it has not been.
    (order.cut, order.over) = (recover::cut(&scribe), over(&bound, &settled));
    let undone = match unfinished_undo(&opened.session, &settled)? {
        Some((undone, _)) if undone.ended.is_none() => undo::finish_linked(&order, &settled, &undone, &wanted.agreed),
        _ => undo::linked(&order, &settled, wanted.scope.clone(), &wanted.agreed, wanted.past_no_return),
    };
    let ending = undone?;
    if ending.exit == 0 {
        run::finish_undone(&order, &scribe, &ending)?;
    }
    Ok(ending)
}

/// What an undo of a run would do, with these age identities at hand. Nothing is written.
///
/// # Errors
/// See [`Refusal`].
pub fn undo_plan(engine: Engine<'_>, procedure: &Procedure, id: &RunId, wanted: &UndoOptions, identities: &[String]) -> Result<Plan, Refusal> {
    let keeper = Keeper::new(&procedure.recipients, identities).map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
    let plan = remembering(engine, procedure, id, |session, run| {
        undo::preview(session, &keeper, run, &wanted.scope, &wanted.agreed, wanted.past_no_return, planned(procedure))
    });
    if engine.stop.wished() { Err(Refusal::Stopped) } else { plan }
}

/// What an undo of a run would ask people. Nothing is written.
///
/// # Errors
/// See [`Refusal`].
pub fn undo_questions(engine: Engine<'_>, procedure: &Procedure, id: &RunId, wanted: &UndoOptions) -> Result<Questions, Refusal> {
    remembering(engine, procedure, id, |session, run| {
        let asked = undo::asked(session, run, &wanted.scope, wanted.past_no_return)?;
        Ok(Questions::new(session.graph, engine.kinds, asked))
    })
}

/// With what the journal tells of a run, and nothing else.
fn remembering<T>(
    engine: Engine<'_>,
    procedure: &Procedure,
    id: &RunId,
    work: impl FnOnce(&Session<'_>, &Run) -> Result<T, Trouble>,
) -> Result<T, Refusal> {
    let bound = procedure.bind(&engine, id)?;
    let read = history::read(engine.store, id).map_err(Refusal::Damaged)?;
    let secrets = Secrets::default();
    let key = engine.store.key(Make::Never)?;
    let session = bound.session(engine, &secrets, key);
    memory::remember(&session, &read.run);
    Ok(work(&session, &read.run)?)
}
