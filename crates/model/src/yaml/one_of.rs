//! A value that is written either as a scalar or list, or as a mapping.

use std::{borrow::Cow, fmt, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de::Visitor};

/// The name by which the reader of this crate knows it.
pub(super) const ONE_OF: &str = "$one_of";

/// A short form, or a mapping. Only documents hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneOf<S, M> {
    /// No mapping.
    Short(S),
    /// A mapping.
    Map(M),
}

impl<'de, S: Deserialize<'de>, M: Deserialize<'de>> Deserialize<'de> for OneOf<S, M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOfVisitor<S, M>(PhantomData<(S, M)>);
        impl<'de, S: Deserialize<'de>, M: Deserialize<'de>> Visitor<'de> for OneOfVisitor<S, M> {
            type Value = OneOf<S, M>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a short form or a mapping")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, short: D) -> Result<Self::Value, D::Error> {
                S::deserialize(short).map(OneOf::Short)
            }
            fn visit_some<D: Deserializer<'de>>(self, map: D) -> Result<Self::Value, D::Error> {
                M::deserialize(map).map(OneOf::Map)
            }
        }
        deserializer.deserialize_newtype_struct(ONE_OF, OneOfVisitor(PhantomData))
    }
}

impl<S: JsonSchema, M: JsonSchema> JsonSchema for OneOf<S, M> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}_or_{}", S::schema_name(), M::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "anyOf": [generator.subschema_for::<S>(), generator.subschema_for::<M>()] })
    }
}
