//! `manual.step`

use crate::befores::befores;
use crate::param::{Changed, Instruct, Nothing, Shown};
use model::effect::{Ask, Effect, Form};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Lets a person do something, one instruction after the other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualStep {
    /// What to do, in order.
    #[serde(rename = "do")]
    #[schemars(length(min = 1))]
    pub instructions: Vec<Instruct>,
    /// The resources that the person changes, each by name: `file:PATH` (a directory is all that is in it), `service:NAME`,
    /// `other:NAME`. `[]`: nothing is changed.
    pub changes: Option<Vec<Changed>>,
    /// Shown with it: label to text. Secrets only on request and only on the screen.
    #[serde(default)]
    pub show: BTreeMap<String, Shown>,
}

impl Action for ManualStep {
    const KIND: &'static str = "manual.step";
    const ABOUT: &'static str = "Lets a person do something, one instruction after the other";
    const CLASS: Class = Class::Opaque;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.instructions.is_empty() {
            return Err(ActionError::Invalid("`do` is empty".to_owned()));
        }
        let ask = Ask {
            form: Form::Step { instructions: self.instructions.iter().map(Instruct::instruction).collect() },
            show: self.show.iter().map(|(label, value)| (label.clone(), value.text())).collect(),
            changes: befores(view, self.changes.as_deref().unwrap_or_default())?,
            may_change: self.changes.as_ref().is_none_or(|changes| !changes.is_empty()),
        };
        Ok(Proposal::unchanged().effect(Effect::Ask(ask), Source::Nothing))
    }
}
