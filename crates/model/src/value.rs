//! Values that flow through a run: plain ones, unknown ones, secret ones.
//!
//! The dynamic value is `serde_yaml::Value`. Two tags of our own mark what is not plain; no runbook can write them, for
//! tags are refused when a document is read.

use crate::id::StepId;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_yaml::value::{Tag, TaggedValue};
use std::borrow::Cow;

/// A value of a document, an input or an output.
pub type Value = serde_yaml::Value;

const UNKNOWN: &str = "!unknown";
const SECRET: &str = "!secret";

/// The value that is not known before `until` has run.
pub fn unknown(until: &StepId) -> Value {
    // Nested, so that no parameter that is a plain text or list of texts takes it for its value: tags are looked through.
    tagged(UNKNOWN, Value::Sequence(vec![Value::Sequence(vec![Value::String(until.as_str().to_owned())])]))
}

/// The step until which this very value is unknown.
pub fn until(value: &Value) -> Option<StepId> {
    match value {
        Value::Tagged(t) if t.tag == UNKNOWN => t.value.get(0)?.get(0)?.as_str().map(StepId::new),
        _ => None,
    }
}

/// The step until which something in this value is unknown.
pub fn until_within(value: &Value) -> Option<StepId> {
    match value {
        Value::Sequence(items) => items.iter().find_map(until_within),
        Value::Mapping(map) => map.values().find_map(until_within),
        other => until(other),
    }
}

/// Whether something in this value is a secret.
pub fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Sequence(items) => items.iter().any(holds_secret),
        Value::Mapping(map) => map.values().any(holds_secret),
        other => SecretText::of(other).is_some(),
    }
}

/// A value as JSON for plans and journals: a secret as `{"secret": ["inputs.key"]}`, an unknown as `{"unknown_until": STEP}`.
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) => serde_json::to_value(n).unwrap_or(Json::Null),
        Value::String(s) => Json::String(s.clone()),
        Value::Sequence(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Mapping(map) => Json::Object(map.iter().map(|(k, v)| (k.as_str().unwrap_or_default().to_owned(), to_json(v))).collect()),
        Value::Tagged(_) => match (until(value), SecretText::of(value)) {
            (Some(step), _) => serde_json::json!({ "unknown_until": step.as_str() }),
            (_, Some(secret)) => serde_json::json!({ "secret": secret.names() }),
            (None, None) => Json::Null,
        },
    }
}

/// A value read back from JSON.
pub fn from_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(_) => serde_yaml::to_value(json).unwrap_or(Value::Null),
        Json::String(s) => Value::String(s.clone()),
        Json::Array(items) => Value::Sequence(items.iter().map(from_json).collect()),
        Json::Object(map) => {
            if let (1, Some(Json::String(step))) = (map.len(), map.get("unknown_until")) {
                return unknown(&StepId::new(step));
            }
            if let (1, Some(Json::Array(names))) = (map.len(), map.get("secret")) {
                let pieces = names.iter().filter_map(|n| n.as_str()).map(|n| Piece::Secret(n.to_owned())).collect();
                return SecretText { pieces }.value();
            }
            Value::Mapping(map.iter().map(|(k, v)| (Value::String(k.clone()), from_json(v))).collect())
        }
    }
}

/// A value of an action's parameter that may not be known when planning: contents, never a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum May<T> {
    /// It is this.
    Known(T),
    /// It is known once that step has run.
    Unknown {
        /// That step.
        until: StepId,
    },
}

impl<T> May<T> {
    /// The same with the known value changed.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> May<U> {
        match self {
            Self::Known(value) => May::Known(change(value)),
            Self::Unknown { until } => May::Unknown { until },
        }
    }

    /// A borrow of it.
    pub fn as_ref(&self) -> May<&T> {
        match self {
            Self::Known(value) => May::Known(value),
            Self::Unknown { until } => May::Unknown { until: until.clone() },
        }
    }

    /// The known value.
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown { .. } => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for May<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // A struct name that only our own deserializer knows would be needed to avoid the detour through a value; the
        // detour costs nothing that can be measured, for contents are few and flat.
        let value = Value::deserialize(from)?;
        if let Some(until) = until_within(&value) {
            return Ok(Self::Unknown { until });
        }
        if value.is_mapping() {
            // Contents are flat. And the output of a program must not pass for the mapping that a journal makes of a secret.
            return Err(D::Error::custom("a mapping does not fit here"));
        }
        T::deserialize(Owned(value)).map(Self::Known).map_err(D::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for May<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
}

/// What stands in a plan for a text that is not known before a step has run.
pub fn placeholder(until: &StepId) -> String {
    format!("<known after {until}>")
}

/// Whether a text is what was announced: the same, or anything where there was a placeholder.
pub fn fits(found: &str, planned: &str) -> bool {
    found == planned || planned.strip_prefix("<known after ").is_some_and(|rest| rest.ends_with('>'))
}

/// A text of an action's parameter: plain, or secret as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Text {
    /// Anybody may read it.
    Plain(String),
    /// Made of at least one secret.
    Secret(SecretText),
}

