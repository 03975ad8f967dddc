//! `service.ensure`

use crate::assert_service::word;
use crate::named_service::{service, state};
use model::effect::{Change, Effect};
use model::state::{RunState, ServiceState, StartType, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Starts or stops a service, or changes how it starts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceEnsure {
    /// Its name.
    pub name: Option<String>,
    /// In place of the name: a pattern with `*` and `?` that exactly one service matches, upper and lower case alike.
    #[serde(rename = "match")]
    pub matching: Option<String>,
    /// Whether it is to run.
    pub state: Option<Wanted>,
    /// How it is to start. Default: as it does.
    pub start_type: Option<StartType>,
    /// When a stop is over. Default: when the service manager says so.
    #[serde(default)]
    pub wait: WaitFor,
}

/// Whether a service is to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Wanted {
    Running,
    Stopped,
}

/// When a stop is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// When the service manager says so.
    #[default]
    State,
    /// When its processes have ended too. With systemd and pid files both are the same.
    ProcessExit,
}

/// What a service is afterwards.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Settled {
    /// `running`, `stopped`, `paused` or `failed`.
    pub state: String,
}

impl Action for ServiceEnsure {
    const KIND: &'static str = "service.ensure";
    const ABOUT: &'static str = "Starts or stops a service, or changes how it starts";
    const CLASS: Class = Class::Set;
    type Outputs = Settled;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.state.is_none() && self.start_type.is_none() {
            return Err(ActionError::Invalid("one of `state` and `start_type` is wanted".to_owned()));
        }
        let resource = service(view, self.name.as_deref(), self.matching.as_deref())?;
        let (before, after) = match state(view, &resource)? {
            Ok(before) => {
                let run = match (self.state, before.run) {
                    (Some(Wanted::Running), _) => RunState::Running,
                    // A service that has failed does not run.
                    (Some(Wanted::Stopped), RunState::Failed) => RunState::Failed,
                    (Some(Wanted::Stopped), _) => RunState::Stopped,
                    (None, run) => run,
                };
                let after = ServiceState { run, start: self.start_type.unwrap_or(before.start), account: before.account.clone() };
                (State::Service(before), State::Service(after))
            }
            // Its account and the like are not known either, so the state afterwards is not.
            Err(until) => (State::Unknown { until: until.clone() }, State::Unknown { until }),
        };
        let proposal = match (&after, self.state) {
            (State::Service(after), _) => Proposal::unchanged().output("state", word(after.run)),
            (_, Some(Wanted::Running)) => Proposal::unchanged().output("state", word(RunState::Running)),
            _ => Proposal::unchanged().unknown_output("state", view.step()),
        };
        if before == after && before.unknown_until().is_none() {
            return Ok(proposal);
        }
        Ok(proposal.effect(Effect::Set(Change { resource, before, after }), Source::Nothing))
    }
}
