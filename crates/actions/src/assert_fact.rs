//! `assert.fact`

use crate::param::Nothing;
use model::value::May;
use schemars::JsonSchema;
use serde::Deserialize;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Says that a condition is true.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertFact {
    /// A bare expression, without braces.
    pub that: String,
    /// What it means if it is false.
    pub message: Option<May<String>>,
}

impl Action for AssertFact {
    const KIND: &'static str = "assert.fact";
    const ABOUT: &'static str = "Says that a condition is true";
    const CLASS: Class = Class::Check;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        Ok(match view.judge(&self.that, &[])? {
            May::Known(true) => Proposal::holds(),
            May::Unknown { until } => Proposal::later(&until),
            May::Known(false) => match &self.message {
                Some(May::Known(message)) => Proposal::fails(self.that.as_str(), message.as_str()),
                _ => Proposal::fails(self.that.as_str(), "it is not so"),
            },
        })
    }
}
