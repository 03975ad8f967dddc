//! Where one step stands.

use crate::event::{Event, Outcome};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The status of a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// Nothing has been said of it.
    #[default]
    Waiting,
    /// An attempt goes on, or the next one is due.
    Running,
    /// An effect of this attempt is intended, and it is not known whether it happened.
    InDoubt,
    /// It did something, or a check held.
    Done,
    /// It was already so.
    Unchanged,
    /// Its condition was false, or it is not wanted.
    Skipped,
    /// It failed.
    Failed,
    /// What it needs failed.
    Blocked,
}

/// What decides which event of a step may come next. Small: a journal of a million lines has many.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) status: StepStatus,
    /// Its place among the steps, in order of their first events.
    pub(super) place: u32,
    attempts: u32,
    /// The least number that its next effect may have.
    effects: u32,
    /// The present attempt has failed; the next is due, or the end.
    over: bool,
    /// Effects that are neither applied nor answered.
    open: Vec<Open>,
    /// The line at which its last attempt began.
    began: u64,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    n: u32,
    attempt: u32,
    asked: bool,
}

impl Standing {
    /// The first of a step that comes `place`th.
    pub(super) fn new(place: u32) -> Self {
        Self { place, ..Self::default() }
    }

    /// Takes the event at `seq`. `reopened` is the line at which the run was last resumed or a retry decided: from there on, what
    /// was cut off, failed or blocked before may start once more.
    pub(super) fn next(&mut self, seq: u64, reopened: u64, event: &Event) -> Result<(), &'static str> {
        use StepStatus::{Blocked, Done, Failed, InDoubt, Running, Skipped, Unchanged, Waiting};
        let again = reopened > self.began;
        self.status = match (self.status, event) {
            (Waiting, Event::StepStarted { attempt: 1, .. }) => self.start(),
            (Waiting | Running | InDoubt | Failed | Blocked, Event::StepStarted { attempt, .. }) if *attempt != self.attempts + 1 => {
                return Err("its attempt is not the next one");
            }
            (Running | InDoubt, Event::StepStarted { .. }) if self.over || again => self.start(),
            (Failed | Blocked, Event::StepStarted { .. }) if again => self.start(),
            (Running | InDoubt, Event::Intended { n, .. }) if !self.over => self.begin(*n, false)?,
            (Running | InDoubt, Event::Asked { n, .. }) if self.open.iter().any(|o| o.asked && o.n == *n) => self.status,
            (Running | InDoubt, Event::Asked { n, .. }) if !self.over => self.begin(*n, true)?,
            (Running | InDoubt | Failed, Event::Applied { n, .. }) => self.settle(*n, false)?,
            (Running | InDoubt | Failed, Event::Answered { n, .. }) => self.settle(*n, true)?,
            (Running | InDoubt, Event::Waited { .. }) if !self.over => self.status,
            (Running | InDoubt, Event::AttemptFailed { attempt, .. }) if !self.over && *attempt == self.attempts => {
                self.over = true;
                self.status
            }
            (Waiting, Event::StepFinished { outcome: Outcome::Skipped, .. }) => Skipped,
            (Waiting, Event::StepFinished { outcome: Outcome::Blocked, .. }) => Blocked,
            (Waiting | Running | InDoubt, Event::StepFinished { outcome: Outcome::Failed, .. }) => Failed,
            (Running | InDoubt, Event::StepFinished { .. }) if self.over => return Err("its last attempt failed"),
            (Running | InDoubt, Event::StepFinished { outcome, .. }) => {
                if self.open.iter().any(|o| o.attempt == self.attempts) {
                    return Err("an effect of it is neither applied nor answered");
                }
                match outcome {
                    Outcome::Done => Done,
                    Outcome::Unchanged => Unchanged,
                    Outcome::Skipped => Skipped,
                    Outcome::Failed => Failed,
                    Outcome::Blocked => return Err("it had started"),
                }
            }
            (Waiting, _) => return Err("the step has not started"),
            (Running | InDoubt, _) => return Err("its attempt has failed, or goes on"),
            (Done | Unchanged | Skipped | Failed | Blocked, _) => return Err("the step is over"),
        };
        if matches!(event, Event::StepStarted { .. }) {
            self.began = seq;
        }
        Ok(())
    }

    /// The intended effects in doubt did not happen: all of them, or the one.
    pub(super) fn did_not_happen(&mut self, one: Option<u32>) {
        self.open.retain(|o| o.asked || one.is_some_and(|n| n != o.n));
        self.status = self.doubt();
    }

    fn start(&mut self) -> StepStatus {
        self.attempts += 1;
        self.over = false;
        StepStatus::Running
    }

    fn begin(&mut self, n: u32, asked: bool) -> Result<StepStatus, &'static str> {
        if n < self.effects {
            return Err("its effect has begun already");
        }
        self.effects = n.checked_add(1).ok_or("its effect has no number")?;
        self.open.push(Open { n, attempt: self.attempts, asked });
        Ok(self.doubt_if_going())
    }

    fn settle(&mut self, n: u32, asked: bool) -> Result<StepStatus, &'static str> {
        let at = self.open.iter().position(|o| o.n == n && o.asked == asked).ok_or("that effect is not open")?;
        self.open.remove(at);
        if self.open.is_empty() {
            self.open = Vec::new();
        }
        Ok(self.doubt())
    }

    fn doubt(&self) -> StepStatus {
        match self.status {
            StepStatus::Running | StepStatus::InDoubt => self.doubt_if_going(),
            over => over,
        }
    }

    fn doubt_if_going(&self) -> StepStatus {
        let doubt = self.open.iter().any(|o| !o.asked && o.attempt == self.attempts);
        if doubt { StepStatus::InDoubt } else { StepStatus::Running }
    }
}

impl StepStatus {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::InDoubt => "in doubt",
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }

    /// Whether nothing more is expected of the step.
    pub fn over(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::InDoubt => false,
            Self::Done | Self::Unchanged | Self::Skipped | Self::Failed | Self::Blocked => true,
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
