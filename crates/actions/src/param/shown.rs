use model::value::{SecretText, Text, Value, placeholder, to_json, until_within};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::borrow::Cow;

/// A value shown to a person: a text, a secret (on request, on the screen only), a number, a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Shown(pub Value);

impl Shown {
    /// As it is shown; what is not known yet is a placeholder.
    pub(crate) fn text(&self) -> Text {
        if let Some(secret) = SecretText::of(&self.0) {
            return Text::Secret(secret);
        }
        if let Some(until) = until_within(&self.0) {
            return Text::Plain(placeholder(&until));
        }
        match &self.0 {
            Value::String(text) => Text::Plain(text.clone()),
            Value::Null => Text::Plain(String::new()),
            other => Text::Plain(to_json(other).to_string()),
        }
    }
}

impl JsonSchema for Shown {
    fn schema_name() -> Cow<'static, str> {
        "Shown".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean", "array"] })
    }
}
