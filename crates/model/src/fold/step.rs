//! What is known of one step.

use super::run::Moment;
use super::standing::StepStatus;
use crate::id::StepId;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// What is known of one step.
#[derive(Clone, PartialEq, Debug)]
pub struct StepFold {
    /// The step.
    pub id: StepId,
    /// Where it stands.
    pub status: StepStatus,
    /// How many attempts have begun.
    pub attempts: u32,
    /// When its first attempt began; none if it was skipped or blocked.
    pub started: Option<Moment>,
    /// When it was over, the last time.
    pub finished: Option<Moment>,
    /// Its outputs, secrets by name only.
    pub outputs: BTreeMap<String, Json>,
    /// Why it failed, was skipped or blocked; what a check found.
    pub reason: Option<String>,
    /// Why attempts failed, in order.
    pub failures: Vec<String>,
    /// Its effects in order, as places in the run's list.
    pub effects: Vec<usize>,
}

impl StepFold {
    pub(super) fn new(id: &StepId) -> Self {
        Self {
            id: id.clone(),
            status: StepStatus::Waiting,
            attempts: 0,
            started: None,
            finished: None,
            outputs: BTreeMap::new(),
            reason: None,
            failures: Vec::new(),
            effects: Vec::new(),
        }
    }
}
