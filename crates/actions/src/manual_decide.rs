//! `manual.decide`

use model::effect::{Ask, Effect, Form};
use model::value::{May, placeholder};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::proposal::{Field, Proposal};
use world::view::View;

/// Lets a person choose how it goes on; later steps ask for `choice` in their `when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualDecide {
    /// What is decided.
    pub question: May<String>,
    /// The choices: name to text, in the order in which they are shown.
    pub options: Options,
    /// The choice that a plan assumes. Default: the first.
    pub expected: Option<String>,
}

/// Choices in order.
#[derive(Debug)]
pub struct Options(Vec<(String, May<String>)>);

/// What was chosen.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Chosen {
    /// The name of the choice.
    pub choice: String,
}

impl Action for ManualDecide {
    const KIND: &'static str = "manual.decide";
    const ABOUT: &'static str = "Lets a person choose how it goes on";
    const CLASS: Class = Class::Ask;
    type Outputs = Chosen;

    fn propose(&self, _: &dyn View) -> Result<Proposal, ActionError> {
        let Some((first, _)) = self.options.0.first() else {
            return Err(ActionError::Invalid("`options` is empty".to_owned()));
        };
        let expected = self.expected.as_ref().unwrap_or(first);
        if !self.options.0.iter().any(|(name, _)| name == expected) {
            return Err(ActionError::Invalid(format!("`expected` is `{expected}`, which is none of the options")));
        }
        let text = |text: &May<String>| match text {
            May::Known(text) => text.clone(),
            May::Unknown { until } => placeholder(until),
        };
        let form = Form::Decide {
            question: text(&self.question),
            options: self.options.0.iter().map(|(name, about)| (name.clone(), text(about))).collect(),
            expected: expected.clone(),
        };
        let ask = Ask { form, show: BTreeMap::new(), changes: Vec::new(), may_change: false };
        Ok(Proposal::unchanged().effect(Effect::Ask(ask), Source::Nothing).observed("choice", 0, Field::Answer("choice".to_owned())))
    }
}

impl<'de> Deserialize<'de> for Options {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Options;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of choices to texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Options, A::Error> {
                let mut options = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    options.push(entry);
                }
                Ok(Options(options))
            }
        }
        from.deserialize_map(InOrder)
    }
}

impl JsonSchema for Options {
    fn schema_name() -> Cow<'static, str> {
        "Options".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object", "minProperties": 1, "additionalProperties": { "type": "string" } })
    }
}
