//! How long the steps of a runbook took in earlier runs for a client.

use crate::show::waited;
use jiff::Timestamp;
use model::event::{Event, Line, RunOutcome, RunStarted};
use model::fold::{Run, StepFold, StepStatus};
use model::id::{RunId, StepId};
use model::journal::{Lines, Piece, Reader};
use std::collections::HashMap;
use std::time::Duration;
use world::store::Store;

/// So many runs are looked at.
const MOST: usize = 10;
/// Fewer tell nothing.
pub const ENOUGH: usize = 3;

/// The last ten ended runs of a runbook for a client, the newest first.
#[derive(Clone, Debug, Default)]
pub struct Past {
    runs: Vec<Earlier>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// Whether it went through to its end.
    pub through: bool,
    /// The steps that something was said of. How long each took, without the time in which a person was waited for; none where it
    /// did nothing, failed, or something came between: a pause, a decision, a cut, another clock.
    pub steps: HashMap<StepId, Option<Duration>>,
}

impl Past {
    /// Reads it; only reads. A run that cannot be read, or is another's, is left out, and so are `this` one and undos.
    pub fn read(store: &dyn Store, runbook: &str, client: &str, this: &RunId) -> Self {
        let mut runs: Vec<(Timestamp, RunId)> = store
            .runs()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|run| Some((first(store, &run)?, run)))
            .filter(|((_, started), run)| started.runbook == runbook && started.client == client && started.undo_of.is_none() && run != this)
            .map(|((at, _), run)| (at, run))
            .collect();
        runs.sort_by(|a, b| b.cmp(a));
        Self { runs: runs.iter().filter_map(|(_, run)| earlier(store, run)).take(MOST).collect() }
    }

    /// The runs, the newest first.
    pub fn runs(&self) -> &[Earlier] {
        &self.runs
    }

    /// How long a step takes: the median, and of how many runs.
    pub fn median(&self, step: &StepId) -> Option<(Duration, usize)> {
        let mut times: Vec<Duration> = self.runs.iter().filter_map(|run| *run.steps.get(step)?).collect();
        times.sort_unstable();
        let (low, high) = (times.get(times.len().checked_sub(1)? / 2)?, times.get(times.len() / 2)?);
        Some((*low + (*high - *low) / 2, times.len()))
    }

    /// How long a step usually takes; none where too few runs tell.
    pub fn usual(&self, step: &StepId) -> Option<Duration> {
        self.median(step).filter(|(_, runs)| *runs >= ENOUGH).map(|(usual, _)| usual)
    }
}

fn first(store: &dyn Store, run: &RunId) -> Option<(Timestamp, Box<RunStarted>)> {
    let mut lines = Lines::new(store.journal(run).ok()?);
    let Some(Piece::Line(first)) = lines.piece().ok()? else { return None };
    let line = Line::read(std::str::from_utf8(first).ok()?).ok()?;
    if let Event::RunStarted(started) = line.event { Some((line.at, started)) } else { None }
}

fn earlier(store: &dyn Store, run: &RunId) -> Option<Earlier> {
    let mut reader = Reader::new(store.journal(run).ok()?);
    let mut run = Run::begin(&reader.line().ok()??).ok()?;
    let mut between = Vec::new();
    while let Some(line) = reader.line().ok()? {
        run.apply(&line).ok()?;
        if matches!(line.event, Event::Paused { .. } | Event::Decided { .. } | Event::Resumed { .. } | Event::ClockStep { .. }) {
            between.push(line.seq);
        }
    }
    let through = run.ended?.outcome == RunOutcome::Done;
    let took = |step: &StepFold| {
        let (from, to) = step.started.zip(step.finished).filter(|_| step.status == StepStatus::Done)?;
        let undisturbed = between.iter().all(|seq| !(from.seq..to.seq).contains(seq));
        let seconds = to.at.duration_since(from.at).as_secs_f64() - waited(&run, step);
        undisturbed.then(|| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default())
    };
    Some(Earlier { through, steps: run.steps.iter().map(|step| (step.id.clone(), took(step))).collect() })
}
