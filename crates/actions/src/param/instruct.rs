use model::effect::Instruction;
use model::value::{May, placeholder};
use schemars::JsonSchema;
use serde::Deserialize;

/// One thing for a person to do.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instruct {
    /// What to do.
    #[serde(rename = "do")]
    pub act: May<String>,
    /// What is seen then.
    pub see: Option<May<String>>,
    /// What to do if that is not seen, or cannot be done.
    pub otherwise: Option<May<String>>,
}

impl Instruct {
    /// As it is asked; what is not known yet is a placeholder.
    pub(crate) fn instruction(&self) -> Instruction {
        let optional = |text: &Option<May<String>>| text.as_ref().map(known);
        Instruction { act: known(&self.act), see: optional(&self.see), otherwise: optional(&self.otherwise) }
    }
}

fn known(text: &May<String>) -> String {
    match text {
        May::Known(text) => text.clone(),
        May::Unknown { until } => placeholder(until),
    }
}
