//! `file.remove`

use crate::param::{Nothing, Place};
use model::effect::{Change, Effect};
use model::state::State;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Removes a file, or a directory with all that is in it. Both are kept for an undo.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRemove {
    /// The file or directory. That it is not there is not an error.
    pub path: Place,
}

impl Action for FileRemove {
    const KIND: &'static str = "file.remove";
    const ABOUT: &'static str = "Removes a file, or a directory with all that is in it";
    const CLASS: Class = Class::Set;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let resource = self.path.resource();
        let before = match view.state(&resource)? {
            State::Absent => return Ok(Proposal::unchanged()),
            State::Dir(_) => view.tree(&resource, &[], &mut std::io::sink())?,
            State::Foreign { what } => return Err(ActionError::Invalid(format!("`{}` is {what}, which is never removed", self.path))),
            other => other,
        };
        Ok(Proposal::unchanged().effect(Effect::Set(Change { resource, before, after: State::Absent }), Source::Nothing))
    }
}
