//! `service.restart`

use crate::assert_service::word;
use crate::named_service::{service, state};
use crate::service_ensure::Settled;
use model::effect::{Change, Effect};
use model::resource::Resource;
use model::state::{RunState, ServiceState, State};
use schemars::JsonSchema;
use serde::Deserialize;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Stops a service and starts it again; one that is stopped is only started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceRestart {
    /// Its name.
    pub name: Option<String>,
    /// In place of the name: a pattern with `*` and `?` that exactly one service matches, upper and lower case alike.
    #[serde(rename = "match")]
    pub matching: Option<String>,
    /// Whether it is stopped and started, or told to read its configuration again.
    #[serde(default)]
    pub mode: RestartMode,
}

/// How a service is made to start anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestartMode {
    /// Stopped and started.
    #[default]
    Restart,
    /// Told to read its configuration again, where its manager knows how; it must run.
    Reload,
}

impl Action for ServiceRestart {
    const KIND: &'static str = "service.restart";
    const ABOUT: &'static str = "Stops a service and starts it again, or tells it to read its configuration again";
    const CLASS: Class = Class::Set;
    type Outputs = Settled;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let resource = service(view, self.name.as_deref(), self.matching.as_deref())?;
        let found = state(view, &resource)?;
        let running = word(RunState::Running);
        if self.mode == RestartMode::Reload {
            if let Ok(found) = &found
                && found.run != RunState::Running
            {
                return Err(ActionError::Invalid(format!("`{}` is {}: only a service that runs can be reloaded", resource.name, word(found.run))));
            }
            let program = view.reload(&resource.name)?;
            return Ok(Proposal::unchanged().output("state", running).effect(Effect::Run { program, changes: Vec::new() }, Source::Nothing));
        }
        let proposal = Proposal::unchanged().output("state", running);
        let found = match found {
            Ok(found) => found,
            Err(until) => {
                let unknown = || State::Unknown { until: until.clone() };
                return Ok(set(proposal, &resource, unknown(), unknown()));
            }
        };
        let at = |run| State::Service(ServiceState { run, ..found.clone() });
        let (stopped, running) = (at(RunState::Stopped), at(RunState::Running));
        Ok(match found.run {
            RunState::Running | RunState::Paused => {
                set(set(proposal, &resource, State::Service(found.clone()), stopped.clone()), &resource, stopped, running)
            }
            RunState::Stopped | RunState::Failed => set(proposal, &resource, State::Service(found.clone()), running),
        })
    }
}

fn set(proposal: Proposal, resource: &Resource, before: State, after: State) -> Proposal {
    proposal.effect(Effect::Set(Change { resource: resource.clone(), before, after }), Source::Nothing)
}
