//! What is known of one effect.

use super::run::Moment;
use crate::effect::Effect;
use crate::event::{Evidence, Image, Observed};
use crate::id::StepId;
use crate::program::Exit;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is known of one effect.
#[derive(Clone, PartialEq, Debug)]
pub struct EffectFold {
    /// The step.
    pub step: StepId,
    /// Which effect of the step, from 0.
    pub n: u32,
    /// When it was intended or asked.
    pub intended: Moment,
    /// The effect, with the states before.
    pub effect: Effect,
    /// What it overwrites, kept.
    pub images: Vec<Image>,
    /// Names beside the targets that are ours and may be removed after a crash.
    pub staging: Vec<String>,
    /// In an undo: which effect of this step of the undone run it takes back.
    pub takes_back: Option<u32>,
    /// Where it stands.
    pub status: EffectStatus,
}

/// The status of an effect.
#[derive(Clone, PartialEq, Debug)]
pub enum EffectStatus {
    /// It was about to happen: in doubt, to be settled by looking.
    Intended,
    /// It happened and was looked at.
    Applied {
        /// When that was written.
        at: Moment,
        /// What it changed, as found afterwards.
        observed: Vec<Observed>,
        /// How a program ended.
        exit: Option<Exit>,
    },
    /// A person has been asked and has not answered.
    Asked,
    /// A person answered.
    Answered {
        /// When.
        at: Moment,
        /// Who.
        by: String,
        /// What; a secret as `{"secret": FINGERPRINT}`.
        answers: BTreeMap<String, Json>,
        /// What was attached.
        evidence: BTreeMap<String, Evidence>,
        /// What the person changed, as found afterwards.
        observed: Vec<Observed>,
    },
    /// It was in doubt, and did not happen.
    NotHappened,
}

impl EffectStatus {
    /// Whether it is open: in doubt, or asked and not answered.
    pub fn open(&self) -> bool {
        match self {
            Self::Intended | Self::Asked => true,
            Self::Applied { .. } | Self::Answered { .. } | Self::NotHappened => false,
        }
    }

    /// What it changed, as found afterwards.
    pub fn observed(&self) -> &[Observed] {
        match self {
            Self::Applied { observed, .. } | Self::Answered { observed, .. } => observed,
            Self::Intended | Self::Asked | Self::NotHappened => &[],
        }
    }
}
