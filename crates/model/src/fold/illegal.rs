//! Events that do not follow.

use crate::id::StepId;

/// An event that does not follow from what stands before it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("event {seq}{} is out of place: {reason}", .step.as_ref().map(|s| format!(" of step `{s}`")).unwrap_or_default())]
pub struct IllegalEvent {
    /// Its place.
    pub seq: u64,
    /// Of which step.
    pub step: Option<StepId>,
    /// Why, in words.
    pub reason: &'static str,
}
