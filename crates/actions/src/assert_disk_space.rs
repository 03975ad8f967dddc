//! `assert.disk_space`

use crate::judged::judged;
use crate::param::{Nothing, Place};
use model::size::Size;
use model::state::Bytes;
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Says that there is room on a volume.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertDiskSpace {
    /// A directory on the volume; it need not exist yet.
    pub path: Place,
    /// How much must be free, such as '25 GB'.
    pub min: May<Size>,
}

impl Action for AssertDiskSpace {
    const KIND: &'static str = "assert.disk_space";
    const ABOUT: &'static str = "Says that there is room on a volume";
    const CLASS: Class = Class::Check;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let min = match &self.min {
            May::Known(Size(bytes)) => *bytes,
            May::Unknown { until } => return Ok(Proposal::later(until)),
        };
        judged(|| {
            Ok(match view.room(&self.path)? {
                May::Unknown { until } => Proposal::later(&until),
                May::Known(free) if free >= min => Proposal::holds().because(format!("{} free", Bytes(free))),
                May::Known(free) => Proposal::fails(format!("{} free", Bytes(min)), format!("{} free", Bytes(free))),
            })
        })
    }
}
