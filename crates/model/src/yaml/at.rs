//! Values that know their node, and nodes that are read later.

use std::{borrow::Cow, fmt, marker::PhantomData, num::NonZeroU32, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};

/// The names by which the reader of this crate knows the two types.
pub(super) const AT: &str = "$at";
pub(super) const NODE: &str = "$node";

/// A node of a [`Tree`](super::Tree); the default is a node of no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Raw(NonZeroU32);

impl Raw {
    /// A node of no tree: what stands in for a value that could not be read.
    pub const NONE: Self = Self(NonZeroU32::MAX);

    pub(super) fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    pub(super) fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self::NONE
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;
        impl Visitor<'_> for NodeVisitor {
            type Value = Raw;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node of a tree")
            }
            fn visit_u32<E: Error>(self, index: u32) -> Result<Raw, E> {
                Ok(Raw::new(index))
            }
        }
        deserializer.deserialize_newtype_struct(NODE, NodeVisitor)
    }
}

impl JsonSchema for Raw {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Any".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Schema::from(true)
    }
}

/// A value and the node it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// Where it stands.
    pub node: Raw,
    /// What stands there.
    pub value: T,
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AtVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
            type Value = At<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<At<T>, A::Error> {
                let node = pair.next_element()?.ok_or_else(|| A::Error::custom("no node"))?;
                let value = pair.next_element()?.ok_or_else(|| A::Error::custom("no value"))?;
                Ok(At { node, value })
            }
        }
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
