//! Earlier runs, as their journals tell them.

use jiff::Timestamp;
use model::event::RunOutcome;
use model::id::RunId;
use serde_json::Value;
use std::collections::BTreeMap;

/// An earlier run of a runbook.
#[derive(Clone, PartialEq, Debug)]
pub struct Earlier {
    /// Its name.
    pub run: RunId,
    /// When it ended, and how; none if it has not.
    pub ended: Option<(Timestamp, RunOutcome)>,
    /// What it was started with, secrets by name only.
    pub inputs: BTreeMap<String, Value>,
    /// Whether somebody has taken it back since, or has begun to, and that stands.
    pub taken_back: bool,
}
