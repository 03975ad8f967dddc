//! Whether events follow each other.

use super::illegal::IllegalEvent;
use super::standing::{Standing, StepStatus};
use crate::event::{Event, FORMAT, Line, RunOutcome};
use crate::id::{RunId, StepId};
use std::collections::HashMap;

/// Whether the lines of a journal follow each other, and the status of each step. Remembers little: what a line says beside
/// that is [`super::Run`]'s.
#[derive(Clone, Debug)]
pub struct Order {
    run: RunId,
    lines: u64,
    reopened: u64,
    ended: Option<RunOutcome>,
    steps: HashMap<StepId, Standing>,
}

impl Order {
    /// From the first line.
    ///
    /// # Errors
    /// It is not the first line of a journal, or its format is not known.
    pub fn begin(line: &Line) -> Result<Self, IllegalEvent> {
        if line.seq != 0 {
            return Err(IllegalEvent { seq: line.seq, step: None, reason: "the first line is 0" });
        }
        Self::begin_with(&line.run, &line.event)
    }

    /// From the event of the first line.
    ///
    /// # Errors
    /// It is no `run_started`, or its format is not known.
    pub fn begin_with(run: &RunId, event: &Event) -> Result<Self, IllegalEvent> {
        let illegal = |reason| IllegalEvent { seq: 0, step: None, reason };
        let Event::RunStarted(started) = event else { return Err(illegal("a journal begins with `run_started`")) };
        if started.format != FORMAT {
            return Err(illegal("its format is not known"));
        }
        Ok(Self { run: run.clone(), lines: 1, reopened: 0, ended: None, steps: HashMap::new() })
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// It does not follow; then nothing has changed.
    pub fn apply(&mut self, line: &Line) -> Result<(), IllegalEvent> {
        let illegal = |reason| IllegalEvent { seq: line.seq, step: None, reason };
        if line.seq != self.lines {
            return Err(illegal("it is not the next line"));
        }
        if line.run != self.run {
            return Err(illegal("it is of another run"));
        }
        self.follow(&line.event)
    }

    /// Takes the event of the next line.
    ///
    /// # Errors
    /// It does not follow; then nothing has changed.
    pub fn follow(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        let seq = self.lines;
        let illegal = |reason| IllegalEvent { seq, step: None, reason };
        // A run that failed or was stopped goes on when it is resumed.
        let goes_on = matches!(event, Event::Resumed { .. }) && matches!(self.ended, Some(RunOutcome::Failed | RunOutcome::Stopped));
        if self.ended.is_some() && !goes_on {
            return Err(illegal("the run has ended"));
        }
        match event {
            Event::RunStarted(_) => return Err(illegal("the run has started already")),
            event @ (Event::StepStarted { step, .. }
            | Event::Intended { step, .. }
            | Event::Applied { step, .. }
            | Event::Asked { step, .. }
            | Event::Answered { step, .. }
            | Event::Waited { step, .. }
            | Event::AttemptFailed { step, .. }
            | Event::StepFinished { step, .. }) => {
                let of_step = |reason| IllegalEvent { seq, step: Some(step.clone()), reason };
                if let Some(standing) = self.steps.get_mut(step) {
                    standing.next(seq, self.reopened, event).map_err(of_step)?;
                } else {
                    let mut standing = Standing::new(u32::try_from(self.steps.len()).map_err(|_| of_step("there are too many steps"))?);
                    standing.next(seq, self.reopened, event).map_err(of_step)?;
                    self.steps.insert(step.clone(), standing);
                }
            }
            Event::Decided { what, about, .. } if what == "not_happened" => {
                let (step, one) = not_happened(about);
                if let Some(standing) = self.steps.get_mut(&step) {
                    standing.did_not_happen(one);
                }
            }
            Event::Decided { what, .. } if what == "retry" => self.reopened = seq,
            Event::Resumed { .. } => (self.reopened, self.ended) = (seq, None),
            Event::Note { .. }
            | Event::Paused { .. }
            | Event::Decided { .. }
            | Event::Cancelled { .. }
            | Event::Suspended { .. }
            | Event::ClockStep { .. } => {}
            Event::RunEnded { outcome, .. } => self.ended = Some(*outcome),
        }
        self.lines += 1;
        Ok(())
    }

    /// The run.
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// How many lines there are; the next one's `seq`.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Whether the run has ended.
    pub fn ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The status of a step.
    pub fn status(&self, step: &StepId) -> StepStatus {
        self.steps.get(step).map_or(StepStatus::Waiting, |standing| standing.status)
    }

    /// The place of a step among the steps, in order of their first events.
    pub(super) fn place(&self, step: &StepId) -> Option<usize> {
        self.steps.get(step).map(|standing| standing.place as usize)
    }
}

/// What a decision that something did not happen is about: all effects in doubt of `STEP`, or the one of `STEP#N`.
pub(super) fn not_happened(about: &str) -> (StepId, Option<u32>) {
    match about.rsplit_once('#').and_then(|(step, n)| n.parse().ok().map(|n| (step, n))) {
        Some((step, n)) => (StepId::new(step), Some(n)),
        None => (StepId::new(about), None),
    }
}
