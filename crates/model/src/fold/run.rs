//! What is known of a run.

use super::effect::{EffectFold, EffectStatus};
use super::illegal::IllegalEvent;
use super::order::{Order, not_happened};
use super::step::StepFold;
use crate::digest::Digest;
use crate::event::{Event, Line, RunOutcome, RunStarted};
use crate::id::{RunId, StepId};
use jiff::Timestamp;
use std::borrow::Borrow;
use std::collections::BTreeSet;

/// A place in a journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The line.
    pub seq: u64,
    /// Its time; a label, order is `seq`.
    pub at: Timestamp,
}

/// What is known of a run from its journal.
#[derive(Clone, Debug)]
pub struct Run {
    order: Order,
    /// Its first line.
    pub started: Box<RunStarted>,
    /// When that was written.
    pub began: Timestamp,
    /// The time of the last line.
    pub last: Timestamp,
    /// The latest time of a line: of an earlier one, if the clock was set back.
    pub latest: Timestamp,
    /// The steps that something was said of, in order of their first events.
    pub steps: Vec<StepFold>,
    /// All effects in the order in which they began.
    pub effects: Vec<EffectFold>,
    /// The blobs that its events name.
    pub blobs: BTreeSet<Digest>,
    /// What people wrote down.
    pub notes: Vec<NoteFold>,
    /// What was decided.
    pub decisions: Vec<DecisionFold>,
    /// How often it was resumed.
    pub resumed: u32,
    /// Who asked for a stop, if it was not resumed since.
    pub cancelled: Option<String>,
    /// For what it waits, if it was not resumed since.
    pub suspended: Option<String>,
    /// How it ended; none: it goes on, or was cut off.
    pub ended: Option<Ended>,
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub outcome: RunOutcome,
    /// The exit code of the command.
    pub exit: u8,
}

/// Something that somebody wrote down.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteFold {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// Something that was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecisionFold {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// What.
    pub what: String,
    /// About which step or resource.
    pub about: String,
}

impl Run {
    /// From the first line.
    ///
    /// # Errors
    /// It is not the first line of a journal, or its format is not known.
    pub fn begin(line: &Line) -> Result<Self, IllegalEvent> {
        let order = Order::begin(line)?;
        let Event::RunStarted(started) = &line.event else {
            return Err(IllegalEvent { seq: line.seq, step: None, reason: "a journal begins with `run_started`" });
        };
        Ok(Self {
            order,
            started: started.clone(),
            began: line.at,
            last: line.at,
            latest: line.at,
            steps: Vec::new(),
            effects: Vec::new(),
            blobs: BTreeSet::new(),
            notes: Vec::new(),
            decisions: Vec::new(),
            resumed: 0,
            cancelled: None,
            suspended: None,
            ended: None,
        })
    }

