//! What happened in a run. An event that is not here did not happen.

use crate::digest::Digest;
use crate::effect::Effect;
use crate::id::{RunId, StepId};
use crate::program::Exit;
use crate::resource::Resource;
use crate::state::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The format of journals that this version writes.
pub const FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Its place, from 0.
    pub seq: u64,
    /// When it was written; a label, order is `seq`.
    pub at: Timestamp,
    /// The run.
    pub run: RunId,
    /// SHA-256 of the line before without its line end; 64 zeros in the first.
    pub prev: Digest,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first line of every journal.
    RunStarted(Box<RunStarted>),
    /// An attempt at a step begins.
    StepStarted {
        /// The step.
        step: StepId,
        /// From 1.
        attempt: u32,
    },
    /// An effect is about to happen. Durable before it does.
    Intended {
        /// The step.
        step: StepId,
        /// Which effect of the step, from 0; goes on over attempts.
        n: u32,
        /// The effect, with the states before.
        effect: Effect,
        /// What will be overwritten, kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Image>,
        /// Names beside the targets that are ours and may be removed after a crash.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        staging: Vec<String>,
        /// In an undo: which effect of this step of the undone run it takes back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        takes_back: Option<u32>,
    },
    /// An effect happened and was looked at.
    Applied {
        /// The step.
        step: StepId,
        /// Which effect.
        n: u32,
        /// What it changed, as found afterwards.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        observed: Vec<Observed>,
        /// How a program ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit: Option<Exit>,
    },
    /// A person was asked. Durable before the question is shown.
    Asked {
        /// The step.
        step: StepId,
        /// Which effect.
        n: u32,
        /// The question.
        effect: Effect,
        /// What the person may overwrite, kept.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Image>,
    },
    /// A person answered. Durable before the answer is used.
    Answered {
        /// The step.
        step: StepId,
        /// Which effect.
        n: u32,
        /// Who.
        by: String,
        /// What; a secret as `{"secret": FINGERPRINT}`.
        answers: BTreeMap<String, Json>,
        /// What was attached: name to its blob.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        evidence: BTreeMap<String, Evidence>,
        /// What the person changed, as found afterwards.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        observed: Vec<Observed>,
    },
    /// What was waited for has come.
    Waited {
        /// The step.
        step: StepId,
    },
    /// An attempt at a step failed.
    AttemptFailed {
        /// The step.
        step: StepId,
        /// From 1.
        attempt: u32,
        /// Why.
        reason: String,
    },
    /// A step is over.
    StepFinished {
        /// The step.
        step: StepId,
        /// How.
        outcome: Outcome,
        /// Its outputs, secrets by name only.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outputs: BTreeMap<String, Json>,
        /// Why it failed, was skipped or blocked; what a check found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody wrote something down.
    Note {
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// A person paused the run.
    Paused {
        /// Who.
        by: String,
    },
    /// A decision: what to do after a failure, on a conflict, in doubt, about an automatic undo.
    Decided {
        /// Who; `retrace` where the runbook decided.
        by: String,
        /// What: `retry`, `undo`, `stop`, `overwrite`, `leave`, `past_no_return`, `accept`, `happened`, `not_happened`, `set_back`,
        /// `disk_is_healthy`.
        what: String,
        /// About which step or resource.
        about: String,
    },
    /// A person asked for a stop.
    Cancelled {
        /// Who.
        by: String,
    },
    /// The run waits for something later (reserved).
    Suspended {
        /// For what.
        reason: String,
    },
    /// A run that was cut off goes on.
    Resumed {
        /// Who.
        by: String,
        /// SHA-256 of bytes after the last whole line that were cut off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        torn: Option<Digest>,
    },
    /// Two clocks drifted apart by more than two seconds.
    ClockStep {
        /// By how many seconds.
        seconds: f64,
    },
    /// The last line.
    RunEnded {
        /// How.
        outcome: RunOutcome,
        /// The exit code of the command.
        exit: u8,
    },
}

/// The first line of a journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RunStarted {
    /// Of the journal: 1.
    pub format: u32,
    /// Name and version of the program.
    pub tool: String,
    /// Id of the runbook.
    pub runbook: String,
    /// Its version.
    pub version: String,
    /// The client's id.
    pub client: String,
    /// The machine.
    pub host: String,
    /// Who runs it.
    pub operator: String,
    /// Digests of the files of the run's directory, by name: `runbook.yaml`, `client.yaml`, `partner.yaml`, `plan.json`, `files/...`.
    pub files: BTreeMap<String, Digest>,
    /// The inputs, secrets by name only.
    pub inputs: BTreeMap<String, Json>,
    /// Keyed digests of the secrets, by name, once they are known at the start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, Digest>,
    /// The run and last line's digest of this client's previous record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Head>,
    /// Random, so that no two journals begin alike.
    pub nonce: String,
    /// What this run takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_of: Option<UndoOf>,
}

