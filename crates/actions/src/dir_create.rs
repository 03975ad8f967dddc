//! `dir.create`

use crate::access::{Access, FRESH_DIR};
use crate::content::already;
use crate::param::{Mode, Nothing, Place};
use crate::parents;
use model::effect::{Change, Effect};
use model::state::State;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Makes a directory, and those above it that are missing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirCreate {
    /// The directory.
    pub path: Place,
    /// Permission bits, such as '0755'. Default: an existing directory keeps its own, a new one gets 0755.
    pub mode: Option<Mode>,
    /// The owner, a name or number; on Windows a SID. Default: an existing directory keeps its own.
    pub owner: Option<String>,
    /// The group, a name or number; on Windows a SID. Default: an existing directory keeps its own.
    pub group: Option<String>,
}

impl Action for DirCreate {
    const KIND: &'static str = "dir.create";
    const ABOUT: &'static str = "Makes a directory, and those above it that are missing";
    const CLASS: Class = Class::Set;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let resource = self.path.resource();
        let before = view.state(&resource)?;
        match &before {
            State::Absent | State::Dir(_) | State::Unknown { .. } => {}
            other => return Err(ActionError::Invalid(format!("`{}` is {other}, no directory", self.path))),
        }
        let access = Access { mode: self.mode, owner: self.owner.as_deref(), group: self.group.as_deref() };
        let after = State::Dir(access.meta(view, &self.path, &before, FRESH_DIR)?);
        if already(&before, &after) {
            return Ok(Proposal::unchanged());
        }
        let mut proposal = Proposal::unchanged();
        if before == State::Absent {
            for made in parents::missing(view, &self.path)? {
                proposal = proposal.effect(Effect::Set(made), Source::Nothing);
            }
        }
        Ok(proposal.effect(Effect::Set(Change { resource, before, after }), Source::Nothing))
    }
}
