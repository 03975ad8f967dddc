//! `assert.service`

use crate::judged::judged;
use crate::named_service::service;
use crate::param::Nothing;
use model::state::{RunState, State};
use schemars::JsonSchema;
use serde::Deserialize;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Says that a service runs, or does not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssertService {
    /// Its name.
    pub name: Option<String>,
    /// In place of the name: a pattern with `*` and `?` that exactly one service matches, upper and lower case alike.
    #[serde(rename = "match")]
    pub matching: Option<String>,
    /// What it must be.
    #[serde(default = "running")]
    pub state: RunState,
}

fn running() -> RunState {
    RunState::Running
}

impl Action for AssertService {
    const KIND: &'static str = "assert.service";
    const ABOUT: &'static str = "Says that a service runs, or does not";
    const CLASS: Class = Class::Check;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        judged(|| {
            let service = service(view, self.name.as_deref(), self.matching.as_deref())?;
            Ok(match view.state(&service)? {
                State::Unknown { until } => Proposal::later(&until),
                State::Service(found) if found.run == self.state => Proposal::holds(),
                State::Service(found) => Proposal::fails(word(self.state), word(found.run)),
                _ => Proposal::fails(word(self.state), format!("there is no service `{}`", service.name)),
            })
        })
    }
}

/// The word for it.
pub(crate) fn word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Stopped => "stopped",
        RunState::Paused => "paused",
        RunState::Failed => "failed",
    }
}
