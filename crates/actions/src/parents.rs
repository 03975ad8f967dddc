//! Directories above something that is to be made.

use crate::access::{Access, FRESH_DIR};
use model::effect::Change;
use model::path;
use model::resource::Resource;
use model::state::State;
use world::action::ActionError;
use world::view::View;

/// One change for every directory above `place` that is not there, the topmost first.
pub(crate) fn missing(view: &dyn View, place: &str) -> Result<Vec<Change>, ActionError> {
    let mut changes = Vec::new();
    let mut above = path::parent(place);
    while let Some(directory) = above {
        let resource = Resource::file(directory);
        match view.state(&resource)? {
            State::Absent => {
                let after = State::Dir(Access::UNSAID.meta(view, directory, &State::Absent, FRESH_DIR)?);
                changes.push(Change { resource, before: State::Absent, after });
            }
            State::Dir(_) | State::Tree(_) | State::Unknown { .. } => break,
            other => return Err(ActionError::Invalid(format!("`{directory}` is no directory but {other}"))),
        }
        above = path::parent(directory);
    }
    changes.reverse();
    Ok(changes)
}

/// Refuses a place whose directory is not there.
pub(crate) fn present(view: &dyn View, place: &str) -> Result<(), ActionError> {
    let Some(directory) = path::parent(place) else { return Ok(()) };
    match view.state(&Resource::file(directory))? {
        State::Absent => Err(ActionError::Invalid(format!("the directory `{directory}` is not there; `create_dirs: true` makes it"))),
        State::File(_) | State::Foreign { .. } => Err(ActionError::Invalid(format!("`{directory}` is no directory"))),
        _ => Ok(()),
    }
}
