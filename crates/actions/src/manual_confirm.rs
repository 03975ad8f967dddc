//! `manual.confirm`

use crate::param::Nothing;
use model::effect::{Ask, Effect, Form};
use model::value::{May, placeholder};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::Proposal;
use world::view::View;

/// Goes on only if a person agrees.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualConfirm {
    /// What is agreed to.
    pub question: Option<May<String>>,
    /// The role that the person must have in the client file.
    pub role: Option<String>,
    /// What must be typed to agree.
    pub phrase: Option<May<String>>,
    /// Whether it must be somebody else than the operator. Default: the client's policy `four_eyes`.
    pub not_operator: Option<bool>,
}

impl Action for ManualConfirm {
    const KIND: &'static str = "manual.confirm";
    const ABOUT: &'static str = "Goes on only if a person agrees";
    const CLASS: Class = Class::Ask;
    type Outputs = Nothing;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        let question = match &self.question {
            Some(May::Known(question)) => question.clone(),
            Some(May::Unknown { until }) => placeholder(until),
            None => "Do you agree that it goes on?".to_owned(),
        };
        let phrase = match &self.phrase {
            None => None,
            Some(May::Unknown { until }) => Some(placeholder(until)),
            Some(May::Known(phrase)) if phrase.trim().is_empty() => return Err(ActionError::Invalid("`phrase` is empty".to_owned())),
            Some(May::Known(phrase)) => Some(phrase.clone()),
        };
        let not_operator = self.not_operator.unwrap_or_else(|| view.four_eyes());
        let form = Form::Confirm { question, role: self.role.clone(), phrase, not_operator };
        let ask = Ask { form, show: BTreeMap::new(), changes: Vec::new(), may_change: false };
        Ok(Proposal::unchanged().effect(Effect::Ask(ask), Source::Nothing))
    }
}
