//! Checks in an imagined world: what cannot be read yet is judged later.

use model::id::StepId;
use model::value::{May, Value};
use std::io::Read;
use world::action::ActionError;
use world::error::WorldError;
use world::proposal::Proposal;
use world::view::View;

/// The proposal of a check; `later` if what it looks at is not known yet.
pub(crate) fn judged(check: impl FnOnce() -> Result<Proposal, ActionError>) -> Result<Proposal, ActionError> {
    match check() {
        Err(ActionError::World(WorldError::Unknown { until })) => Ok(Proposal::later(&until)),
        other => other,
    }
}

/// At most this many bytes of a file are read into memory.
pub(crate) const MOST: u64 = 16 << 20;

/// The bytes of a file that is read as a whole.
pub(crate) fn bytes(view: &dyn View, path: &str) -> Result<Vec<u8>, ActionError> {
    let mut bytes = Vec::new();
    view.open(path)?.take(MOST + 1).read_to_end(&mut bytes).map_err(|e| WorldError::io("read", path, e))?;
    if bytes.len() as u64 > MOST {
        return Err(ActionError::Invalid(format!("`{path}` is longer than 16 MB")));
    }
    Ok(bytes)
}

/// A parameter that may be missing or not known yet.
pub(crate) fn wanted<T>(parameter: &Option<May<T>>) -> Result<Option<&T>, StepId> {
    match parameter {
        None => Ok(None),
        Some(May::Known(value)) => Ok(Some(value)),
        Some(May::Unknown { until }) => Err(until.clone()),
    }
}

/// Names to values as one value.
pub(crate) fn mapping(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Mapping(entries.into_iter().map(|(key, value)| (Value::from(key), value)).collect())
}
