//! The runs of a state directory, as a table.

use crate::show::{Took, outcome};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::{Event, Line, RunStarted};
use model::id::RunId;
use model::journal::{Lines, Piece};
use serde::Serialize;
use std::fmt;
use world::error::WorldError;
use world::store::Store;

/// The runs, newest first. Their text is what `runs` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Runs {
    /// 1.
    pub format: u32,
    /// Where times are shown.
    #[serde(skip)]
    pub zone: TimeZone,
    /// The runs.
    pub runs: Vec<Listed>,
}

/// A run in the list.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Listed {
    /// The run.
    pub run: RunId,
    /// How it ended, `open` if it has not, `damaged` if its first line cannot be read.
    pub outcome: &'static str,
    /// When it began.
    pub began: Option<Timestamp>,
    /// How long it took so far, in seconds.
    pub seconds: Option<f64>,
    /// The runbook's id and version.
    pub runbook: Option<String>,
    /// The client.
    pub client: Option<String>,
    /// What it takes back.
    pub undo_of: Option<RunId>,
}

/// Lists the runs; only the first and last line of each are understood. Times are shown in `zone`.
///
/// # Errors
/// The state directory cannot be read.
pub fn runs(store: &dyn Store, zone: TimeZone) -> Result<Runs, WorldError> {
    let mut runs: Vec<Listed> = store.runs()?.into_iter().map(|run| listed(store, run)).collect();
    runs.sort_by(|a, b| b.began.cmp(&a.began).then_with(|| b.run.cmp(&a.run)));
    Ok(Runs { format: 1, zone, runs })
}

fn listed(store: &dyn Store, run: RunId) -> Listed {
    match ends(store, &run) {
        None => Listed { run, outcome: "damaged", began: None, seconds: None, runbook: None, client: None, undo_of: None },
        Some((began, started, last)) => Listed {
            run,
            outcome: last.as_ref().map_or("open", |last| if let Event::RunEnded { outcome: how, .. } = last.event { outcome(how) } else { "open" }),
            began: Some(began),
            seconds: last.map(|last| last.at.duration_since(began).as_secs_f64()),
            runbook: Some(format!("{} {}", started.runbook, started.version)),
            client: Some(started.client),
            undo_of: started.undo_of.map(|of| of.run),
        },
    }
}

/// The first line, and the last one that can be read.
fn ends(store: &dyn Store, run: &RunId) -> Option<(Timestamp, RunStarted, Option<Line>)> {
    let read = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|text| Line::read(text).ok());
    let mut lines = Lines::new(store.journal(run).ok()?);
    let Some(Piece::Line(first)) = lines.piece().ok()? else { return None };
    let mut last = first.to_vec();
    let first = read(first)?;
    let Event::RunStarted(started) = first.event else { return None };
    while let Some(Piece::Line(line)) = lines.piece().ok()? {
        last.clear();
        last.extend_from_slice(line);
    }
    Some((first.at, *started, read(&last)))
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return f.write_str("No run is recorded here.");
        }
        let longest = |name: &dyn Fn(&Listed) -> usize| self.runs.iter().map(name).max().unwrap_or(0);
        let (id, book) = (longest(&|run| run.run.as_str().len()), longest(&|run| run.runbook.as_ref().map_or(0, |b| b.chars().count())));
        for (at, run) in self.runs.iter().enumerate() {
            let began =
                run.began.map_or_else(|| " ".repeat(19), |began| began.to_zoned_datetime(self.zone.clone()).strftime("%F %H:%M:%S").to_string());
            let took = run.seconds.map(|seconds| Took(seconds).to_string()).unwrap_or_default();
            let book_name = run.runbook.as_deref().unwrap_or("");
            let client = run.client.as_deref().unwrap_or("");
            let line = format!("{began}  {:<id$}  {:<8} {took:>7}  {book_name:<book$}  {client}", run.run.as_str(), run.outcome);
            let end = if at + 1 < self.runs.len() { "\n" } else { "" };
            write!(f, "{}{end}", line.trim_end())?;
        }
        Ok(())
    }
}
