//! `manual.form`

use crate::param::{Instruct, Shown};
use model::effect::{Ask, Effect, Field, FieldType, Form};
use model::value::{May, Text, Value};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::{Field as Observed, Proposal};
use world::view::View;

/// Asks a person for values. Each becomes an output.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualForm {
    /// What is asked.
    #[schemars(length(min = 1))]
    pub fields: Vec<FormField>,
    /// What to do first, in order.
    #[serde(default, rename = "do")]
    pub instructions: Vec<Instruct>,
    /// Shown with it: label to text. Secrets only on request and only on the screen.
    #[serde(default)]
    pub show: BTreeMap<String, Shown>,
}

/// One field of a form.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormField {
    /// Its name, and the name of the step's output: small letters, digits, `_`.
    #[schemars(regex(pattern = "^[a-z][a-z0-9_]*$"))]
    pub name: String,
    /// What may be entered.
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    /// What it is about.
    pub about: Option<String>,
    /// Whether it is entered twice and compared.
    #[serde(default)]
    pub twice: bool,
    /// A text that the answer must equal; may be a secret.
    pub same_as: Option<May<Shown>>,
    /// What an answer must match, whole.
    pub pattern: Option<String>,
    /// The only answers.
    #[serde(default, rename = "enum")]
    pub choices: Vec<String>,
    /// The least number.
    pub min: Option<f64>,
    /// The greatest number.
    pub max: Option<f64>,
    /// Taken when nothing is entered.
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<Value>,
}

impl Action for ManualForm {
    const KIND: &'static str = "manual.form";
    const ABOUT: &'static str = "Asks a person for values";
    const CLASS: Class = Class::Ask;
    type Outputs = BTreeMap<String, serde_json::Value>;

    fn propose(&self, _: &dyn View) -> Result<Proposal, ActionError> {
        self.check()?;
        let ask = Ask {
            form: Form::Fields {
                instructions: self.instructions.iter().map(Instruct::instruction).collect(),
                fields: self.fields.iter().map(FormField::field).collect(),
            },
            show: self.show.iter().map(|(label, value)| (label.clone(), value.text())).collect(),
            changes: Vec::new(),
            may_change: false,
        };
        let proposal = Proposal::unchanged().effect(Effect::Ask(ask), Source::Nothing);
        Ok(self.fields.iter().fold(proposal, |proposal, field| proposal.observed(&field.name, 0, Observed::Answer(field.name.clone()))))
    }
}

impl ManualForm {
    fn check(&self) -> Result<(), ActionError> {
        let refuse = |why: String| Err(ActionError::Invalid(why));
        if self.fields.is_empty() {
            return refuse("`fields` is empty".to_owned());
        }
        let mut names = BTreeSet::new();
        for field in &self.fields {
            let name = &field.name;
            let fits =
                name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !fits || name == "step" {
                return refuse(format!("a field cannot be called `{name}`: small letters, digits and `_` are wanted, and not `step`"));
            }
            if !names.insert(name) {
                return refuse(format!("two fields are called `{name}`"));
            }
            if field.kind == FieldType::Secret && field.default.is_some() {
                return refuse(format!("the secret field `{name}` must not have a default"));
            }
        }
        Ok(())
    }
}

impl FormField {
    fn field(&self) -> Field {
        let same_as = self.same_as.as_ref().map(|text| match text {
            May::Known(text) => text.text(),
            May::Unknown { until } => Text::Plain(model::value::placeholder(until)),
        });
        Field {
            name: self.name.clone(),
            kind: self.kind,
            about: self.about.clone(),
            twice: self.twice,
            same_as,
            pattern: self.pattern.clone(),
            choices: self.choices.clone(),
            min: self.min,
            max: self.max,
            default: self.default.clone(),
        }
    }
}