    /// From all lines.
    ///
    /// # Errors
    /// One does not follow, or there is none.
    pub fn fold<L: Borrow<Line>>(lines: impl IntoIterator<Item = L>) -> Result<Self, IllegalEvent> {
        let mut lines = lines.into_iter();
        let first = lines.next().ok_or(IllegalEvent { seq: 0, step: None, reason: "there is no line" })?;
        let mut run = Self::begin(first.borrow())?;
        for line in lines {
            run.apply(line.borrow())?;
        }
        Ok(run)
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// It does not follow; then nothing has changed.
    pub fn apply(&mut self, line: &Line) -> Result<(), IllegalEvent> {
        self.order.apply(line)?;
        let at = Moment { seq: line.seq, at: line.at };
        self.last = line.at;
        self.latest = self.latest.max(line.at);
        self.blobs.extend(line.event.blobs().into_iter().map(|named| named.blob.clone()));
        match &line.event {
            // Refused by `Order`.
            Event::RunStarted(_) => {}
            Event::StepStarted { step, attempt } => {
                let step = self.step_mut(step);
                step.attempts = *attempt;
                step.started.get_or_insert(at);
                step.finished = None;
                step.reason = None;
            }
            Event::Intended { step, n, effect, images, staging, takes_back } => {
                let (step, effect, images, staging) = (step.clone(), effect.clone(), images.clone(), staging.clone());
                let (n, takes_back, status) = (*n, *takes_back, EffectStatus::Intended);
                self.begin_effect(EffectFold { step, n, intended: at, effect, images, staging, takes_back, status });
            }
            Event::Asked { step, n, effect, images } => {
                // Asked again after a cut: the first images are the ones from before anybody did anything.
                if self.effect_of(step, *n).is_none() {
                    let (step, effect, images, n) = (step.clone(), effect.clone(), images.clone(), *n);
                    let (staging, takes_back, status) = (Vec::new(), None, EffectStatus::Asked);
                    self.begin_effect(EffectFold { step, n, intended: at, effect, images, staging, takes_back, status });
                }
            }
            Event::Applied { step, n, observed, exit } => {
                self.settle(step, *n, EffectStatus::Applied { at, observed: observed.clone(), exit: exit.clone() });
            }
            Event::Answered { step, n, by, answers, evidence, observed } => {
                let (by, answers, evidence, observed) = (by.clone(), answers.clone(), evidence.clone(), observed.clone());
                self.settle(step, *n, EffectStatus::Answered { at, by, answers, evidence, observed });
            }
            Event::Waited { step } => {
                self.step_mut(step);
            }
            Event::AttemptFailed { step, reason, .. } => self.step_mut(step).failures.push(reason.clone()),
            Event::StepFinished { step, outputs, reason, .. } => {
                let step = self.step_mut(step);
                step.finished = Some(at);
                step.outputs.clone_from(outputs);
                step.reason.clone_from(reason);
            }
            Event::Note { by, text } => self.notes.push(NoteFold { at, by: by.clone(), text: text.clone() }),
            Event::Paused { .. } | Event::ClockStep { .. } => {}
            Event::Decided { by, what, about } => {
                if what == "not_happened" {
                    self.did_not_happen(about);
                }
                self.decisions.push(DecisionFold { at, by: by.clone(), what: what.clone(), about: about.clone() });
            }
            Event::Cancelled { by } => self.cancelled = Some(by.clone()),
            Event::Suspended { reason } => self.suspended = Some(reason.clone()),
            Event::Resumed { .. } => {
                self.resumed += 1;
                self.ended = None;
                self.cancelled = None;
                self.suspended = None;
            }
            Event::RunEnded { outcome, exit } => self.ended = Some(Ended { at: line.at, outcome: *outcome, exit: *exit }),
        }
        if let Some(step) = line.event.step() {
            self.step_mut(step).status = self.order.status(step);
        }
        Ok(())
    }

    /// The run's name.
    pub fn id(&self) -> &RunId {
        self.order.run()
    }

    /// How many lines there are; the next one's `seq`.
    pub fn lines(&self) -> u64 {
        self.order.lines()
    }

    /// What is known of a step; none if nothing was said of it.
    pub fn step(&self, id: &StepId) -> Option<&StepFold> {
        self.order.place(id).and_then(|place| self.steps.get(place))
    }

    /// Effect `n` of a step.
    pub fn effect(&self, step: &StepId, n: u32) -> Option<&EffectFold> {
        self.effect_of(step, n).and_then(|at| self.effects.get(at))
    }

    /// The effects of a step, in order.
    pub fn effects_of<'a>(&'a self, step: &'a StepFold) -> impl Iterator<Item = &'a EffectFold> {
        step.effects.iter().filter_map(|at| self.effects.get(*at))
    }

    /// The effects that are in doubt, or asked and not answered, in the order in which they began.
    pub fn open(&self) -> impl Iterator<Item = &EffectFold> {
        self.effects.iter().filter(|effect| effect.status.open())
    }

    /// The number that the next effect of a step gets.
    pub fn next_effect(&self, step: &StepId) -> u32 {
        let last = self.step(step).and_then(|step| step.effects.last()).and_then(|at| self.effects.get(*at));
        last.map_or(0, |effect| effect.n.saturating_add(1))
    }

    /// Of an undo: what of the undone run it has taken back, as step and effect.
    pub fn taken_back(&self) -> impl Iterator<Item = (&StepId, u32)> {
        let happened = self.effects.iter().filter(|effect| !effect.status.open() && effect.status != EffectStatus::NotHappened);
        happened.filter_map(|effect| effect.takes_back.map(|n| (&effect.step, n)))
    }

    fn effect_of(&self, step: &StepId, n: u32) -> Option<usize> {
        let of_step = &self.step(step)?.effects;
        // Numbers only grow; one that was refused leaves a gap.
        of_step.binary_search_by_key(&n, |at| self.effects[*at].n).ok().map(|found| of_step[found])
    }

    fn step_mut(&mut self, id: &StepId) -> &mut StepFold {
        // A step's first line gives it the next place, so the list grows by one at most.
        let place = self.order.place(id).unwrap_or(self.steps.len()).min(self.steps.len());
        if place == self.steps.len() {
            self.steps.push(StepFold::new(id));
        }
        &mut self.steps[place]
    }

    fn begin_effect(&mut self, effect: EffectFold) {
        let place = self.effects.len();
        self.step_mut(&effect.step).effects.push(place);
        self.effects.push(effect);
    }

    fn settle(&mut self, step: &StepId, n: u32, status: EffectStatus) {
        if let Some(at) = self.effect_of(step, n) {
            self.effects[at].status = status;
        }
    }

    fn did_not_happen(&mut self, about: &str) {
        let (id, one) = not_happened(about);
        let Some(step) = self.step(&id) else { return };
        for at in step.effects.clone() {
            let effect = &mut self.effects[at];
            if effect.status == EffectStatus::Intended && one.is_none_or(|n| n == effect.n) {
                effect.status = EffectStatus::NotHappened;
            }
        }
        self.step_mut(&id).status = self.order.status(&id);
    }
}
