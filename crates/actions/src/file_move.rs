//! `file.move`

use crate::access::file_or_absent;
use crate::content::already;
use crate::param::{Nothing, Place};
use crate::parents;
use model::effect::{Change, Effect};
use model::state::State;
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Moves a file, with its mode, owner and time. Made there first, then removed here; also from one volume to another.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileMove {
    /// The file as it is called now.
    pub from: Place,
    /// The file as it will be called. Must not exist.
    pub to: Place,
}

impl Action for FileMove {
    const KIND: &'static str = "file.move";
    const ABOUT: &'static str = "Gives a file another name or place";
    const CLASS: Class = Class::Set;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.from == self.to {
            return Err(ActionError::Invalid(format!("`from` and `to` are both `{}`", self.from)));
        }
        let (from, to) = (file_or_absent(view, &self.from)?, file_or_absent(view, &self.to)?);
        let remove = Effect::Set(Change { resource: self.from.resource(), before: from.clone(), after: State::Absent });
        match (&from, &to) {
            (State::Absent, State::Absent) => Err(ActionError::Invalid(format!("`{}` is not there", self.from))),
            (State::Absent, _) => Ok(Proposal::unchanged().because(format!("`{}` is there, `{}` is not", self.to, self.from))),
            (_, State::Absent) => {
                parents::present(view, &self.to)?;
                let make = Effect::Set(Change { resource: self.to.resource(), before: State::Absent, after: from });
                Ok(Proposal::unchanged().effect(make, Source::File { path: self.from.to_string() }).effect(remove, Source::Nothing))
            }
            // Cut off between the two.
            _ if already(&to, &from) => Ok(Proposal::unchanged().effect(remove, Source::Nothing)),
            (State::Unknown { until }, _) | (_, State::Unknown { until }) => Err(ActionError::Unknown { until: until.clone() }),
            _ => Err(ActionError::Invalid(format!("`{}` exists already", self.to))),
        }
    }
}
