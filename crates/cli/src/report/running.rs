//! A step that runs, and whether it is slow.

use super::layout::{between, took};
use super::said::{Kind, Said};
use crate::paper::Mark;
use jiff::Timestamp;
use model::id::StepId;
use model::state::Bytes;
use std::time::Duration;

/// No step is called slow before.
const PATIENCE: Duration = Duration::from_secs(10);
/// So much longer than usual is slow, however long that is.
const MORE: Duration = Duration::from_secs(60);

/// A step that runs.
#[derive(Debug)]
pub(super) struct Running {
    /// Which.
    pub(super) step: StepId,
    /// Since when.
    pub(super) since: Timestamp,
    /// The attempt that goes on.
    pub(super) attempt: u32,
    /// Its last effect, in words.
    pub(super) does: String,
    /// Why an attempt failed, as it was told.
    pub(super) told: Option<String>,
    /// Bytes written of a long copy, and bytes in all.
    pub(super) copied: Option<(u64, u64)>,
    /// How long it usually takes; none once something came between.
    pub(super) usual: Option<Duration>,
    /// Since when a person is asked.
    pub(super) asked: Option<Timestamp>,
    /// How long one was asked before.
    pub(super) waited: Duration,
    /// It was said that it is slow.
    pub(super) slow: bool,
}

impl Running {
    /// A step begins.
    pub(super) fn new(step: &StepId, attempt: u32, since: Timestamp, usual: Option<Duration>) -> Self {
        let (does, waited) = (String::new(), Duration::ZERO);
        Self { step: step.clone(), since, attempt, does, told: None, copied: None, usual, asked: None, waited, slow: false }
    }

    /// How long it works already, without people.
    pub(super) fn spent(&self, now: Timestamp) -> Duration {
        let asked = self.asked.map_or(Duration::ZERO, |asked| between(asked, now));
        between(self.since, now).saturating_sub(self.waited + asked)
    }

    /// Whether it takes much longer than usual.
    pub(super) fn is_slow(&self, now: Timestamp) -> bool {
        let spent = self.spent(now);
        self.usual.is_some_and(|usual| spent > PATIENCE && (spent > usual * 2 || spent > usual + MORE))
    }

    /// What is said of it while it runs.
    pub(super) fn said(&self, now: Timestamp, usually: Usually) -> Said {
        let does = self.copied.map_or_else(|| self.does.clone(), |(written, total)| of_total(written, total));
        // First, for the end of a line may be cut off.
        let mut text = match (self.is_slow(now), usually) {
            (true, _) if self.usually().is_empty() => "slow   ".to_owned(),
            (true, _) => format!("slow: {}", self.usually()),
            (false, Usually::Always) => self.usually(),
            (false, Usually::Slow) => String::new(),
        };
        text.push_str(&does);
        let took = Some(between(self.since, now));
        Said { at: now, kind: Kind::Step, name: self.step.to_string(), mark: Mark::Running, word: "running", took, text: text.trim_end().to_owned() }
    }

    /// What it usually takes, where that is worth a word; before what else is said.
    pub(super) fn usually(&self) -> String {
        self.usual.filter(|usual| usual.as_secs() > 0).map(|usual| format!("usually {}   ", took(usual))).unwrap_or_default()
    }
}

/// When it is said how long a step usually takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Usually {
    /// While it runs, and when it is over.
    Always,
    /// While it runs and is slow.
    #[default]
    Slow,
}

/// `2.6 of 4.1 GB`: the unit once if it is the same.
fn of_total(written: u64, total: u64) -> String {
    let (written, total) = (Bytes(written).to_string(), Bytes(total).to_string());
    match (written.split_once(' '), total.split_once(' ')) {
        (Some((number, a)), Some((_, b))) if a == b => format!("{number} of {total}"),
        _ => format!("{written} of {total}"),
    }
}
