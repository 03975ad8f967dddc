//! The recorded proposals of a whole runbook in an imagined world.

use crate::digest::Digest;
use crate::effect::Effect;
use crate::id::{RunId, StepId};
use crate::resource::Resource;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a run will do. The same runbook, inputs, run id and world give the same bytes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// 1.
    pub format: u32,
    /// The run that this plan is for.
    pub run: RunId,
    /// Which runbook.
    pub runbook: Planned,
    /// For whom.
    pub client: String,
    /// The machine that was looked at.
    pub host: String,
    /// Every step, in an order in which they may run.
    pub steps: Vec<PlannedStep>,
    /// The floor of every undo.
    pub point_of_no_return: Option<StepId>,
    /// What cannot be taken back, and why.
    pub irreversible: Vec<Irreversible>,
    /// What stays when everything is taken back.
    pub kept: Vec<StepId>,
    /// Counts.
    pub totals: Totals,
    /// The backward pass.
    pub rehearsal: Rehearsal,
    /// On what taking it back depends, for images that are kept sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs_identity: Option<NeedsIdentity>,
    /// How long users are cut off, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// Seconds after the run's first line from which on no step starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<f64>,
    /// For each decision by a person: what other options would do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<OtherOption>,
    /// Why the run would be refused: failing checks, races, blast radius.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The files it was made from, by name, whole: `runbook.yaml`, `client.yaml`, `partner.yaml`, and what they name. As text.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Where the client file was, absolute, if it names files of secrets: their relative paths begin there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_path: Option<String>,
    /// The inputs as given on the command line, by name; no secrets.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
    /// SHA-256 of this document as one line of ASCII JSON with this field empty.
    pub digest: String,
}

/// Which runbook a plan is of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// What a step would do.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The step.
    pub id: StepId,
    /// Its action.
    pub action: String,
    /// What is decided.
    pub decision: Decision,
    /// What it does to the world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<Effect>,
    /// The step until which something of it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_until: Option<StepId>,
    /// Why: what a check found, why a step is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The difference in contents, line by line, where it can be shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub difference: Vec<String>,
}

/// What is decided about a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// It sets something.
    Change,
    /// It is already so.
    NoChange,
    /// It starts a program.
    Run,
    /// A person is asked.
    Ask,
    /// It waits.
    Wait,
    /// A check holds.
    Holds,
    /// A check fails.
    Fails,
    /// A check that is judged at the run.
    Later,
    /// What it does depends on what is not known yet.
    Unknown,
    /// Its condition is false.
    Skip,
    /// What it needs fails.
    Blocked,
}

/// What cannot be taken back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Irreversible {
    /// The step.
    pub step: StepId,
    /// Why.
    pub reason: String,
}

/// Counts of decisions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// Steps by decision.
    pub steps: BTreeMap<String, u32>,
    /// Effects of steps before the floor.
    pub before_floor: u32,
    /// Effects of the steps from the floor on.
    pub after_floor: u32,
}

/// The backward pass over the imagined run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rehearsal {
    /// Effects that change something.
    pub effects: u32,
    /// Of these, taken back.
    pub taken_back: u32,
    /// The others, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<NotTakenBack>,
}

/// An effect that the rehearsal could not take back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NotTakenBack {
    /// The step.
    pub step: StepId,
    /// Why.
    pub reason: String,
}

/// What only an age identity of one of the recipients can take back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NeedsIdentity {
    /// The resources whose images are sealed.
    pub resources: BTreeSet<Resource>,
    /// For whom they are sealed: `age1...`.
    pub recipients: Vec<String>,
}

/// How long users are cut off.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outage {
    /// Seconds, as usual.
    pub usual: f64,
    /// Seconds, at worst.
    pub most: f64,
}

/// What a run would do if a person chose otherwise.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OtherOption {
    /// The deciding step.
    pub step: StepId,
    /// The option.
    pub option: String,
    /// The steps that only this option would take, or take otherwise.
    pub steps: Vec<PlannedStep>,
    /// Counts of these.
    #[serde(default)]
    pub totals: Totals,
}

impl Plan {
    /// The digest of this plan.
    ///
    /// # Errors
    /// A value that JSON lacks.
    pub fn digest(&self) -> Result<Digest, serde_json::Error> {
        if self.digest.is_empty() {
            return Ok(Digest::of(crate::json::line(self)?.as_bytes()));
        }
        Self { digest: String::new(), ..self.clone() }.digest()
    }
}

impl Decision {
    /// The word for it, as in a plan file.
    pub fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::NoChange => "no-change",
            Self::Run => "run",
            Self::Ask => "ask",
            Self::Wait => "wait",
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Later => "later",
            Self::Unknown => "unknown",
            Self::Skip => "skip",
            Self::Blocked => "blocked",
        }
    }
}

impl NeedsIdentity {
    /// None if nothing is sealed.
    pub fn of(resources: BTreeSet<Resource>, recipients: &[String]) -> Option<Self> {
        (!resources.is_empty()).then(|| Self { resources, recipients: recipients.to_vec() })
    }
}

impl fmt::Display for NeedsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resources: Vec<String> = self.resources.iter().map(ToString::to_string).collect();
        let needs = if resources.len() == 1 { "needs" } else { "need" };
        write!(f, "{} {needs} an age identity of {}: `--identity FILE`", resources.join(", "), self.recipients.join(" or "))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
