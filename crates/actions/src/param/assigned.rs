use model::value::{May, SecretText, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A value that a key of a configuration file is given.
#[derive(Clone, PartialEq, Debug)]
pub enum Assigned {
    /// Anybody may read it.
    Plain(serde_json::Value),
    /// A text made of at least one secret.
    Secret(SecretText),
}

impl<'de> Deserialize<'de> for Assigned {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        match SecretText::of(&value) {
            Some(secret) => Ok(Self::Secret(secret)),
            None => plain(&value).map(Self::Plain).map_err(D::Error::custom),
        }
    }
}

fn plain(value: &Value) -> Result<serde_json::Value, &'static str> {
    match value {
        Value::Tagged(_) => Err("no secret may stand inside a list: name a key for it"),
        Value::Sequence(items) => items.iter().map(plain).collect(),
        Value::Mapping(map) => map
            .iter()
            .map(|(key, value)| Ok((key.as_str().unwrap_or_default().to_owned(), plain(value)?)))
            .collect::<Result<_, _>>()
            .map(serde_json::Value::Object),
        Value::Number(number) if number.as_f64().is_some_and(|number| !number.is_finite()) => Err("a number is wanted that has an end"),
        other => serde_json::to_value(other).map_err(|_| "a text, a number, true, false or a list is wanted"),
    }
}

impl JsonSchema for Assigned {
    fn schema_name() -> Cow<'static, str> {
        "Assigned".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean", "null", "array"] })
    }
}

/// Values by key, in the order in which they are written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Assignments(pub Vec<(String, May<Assigned>)>);

impl<'de> Deserialize<'de> for Assignments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Assignments;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Assignments, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Assignments(entries))
            }
        }
        from.deserialize_map(Entries)
    }
}

impl JsonSchema for Assignments {
    fn schema_name() -> Cow<'static, str> {
        "Assignments".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Assigned>::json_schema(generator)
    }
}
