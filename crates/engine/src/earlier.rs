//! The earlier runs of a runbook, for the steps that ask for one.

use crate::history;
use crate::session::Session;
use jiff::Timestamp;
use model::event::{Event, Line, RunStarted, Scope};
use model::id::RunId;
use model::journal::{Lines, Piece};
use world::earlier::Earlier;
use world::error::WorldError;
use world::store::Store;

/// The runs of a runbook for this client in this state directory, the newest first, without this one. A run that cannot be read, or
/// whose journal is damaged, is none.
pub(crate) fn earlier(session: &Session<'_>, runbook: &str) -> Result<Vec<Earlier>, WorldError> {
    let store = session.engine.store;
    let all: Vec<First> = store.runs()?.into_iter().filter_map(|run| first(store, run)).collect();
    let wanted = |first: &&First| {
        let started = &first.started;
        started.runbook == runbook && started.client == session.client && started.undo_of.is_none() && first.run != session.run
    };
    let mut found: Vec<&First> = all.iter().filter(wanted).collect();
    found.sort_by(|a, b| (b.at, &b.run).cmp(&(a.at, &a.run)));
    let told = |first: &&First| {
        let run = history::begun(store, &first.run).ok().flatten()?.run;
        let ended = run.ended.map(|ended| (ended.at, ended.outcome));
        Some(Earlier { run: first.run.clone(), ended, inputs: run.started.inputs, taken_back: is_taken_back(&first.run, &all) })
    };
    Ok(found.iter().filter_map(told).collect())
}

/// The first line of a run.
struct First {
    run: RunId,
    at: Timestamp,
    started: Box<RunStarted>,
}

fn first(store: &dyn Store, run: RunId) -> Option<First> {
    let mut lines = Lines::new(store.journal(&run).ok()?);
    let Some(Piece::Line(first)) = lines.piece().ok()? else { return None };
    let line = Line::read(std::str::from_utf8(first).ok()?).ok()?;
    let Event::RunStarted(started) = line.event else { return None };
    drop(lines);
    Some(First { run, at: line.at, started })
}

/// Whether an undo of it was begun that is not taken back in its turn. One of a single group belongs to the run itself.
fn is_taken_back(run: &RunId, all: &[First]) -> bool {
    // The name of an undo is longer than that of what it undoes, so this comes to an end.
    let undoes = |first: &&First| {
        first.run.as_str().len() > run.as_str().len()
            && first.started.undo_of.as_ref().is_some_and(|of| of.run == *run && !matches!(of.scope, Scope::Group(_)))
    };
    all.iter().filter(undoes).any(|undo| !is_taken_back(&undo.run, all))
}