/// The end of a record.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Head {
    /// The run.
    pub run: RunId,
    /// Digest of its last line.
    pub head: Digest,
}

/// What an undo takes back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UndoOf {
    /// The run.
    pub run: RunId,
    /// All of it, what started after a step, or one group instance.
    pub scope: Scope,
}

/// How much of a run an undo takes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of it.
    All,
    /// What started after this step had finished.
    To(StepId),
    /// One instance of a group: `farm[rds01]`.
    Group(StepId),
}

/// A state that was kept before it was overwritten.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Image {
    /// Of which resource.
    pub resource: Resource,
    /// The blob: the bytes of a file, the manifest of a tree, or an age file.
    pub blob: Digest,
    /// Whether the blob is an age file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
}

/// A resource as found after an effect.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Observed {
    /// The resource.
    pub resource: Resource,
    /// What it is.
    pub state: State,
}

/// Something attached to a step.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The blob.
    pub blob: Digest,
    /// Name of the file it came from.
    pub name: String,
    /// Number of bytes.
    pub length: u64,
}

/// How a step ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
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

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// To its end.
    Done,
    /// A step failed.
    Failed,
    /// What it did was taken back.
    Undone,
    /// A person stopped it, or nobody could be asked.
    Stopped,
}

impl Event {
    /// The step that it is about.
    pub fn step(&self) -> Option<&StepId> {
        match self {
            Self::StepStarted { step, .. }
            | Self::Intended { step, .. }
            | Self::Applied { step, .. }
            | Self::Asked { step, .. }
            | Self::Answered { step, .. }
            | Self::Waited { step }
            | Self::AttemptFailed { step, .. }
            | Self::StepFinished { step, .. } => Some(step),
            Self::RunStarted(_)
            | Self::Note { .. }
            | Self::Paused { .. }
            | Self::Decided { .. }
            | Self::Cancelled { .. }
            | Self::Suspended { .. }
            | Self::Resumed { .. }
            | Self::ClockStep { .. }
            | Self::RunEnded { .. } => None,
        }
    }
}

impl Line {
    /// As it stands in a journal, without its line end: ASCII JSON, `seq`, `at`, `run`, `prev`, `event` first.
    ///
    /// # Errors
    /// A value that JSON lacks.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        let event = crate::json::line(&self.event)?;
        let head = serde_json::json!({ "at": self.at, "run": self.run }).to_string();
        // The event's own object begins with its tag, so the line reads seq, at, run, prev, event, then its fields.
        Ok(format!("{{\"seq\":{},{},\"prev\":\"{}\",{}", self.seq, &head[1..head.len() - 1], self.prev, &event[1..]))
    }

    /// From a line without its line end. Fields that later versions add are passed over.
    ///
    /// # Errors
    /// Not JSON, or not a line of a journal.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Envelope {
            seq: u64,
            at: Timestamp,
            run: RunId,
            prev: Digest,
        }
        let Envelope { seq, at, run, prev } = serde_json::from_str(text)?;
        Ok(Self { seq, at, run, prev, event: serde_json::from_str(text)? })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_as_it_was_written() {
        let line = Line {
            seq: 3,
            at: "2026-03-07T20:02:11.5Z".parse().unwrap(),
            run: RunId::parse("h-1").unwrap(),
            prev: Digest::of(b"x"),
            event: Event::Note { by: "pat".into(), text: "Čapek".into() },
        };
        let text = line.write().unwrap();
        assert!(text.starts_with(r#"{"seq":3,"at":"2026-03-07T20:02:11.5Z","run":"h-1","prev":""#), "{text}");
        assert!(text.is_ascii());
        assert_eq!(Line::read(&text).unwrap(), line);
    }
}
