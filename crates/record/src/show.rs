//! What happened in a run, step by step, and what of it can be taken back.

mod took;

pub use took::Took;

use crate::notes::Notes;
use crate::read::{RecordError, load};
use crate::standing::{is_change, standing, undos};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::event::RunOutcome;
use model::fold::{EffectFold, EffectStatus, Run, StepFold, StepStatus};
use model::id::{RunId, StepId};
use model::plan::Plan;
use model::printable::Printable;
use serde::Serialize;
use std::fmt;
use world::store::Store;

/// A run as it is shown. Its text is what `show` prints; `{:#}` adds effects and reasons.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// 1.
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// How it ended, or `open`.
    pub outcome: &'static str,
    /// The runbook's id and version.
    pub runbook: String,
    /// The client.
    pub client: String,
    /// The machine.
    pub host: String,
    /// Who ran it.
    pub operator: String,
    /// The first line's time.
    pub began: Timestamp,
    /// The last line's time.
    pub last: Timestamp,
    /// Where times are shown.
    #[serde(skip)]
    pub zone: TimeZone,
    /// Digest of the plan, if the run had one.
    pub plan: Option<String>,
    /// What this run takes back.
    pub undo_of: Option<RunId>,
    /// The undos of this run.
    pub undos: Vec<RunId>,
    /// Its steps, in order of their first events.
    pub steps: Vec<ShownStep>,
    /// How many effects changed something.
    pub changes: usize,
    /// How many pieces of evidence there are.
    pub evidence: usize,
    /// How many changes stand and can be taken back.
    pub can_be_taken_back: usize,
    /// How many are taken back already.
    pub taken_back: usize,
    /// What stays, and why.
    pub stays: Vec<Stays>,
    /// What people wrote down, also after the end.
    pub notes: Vec<String>,
    /// Number of events.
    pub events: u64,
    /// How often it was resumed.
    pub resumed: u32,
    /// Whether it has a seal.
    pub sealed: bool,
}

/// A step as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct ShownStep {
    /// The step.
    pub id: StepId,
    /// Where it stands.
    pub status: StepStatus,
    /// How many attempts there were.
    pub attempts: u32,
    /// How long it took, in seconds, if it is over.
    pub seconds: Option<f64>,
    /// How long of that a person was waited for.
    pub waited: f64,
    /// Why it failed, was skipped or blocked; what a check found.
    pub reason: Option<String>,
    /// What it did.
    pub effects: Vec<String>,
}

/// A change that stays when the run is taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Stays {
    /// The step.
    pub step: StepId,
    /// Why.
    pub reason: String,
}

/// Shows a run. Times are shown in `zone`.
///
/// # Errors
/// It cannot be read, or one of its undos.
pub fn show(store: &dyn Store, id: &RunId, zone: TimeZone) -> Result<Shown, RecordError> {
    let failed = |cause: world::error::WorldError| RecordError { run: id.clone(), cause: cause.into() };
    let record = load(store, id)?;
    let all = store.runs().map_err(failed)?;
    let run = &record.run;
    // A run that was taken over from elsewhere may lack its plan; then nothing is known to stay.
    let plan: Option<Plan> = store.file(id, "plan.json").map_err(failed)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let standing = standing(store, &record, &all)?;
    let notes = Notes::read(store, id).map_err(failed)?;
    let after = notes.all().map(|note| note.map_or_else(|| "a remark that cannot be read".to_owned(), |note| format!("{}: {}", note.by, note.text)));
    let changes = run.effects.iter().filter(|effect| is_change(effect));
    let stays = stays(run, plan.as_ref());
    let stands = |effect: &&EffectFold| standing.contains(&(effect.step.clone(), effect.n));
    let can = changes.clone().filter(stands).filter(|effect| stays.iter().all(|stays| stays.step != effect.step));
    let evidence = |effect: &EffectFold| if let EffectStatus::Answered { evidence, .. } = &effect.status { evidence.len() } else { 0 };
    Ok(Shown {
        format: 1,
        run: id.clone(),
        outcome: run.ended.map_or("open", |ended| outcome(ended.outcome)),
        runbook: format!("{} {}", run.started.runbook, run.started.version),
        client: run.started.client.clone(),
        host: run.started.host.clone(),
        operator: run.started.operator.clone(),
        began: run.began,
        last: run.last,
        zone,
        plan: plan.map(|plan| plan.digest),
        undo_of: run.started.undo_of.as_ref().map(|of| of.run.clone()),
        undos: undos(store, id, &all)?.into_iter().map(|undo| undo.run).collect(),
        steps: run.steps.iter().map(|step| shown(run, step)).collect(),
        changes: changes.clone().count(),
        evidence: run.effects.iter().map(evidence).sum(),
        can_be_taken_back: can.count(),
        taken_back: changes.clone().count() - standing.len(),
        stays,
        notes: run.notes.iter().map(|note| format!("{}: {}", note.by, note.text)).chain(after).collect(),
        events: run.lines(),
        resumed: run.resumed,
        sealed: store.file(id, model::seal::FILE).map_err(failed)?.is_some(),
    })
}

pub(crate) fn outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Done => "done",
        RunOutcome::Failed => "failed",
        RunOutcome::Undone => "undone",
        RunOutcome::Stopped => "stopped",
    }
}