/// A text made of secrets and what stands between them. It holds names, never a secret's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretText {
    /// Its parts in order.
    pub pieces: Vec<Piece>,
}

/// A part of a secret text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// The value of the secret of this name: `inputs.key`, `steps.keys.serial`.
    Secret(String),
    /// What is not known before this step has run. Only in plans: what is made of a secret is secret from the first.
    Unknown(StepId),
}

impl SecretText {
    /// A text that is one secret.
    pub fn named(name: &str) -> Self {
        Self { pieces: vec![Piece::Secret(name.to_owned())] }
    }

    /// The secret text that this very value is.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Tagged(t) if t.tag == SECRET => {
                let pieces = t.value.as_sequence()?.iter().map(|piece| {
                    let (kind, text) = piece.as_mapping()?.iter().next()?;
                    let text = text.as_str()?.to_owned();
                    Some(match kind.as_str()? {
                        "secret" => Piece::Secret(text),
                        "unknown" => Piece::Unknown(StepId::new(&text)),
                        _ => Piece::Text(text),
                    })
                });
                Some(Self { pieces: pieces.collect::<Option<_>>()? })
            }
            _ => None,
        }
    }

    /// As a value.
    pub fn value(&self) -> Value {
        let piece = |kind: &str, text: &str| Value::Mapping([(kind.into(), text.into())].into_iter().collect());
        let pieces = self.pieces.iter().map(|p| match p {
            Piece::Text(text) => piece("text", text),
            Piece::Secret(name) => piece("secret", name),
            Piece::Unknown(until) => piece("unknown", until.as_str()),
        });
        tagged(SECRET, Value::Sequence(pieces.collect()))
    }

    /// The names of its secrets.
    pub fn names(&self) -> Vec<&str> {
        self.pieces.iter().filter_map(|p| if let Piece::Secret(name) = p { Some(name.as_str()) } else { None }).collect()
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        if let Some(secret) = SecretText::of(&value) {
            return Ok(Self::Secret(secret));
        }
        match value {
            Value::String(text) => Ok(Self::Plain(text)),
            // What a plan or journal says of a secret text.
            Value::Mapping(map) if map.contains_key("secret") => {
                let names = map["secret"].as_sequence().cloned().unwrap_or_default();
                let pieces = names.iter().filter_map(|n| n.as_str()).map(|n| Piece::Secret(n.to_owned())).collect();
                Ok(Self::Secret(SecretText { pieces }))
            }
            Value::Sequence(_) => Err(D::Error::custom("a text is wanted, not a list")),
            Value::Number(_) => Err(D::Error::custom("a text is wanted, not a number")),
            Value::Bool(_) => Err(D::Error::custom("a text is wanted, not true or false")),
            _ => Err(D::Error::custom("a text is wanted")),
        }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => to.serialize_str(text),
            Self::Secret(secret) => {
                use serde::ser::SerializeMap;
                let mut map = to.serialize_map(Some(1))?;
                map.serialize_entry("secret", &secret.names())?;
                map.end()
            }
        }
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
    fn inline_schema() -> bool {
        true
    }
}

fn tagged(tag: &str, value: Value) -> Value {
    Value::Tagged(Box::new(TaggedValue { tag: Tag::new(tag), value }))
}

/// `Value` deserializes only into owned types; this lets a borrowed lifetime be named.
struct Owned(Value);

impl<'de> Deserializer<'de> for Owned {
    type Error = serde_yaml::Error;
    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_any(visitor)
    }
    fn deserialize_option<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_option(visitor)
    }
    fn deserialize_enum<V: serde::de::Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }
    fn deserialize_newtype_struct<V: serde::de::Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        self.0.deserialize_newtype_struct(name, visitor)
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_never_passes_for_a_plain_parameter() {
        let value = unknown(&StepId::new("keep"));
        assert_eq!(until(&value), Some(StepId::new("keep")));
        assert!(serde_yaml::from_value::<String>(value.clone()).is_err());
        assert!(serde_yaml::from_value::<Vec<String>>(value.clone()).is_err());
        assert!(serde_yaml::from_value::<Text>(value.clone()).is_err());
        assert_eq!(serde_yaml::from_value::<May<Text>>(value).unwrap(), May::Unknown { until: StepId::new("keep") });
    }

    #[test]
    fn a_secret_is_a_text_and_nothing_else_and_no_mapping_passes_for_one() {
        let secret = SecretText::named("inputs.key");
        assert_eq!(serde_yaml::from_value::<May<Text>>(secret.value()).unwrap(), May::Known(Text::Secret(secret.clone())));
        assert!(serde_yaml::from_value::<String>(secret.value()).is_err());
        assert!(serde_yaml::from_value::<May<String>>(secret.value()).is_err());
        let forged: Value = serde_yaml::from_str("{ secret: [inputs.key] }").unwrap();
        assert!(serde_yaml::from_value::<May<Text>>(forged).is_err());
    }

    #[test]
    fn a_placeholder_fits_any_text() {
        let planned = placeholder(&StepId::new("ask"));
        assert!(fits("anything", &planned) && fits("a", "a") && !fits("a", "b"));
    }
}
