//! `wait.until`

use crate::judged::mapping;
use model::effect::Effect;
use model::id::StepId;
use model::span::Span;
use model::value::{May, Value, unknown, until_within};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::{Out, Proposal, Verdict};
use world::view::View;

/// Waits until checks hold, all of them at once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitUntil {
    /// The checks. One that cannot look means: not yet.
    #[schemars(length(min = 1))]
    pub checks: Vec<Check>,
    /// How long it waits between two looks.
    #[serde(default = "five_seconds")]
    pub every: Span,
    /// After what time it has failed.
    pub within: Span,
    /// How long they must hold without a break.
    #[serde(default)]
    pub stable_for: Span,
    /// A bare expression that ends the wait as failed when it is true. It sees `checks.ID.x`, what a check has found.
    pub fail_when: Option<String>,
}

/// A check that is waited for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name in `fail_when` and in the outputs.
    pub id: String,
    /// What looks: an action that only looks.
    pub action: String,
    /// The parameters of the action.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub with: Value,
}

pub(crate) fn five_seconds() -> Span {
    Span::from_millis(5_000)
}

/// In seconds.
pub(crate) fn seconds(span: Span) -> f64 {
    span.duration().as_secs_f64()
}

impl Action for WaitUntil {
    const KIND: &'static str = "wait.until";
    const ABOUT: &'static str = "Waits until checks hold";
    const CLASS: Class = Class::Wait;
    type Outputs = BTreeMap<String, serde_json::Value>;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let mut seen = Vec::new();
        let mut not_yet = None;
        let mut looked = true;
        for check in &self.checks {
            let proposal = match view.check(&check.action, &check.with) {
                Ok(proposal) => proposal,
                // Programs that are not up yet, files that are not there yet.
                Err(ActionError::World(wrong)) => {
                    not_yet.get_or_insert_with(|| format!("{}: {wrong}", check.id));
                    looked = false;
                    seen.push((check.id.clone(), unknown(view.step())));
                    continue;
                }
                Err(ActionError::Unknown { until }) => Proposal::later(&until),
                Err(wrong) => return Err(wrong),
            };
            match &proposal.verdict {
                Verdict::Holds => {}
                Verdict::Fails { expected, found } => {
                    not_yet.get_or_insert_with(|| format!("{}: expected {expected}, found {found}", check.id));
                }
                Verdict::Later { until } => {
                    not_yet.get_or_insert_with(|| format!("{}: not known before `{until}`", check.id));
                }
                Verdict::Propose => return Err(ActionError::Invalid(format!("`{}` is no check", check.action))),
            }
            seen.push((check.id.clone(), outputs(proposal, view.step())));
        }
        if let (Some(expression), true) = (&self.fail_when, looked)
            && let May::Known(true) = view.judge(expression, &[("checks", mapping(seen.clone()))])?
        {
            return Ok(Proposal::fails(format!("not {expression}"), not_yet.unwrap_or_else(|| "it is so".to_owned())));
        }
        Ok(self.proposal(view, seen, not_yet))
    }
}

impl WaitUntil {
    fn proposal(&self, view: &dyn View, seen: Vec<(String, Value)>, not_yet: Option<String>) -> Proposal {
        let waits = not_yet.is_some() || self.stable_for > Span::default();
        let mut proposal = Proposal::unchanged();
        for (id, value) in seen {
            // What a plan has seen before a wait is not what will be seen after it.
            let value = if waits && until_within(&value).is_none() && not_yet.is_some() { unknown(view.step()) } else { value };
            proposal = proposal.output(&id, value);
        }
        if !waits {
            return proposal;
        }
        if not_yet.is_none() {
            proposal.verdict = Verdict::Holds;
        }
        proposal.reason = not_yet;
        let what = self.checks.iter().map(|check| check.id.as_str()).collect::<Vec<_>>().join(", ");
        let wait = Effect::Wait { what, every: seconds(self.every), within: seconds(self.within), stable_for: seconds(self.stable_for) };
        proposal.effect(wait, Source::Nothing)
    }
}

/// The outputs of a check as one value.
fn outputs(proposal: Proposal, step: &StepId) -> Value {
    mapping(proposal.outputs.into_iter().map(|(name, out)| match out {
        Out::Value(value) => (name, value),
        Out::Observed { .. } => (name, unknown(step)),
    }))
}