/// What stays of what has begun: kept, irreversible, or not after the point of no return.
fn stays(run: &Run, plan: Option<&Plan>) -> Vec<Stays> {
    let Some(plan) = plan.filter(|_| run.started.undo_of.is_none()) else { return Vec::new() };
    let began = |step: &StepFold| run.effects_of(step).filter(|e| e.status != EffectStatus::NotHappened).map(|e| e.intended.seq).min();
    let floor = plan.point_of_no_return.as_ref().and_then(|floor| run.step(floor)).and_then(began);
    let mut stays = Vec::new();
    for step in &run.steps {
        let Some(began) = began(step) else { continue };
        let reason = if let Some(not) = plan.irreversible.iter().find(|not| not.step == step.id) {
            not.reason.clone()
        } else if plan.kept.contains(&step.id) {
            "kept".to_owned()
        } else if floor.is_some_and(|floor| began <= floor) && run.effects_of(step).any(is_change) {
            "below the point of no return".to_owned()
        } else {
            continue;
        };
        stays.push(Stays { step: step.id.clone(), reason });
    }
    stays
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// How long a step waited for a person, in seconds.
pub(crate) fn waited(run: &Run, step: &StepFold) -> f64 {
    let waited = |effect: &EffectFold| if let EffectStatus::Answered { at, .. } = &effect.status { seconds(effect.intended.at, at.at) } else { 0.0 };
    run.effects_of(step).map(waited).sum()
}

fn shown(run: &Run, step: &StepFold) -> ShownStep {
    let effect = |effect: &EffectFold| match &effect.status {
        EffectStatus::Intended => format!("{} (in doubt)", effect.effect),
        EffectStatus::Asked => format!("{} (not answered)", effect.effect),
        EffectStatus::NotHappened => format!("{} (did not happen)", effect.effect),
        EffectStatus::Answered { by, .. } => format!("{} (answered by {by})", effect.effect),
        EffectStatus::Applied { .. } => effect.effect.to_string(),
    };
    ShownStep {
        id: step.id.clone(),
        status: step.status,
        attempts: step.attempts,
        seconds: step.started.zip(step.finished).map(|(from, to)| seconds(from.at, to.at)),
        waited: waited(run, step),
        reason: step.reason.clone().or_else(|| step.failures.last().cloned()),
        effects: run.effects_of(step).map(effect).collect(),
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, runbook, client, host, operator, .. } = self;
        let (runbook, client, host, operator) = (Printable(runbook), Printable(client), Printable(host), Printable(operator));
        writeln!(f, "RUN {run}  {}  {runbook}, client {client}, {host}, operator {operator}", self.outcome.to_uppercase())?;
        let (began, last) = (self.began.to_zoned_datetime(self.zone.clone()), self.last.to_zoned_datetime(self.zone.clone()));
        let until = if began.date() == last.date() { last.strftime("%H:%M:%S %:z") } else { last.strftime("%F %H:%M:%S %:z") };
        write!(f, "{} to {until}, {}", began.strftime("%a %F %H:%M:%S"), Took(last.timestamp().duration_since(began.timestamp()).as_secs_f64()))?;
        if let Some(plan) = &self.plan {
            write!(f, "   plan {}", plan.get(..12).unwrap_or(plan))?;
        }
        writeln!(f)?;
        if let Some(of) = &self.undo_of {
            writeln!(f, "Takes back {of}.")?;
        }
        let width = self.steps.iter().map(|step| step.id.as_str().len()).max().unwrap_or(0).clamp(18, 40);
        for step in &self.steps {
            step.line(f, width)?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {}", Printable(note))?;
        }
        self.summary(f)
    }
}

impl Shown {
    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", count(self.changes, "change", "changes"))?;
        if self.evidence > 0 {
            write!(f, ". {} of evidence", count(self.evidence, "piece", "pieces"))?;
        }
        if self.resumed > 0 {
            write!(f, ". Resumed {}", count(self.resumed as usize, "time", "times"))?;
        }
        writeln!(f, ".")?;
        for stays in &self.stays {
            writeln!(f, "Stays: {} ({}).", stays.step, Printable(&stays.reason))?;
        }
        if self.taken_back > 0 {
            let undos: Vec<&str> = self.undos.iter().map(RunId::as_str).collect();
            writeln!(f, "Taken back: {} of {}, by {}.", self.taken_back, self.changes, undos.join(", "))?;
        }
        let sealed = if self.sealed { "sealed" } else { "not sealed" };
        write!(f, "Can be taken back now: {} of {}.  Record: {} events, {sealed}.", self.can_be_taken_back, self.changes, self.events)
    }
}

impl ShownStep {
    fn line(&self, f: &mut fmt::Formatter<'_>, width: usize) -> fmt::Result {
        let mark = match self.status {
            StepStatus::Done => '+',
            StepStatus::Unchanged => '=',
            StepStatus::Skipped | StepStatus::Blocked => '-',
            StepStatus::Failed => 'x',
            StepStatus::InDoubt => '?',
            StepStatus::Waiting | StepStatus::Running => '.',
        };
        let took = self.seconds.map(|seconds| Took(seconds).to_string()).unwrap_or_default();
        let mut more = Vec::new();
        if self.attempts > 1 {
            more.push(format!("{} attempts", self.attempts));
        }
        if self.waited >= 1.0 {
            more.push(format!("waited {} for a person", Took(self.waited)));
        }
        if let Some(reason) = self.reason.as_ref().filter(|_| f.alternate() || matches!(self.status, StepStatus::Failed | StepStatus::Blocked)) {
            more.push(Printable(reason).to_string());
        }
        let line = format!("  {mark} {:<width$}  {:<9} {took:>7}   {}", self.id.as_str(), self.status, more.join("; "));
        writeln!(f, "{}", line.trim_end())?;
        if f.alternate() {
            for effect in &self.effects {
                writeln!(f, "      {}", Printable(effect))?;
            }
        }
        Ok(())
    }
}

fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
