//! Where a run stands, as people follow it: what runs, what is over, what is to be said of each event.

use super::estimate::Estimate;
use super::layout::{between, count, took};
use super::running::{Running, Usually};
use super::said::{Kind, Said};
use crate::paper::Mark;
use jiff::Timestamp;
use model::effect::Effect;
use model::event::{Event, Line, Outcome, RunOutcome, Scope};
use model::id::{RunId, StepId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where a run stands.
#[derive(Default)]
pub(crate) struct Board {
    /// How many steps there are, where that is known.
    total: Option<usize>,
    /// Whether effects are told one by one.
    effects: bool,
    /// The run, and while an undo of it goes on, that; innermost last.
    runs: Vec<Following>,
    running: Vec<Running>,
    failures: Vec<Said>,
    /// Whether somebody may type while nobody is asked.
    keys: bool,
    paused: bool,
    /// How long it takes, if something tells.
    estimate: Option<Estimate>,
    /// Whether it is said of every step how long it usually takes, or of slow ones only.
    usually: Usually,
    /// What stands before the whole on a practice site.
    practice: &'static str,
}

/// A run that is followed.
#[derive(Debug)]
struct Following {
    run: RunId,
    began: Timestamp,
    undo: bool,
    outcomes: BTreeMap<&'static str, usize>,
    changes: usize,
}

impl Board {
    /// Before the first event. `total`: the number of steps; `effects`: whether they are told one by one.
    pub(crate) fn new(total: Option<usize>, effects: Detail) -> Self {
        Self { total, effects: effects == Detail::Effects, ..Self::default() }
    }

    /// Somebody may type while nobody is asked.
    #[must_use]
    pub(crate) fn with_keys(self) -> Self {
        Self { keys: true, ..self }
    }

    /// So long it takes.
    #[must_use]
    pub(crate) fn with_estimate(self, estimate: Option<Estimate>, usually: Usually) -> Self {
        Self { estimate, usually, ..self }
    }

    /// It is only practice.
    #[must_use]
    pub(crate) fn in_practice(self) -> Self {
        Self { practice: "PRACTICE   ", ..self }
    }

    /// Takes an event and tells what is to be said of it.
    pub(crate) fn take(&mut self, line: &Line) -> Vec<Said> {
        let at = line.at;
        if matches!(line.event, Event::Paused { .. } | Event::Decided { .. } | Event::ClockStep { .. }) {
            self.running.iter_mut().for_each(|running| running.usual = None);
        }
        let run = |word, mark, text: String| vec![Said { at, kind: Kind::Run, name: line.run.to_string(), mark, word, took: None, text }];
        match &line.event {
            Event::RunStarted(started) => {
                let undo = started.undo_of.as_ref();
                self.runs.push(Following { run: line.run.clone(), began: at, undo: undo.is_some(), outcomes: BTreeMap::new(), changes: 0 });
                let text = match undo {
                    None => {
                        format!("{} {} for client {} on {}, by {}", started.runbook, started.version, started.client, started.host, started.operator)
                    }
                    Some(undo) => match &undo.scope {
                        Scope::All => format!("takes back {}", undo.run),
                        Scope::To(step) => format!("takes back what {} did after {step}", undo.run),
                        Scope::Group(group) => format!("takes back {group} of {}", undo.run),
                    },
                };
                run(if undo.is_some() { "undoing" } else { "started" }, Mark::Running, format!("{}{text}", self.practice))
            }
            Event::Resumed { by, .. } => {
                if self.runs.is_empty() {
                    self.runs.push(Following { run: line.run.clone(), began: at, undo: false, outcomes: BTreeMap::new(), changes: 0 });
                }
                run("resumed", Mark::Running, format!("by {by}"))
            }
            Event::StepStarted { step, attempt } => {
                match self.running.iter_mut().find(|running| running.step == *step) {
                    Some(running) => running.attempt = *attempt,
                    None => {
                        let undo = self.runs.last().is_some_and(|following| following.undo);
                        let usual = self.estimate.as_ref().filter(|_| !undo).and_then(|estimate| estimate.usual(step));
                        self.running.push(Running::new(step, *attempt, at, usual));
                    }
                }
                Vec::new()
            }
            Event::Intended { step, effect, .. } => {
                let does = effect.to_string();
                if let Some(running) = self.of(step) {
                    running.does.clone_from(&does);
                    running.copied = None;
                }
                if !self.effects {
                    return Vec::new();
                }
                let mark = if matches!(effect, Effect::Wait { .. }) { Mark::Wait } else { Mark::Change };
                vec![self.said(at, step, mark, "does", does)]
            }
            Event::Applied { .. } => {
                if let Some(following) = self.runs.last_mut() {
                    following.changes += 1;
                }
                Vec::new()
            }
            Event::Asked { step, effect, .. } => {
                if let Some(running) = self.of(step) {
                    running.asked.get_or_insert(at);
                }
                let mut said = self.said(at, step, Mark::Person, "waiting", effect.to_string());
                said.kind = Kind::Ask;
                vec![said]
            }
            Event::Answered { step, by, .. } => {
                if let Some(running) = self.of(step) {
                    running.waited += running.asked.take().map_or(Duration::ZERO, |asked| between(asked, at));
                }
                let mut said = self.said(at, step, Mark::Done, "answered", format!("by {by}"));
                said.kind = Kind::Ask;
                vec![said]
            }
            Event::Waited { .. } => Vec::new(),
            Event::AttemptFailed { step, attempt, reason } => {
                let mut said = self.said(at, step, Mark::Failed, "failed", format!("attempt {attempt}: {reason}"));
                if let Some(running) = self.of(step) {
                    said.took = Some(between(running.since, at));
                    running.told = Some(reason.clone());
                }
                vec![said]
            }
            Event::StepFinished { step, outcome, reason, .. } => vec![self.finished(at, step, *outcome, reason.as_deref())],
            Event::Note { by, text } => {
                vec![Said { at, kind: Kind::Note, name: by.clone(), mark: Mark::Person, word: "notes", took: None, text: text.clone() }]
            }
            Event::Paused { by } => {
                self.paused = true;
                run("paused", Mark::Person, format!("by {by}: nothing starts"))
            }
            Event::Decided { by, what, about } => {
                self.paused = false;
                run("decided", Mark::Person, format!("{by}: {} ({about})", what.replace('_', " ")))
            }
            Event::Cancelled { by } => {
                self.paused = false;
                run("stopping", Mark::Person, format!("asked by {by}"))
            }
            Event::Suspended { reason } => run("suspended", Mark::Wait, reason.clone()),
            Event::ClockStep { seconds } => run("clock", Mark::Unknown, format!("moved by {seconds} s")),
            Event::RunEnded { outcome, exit } => self.ended(line, *outcome, *exit),
        }
    }

    fn said(&self, at: Timestamp, step: &StepId, mark: Mark, word: &'static str, text: String) -> Said {
        Said { at, kind: Kind::Step, name: step.to_string(), mark, word, took: None, text }
    }

    fn of(&mut self, step: &StepId) -> Option<&mut Running> {
        self.running.iter_mut().find(|running| running.step == *step)
    }

    fn finished(&mut self, at: Timestamp, step: &StepId, outcome: Outcome, reason: Option<&str>) -> Said {
        let running = self.running.iter().position(|running| running.step == *step).map(|n| self.running.swap_remove(n));
        let undo = self.runs.last().is_some_and(|following| following.undo);
        let (mark, word) = match outcome {
            Outcome::Done if undo => (Mark::TakenBack, "undone"),
            Outcome::Done => (Mark::Done, "done"),
            Outcome::Unchanged => (Mark::Same, "unchanged"),
            Outcome::Skipped => (Mark::Skipped, "skipped"),
            Outcome::Failed => (Mark::Failed, "FAILED"),
            Outcome::Blocked => (Mark::Skipped, "blocked"),
        };
        if let Some(following) = self.runs.last_mut() {
            *following.outcomes.entry(word).or_default() += 1;
        }
        if let Some(estimate) = self.estimate.as_mut().filter(|_| !undo) {
            estimate.over(step);
        }
        let took = running.as_ref().map(|running| between(running.since, at));
        let told = running.as_ref().is_some_and(|running| running.told.is_some() && running.told.as_deref() == reason);
        let mut text = match (&running, reason) {
            (Some(running), Some(_)) if told => format!("after {}", count(running.attempt as usize, "attempt")),
            (_, Some(reason)) => reason.to_owned(),
            (Some(running), None) if running.attempt > 1 => format!("at attempt {}: {}", running.attempt, running.does),
            (Some(running), None) => running.does.clone(),
            (None, None) => String::new(),
        };
        if let (Usually::Always, Outcome::Done, Some(running)) = (self.usually, outcome, &running) {
            text = (running.usually() + &text).trim_end().to_owned();
        }
        let said = Said { at, kind: Kind::Step, name: step.to_string(), mark, word, took, text };
        if outcome == Outcome::Failed {
            self.failures.push(Said { text: reason.unwrap_or_default().to_owned(), ..said.clone() });
        }
        said
    }

    fn ended(&mut self, line: &Line, outcome: RunOutcome, exit: u8) -> Vec<Said> {
        let following = match self.runs.iter().position(|following| following.run == line.run) {
            Some(n) => Some(self.runs.remove(n)),
            None => None,
        };
        self.running.clear();
        // Failures once more, where the eye ends; those of an undo inside a run are the run's.
        let mut said = if self.runs.is_empty() { std::mem::take(&mut self.failures) } else { Vec::new() };
        if said.len() == 1 && exit != 5 {
            said.clear();
        }
        let (mark, word) = match (outcome, exit) {
            (RunOutcome::Done, 0) => (Mark::Done, "DONE"),
            (RunOutcome::Done, _) => (Mark::Failed, "DONE"),
            (RunOutcome::Failed, _) => (Mark::Failed, "FAILED"),
            (RunOutcome::Undone, _) => (Mark::TakenBack, "UNDONE"),
            (RunOutcome::Stopped, _) => (Mark::Person, "STOPPED"),
        };
        let mut text = Vec::new();
        let mut time = None;
        if let Some(following) = following {
            time = Some(between(following.began, line.at));
            let outcomes: Vec<String> = following.outcomes.iter().map(|(word, n)| format!("{n} {}", word.to_lowercase())).collect();
            text.push(if outcomes.is_empty() { "no steps".to_owned() } else { outcomes.join(", ") });
            text.push(count(following.changes, "effect"));
        }
        if outcome == RunOutcome::Done && exit == 8 {
            text.push("with failures that the runbook allows".to_owned());
        }
        let text = format!("{}{}", self.practice, text.join("; "));
        said.push(Said { at: line.at, kind: Kind::Run, name: line.run.to_string(), mark, word, took: time, text });
        said
    }

    /// How far a long copy has come.
    pub(crate) fn progress(&mut self, step: &StepId, written: u64, total: u64) {
        if let Some(running) = self.of(step) {
            running.copied = Some((written, total));
        }
    }

    /// What runs now, for a live area or a sign of life.
    pub(crate) fn running(&self, now: Timestamp) -> Vec<Said> {
        self.running.iter().map(|running| running.said(now, self.usually)).collect()
    }

    /// What has become slow since this was last asked.
    pub(crate) fn slow(&mut self, now: Timestamp) -> Vec<Said> {
        let slow = self.running.iter_mut().filter(|running| !running.slow && running.is_slow(now));
        slow.map(|running| {
            running.slow = true;
            running.said(now, Usually::Slow)
        })
        .collect()
    }

    /// One line on the whole.
    pub(crate) fn total(&self, now: Timestamp) -> Option<String> {
        let following = self.runs.last()?;
        let over: usize = following.outcomes.values().sum();
        let steps = match self.total.filter(|_| !following.undo) {
            Some(total) => format!("{over} of {}", count(total, "step")),
            None => count(over, "step"),
        };
        let time: Duration = between(following.began, now);
        let paused = if self.paused { "PAUSED   " } else { "" };
        let running: Vec<_> = self.running.iter().map(|running| (&running.step, running.spent(now))).collect();
        let left = self.estimate.as_ref().filter(|_| !following.undo).and_then(|estimate| estimate.left(&running));
        let left = left.map(|left| left + "   ").unwrap_or_default();
        Some(format!("{}{paused}{steps}   {left}{}   run {}", self.practice, took(time), following.run))
    }

    /// Whether a person has paused the run.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// What may be typed now.
    pub(crate) fn keys(&self) -> &'static str {
        match (self.keys, self.paused) {
            (false, _) => "Ctrl-C stop or undo",
            (true, false) => "Enter status   l output   p pause   Ctrl-C stop or undo",
            (true, true) => "Enter status   l output   p go on   Ctrl-C stop or undo",
        }
    }

    /// How many steps are over and how many there are.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        let following = self.runs.last().filter(|following| !following.undo)?;
        Some((following.outcomes.values().sum::<usize>() + 1, self.total?))
    }
}

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Detail {
    /// One line a step.
    Steps,
    /// Effects too.
    Effects,
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
