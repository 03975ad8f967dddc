use super::name::Segment;
use model::id::StepId;
use model::value::{self, Value};

/// Where names are looked up.
pub trait Scope {
    /// What stands behind a name.
    fn lookup(&self, name: &[Segment]) -> Found;
}

/// What stands behind a name.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    /// This value. It may be, or hold, markers of unknowns and secrets.
    Value(Value),
    /// Something that is known once a step has run.
    Unknown {
        /// That step.
        until: StepId,
    },
    /// The secret of this name, as [`model::value::Piece::Secret`] holds it.
    Secret(String),
    /// Nothing.
    Missing,
}

impl Found {
    /// What stands in `value` behind these parts of a name. Inside an unknown all is unknown.
    pub fn within(mut value: &Value, parts: &[Segment]) -> Self {
        for part in parts {
            if let Some(until) = value::until(value) {
                return Self::Unknown { until };
            }
            match value.as_mapping().and_then(|map| map.get(part.as_str())) {
                Some(inner) => value = inner,
                None => return Self::Missing,
            }
        }
        Self::Value(value.clone())
    }
}
