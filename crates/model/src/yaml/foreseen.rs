//! What is known of a template before it is rendered, as a source of values for any type.

use std::collections::HashMap;

use serde::{
    Deserializer,
    de::{
        IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{at::Raw, dummy::Dummy, fault::Fault};
use crate::value::{Value, holds_secret, until};

/// What is known of the value that a template becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// It is a text; which, is not known.
    Text,
    /// It is this value; unknowns in it stand for anything.
    Value(Value),
}

impl Foreseen {
    pub(super) fn holds_secret(&self) -> bool {
        matches!(self, Self::Value(value) if holds_secret(value))
    }

    /// What a type says of the value, without the value: it may stand for another of its kind. And how it may be mended.
    pub(super) fn told(&self, message: String) -> (String, Option<String>) {
        let (kind, filter) = match self {
            Self::Value(Value::Number(_)) => ("a number", "string"),
            Self::Value(Value::Bool(_)) => ("true or false", "string"),
            Self::Value(Value::Sequence(_)) => ("a list", "join(', ')"),
            Self::Value(Value::Mapping(_)) => ("a mapping", ""),
            Self::Value(_) | Self::Text => return (message, None),
        };
        let text = message.starts_with("expected text") || message.starts_with("a text is wanted");
        let help = (text && !filter.is_empty()).then(|| format!("make a text of it: `{{{{ NAME | {filter} }}}}`"));
        match message.split_once(", found ") {
            Some((expected, _)) => (format!("{expected}, found {kind}"), help),
            None => (message, help),
        }
    }
}

/// What is known of templates, by their nodes.
pub type Foresight = HashMap<Raw, Foreseen>;

/// Stands in for a template, as far as it is foreseen; else for anything.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stand<'f> {
    Anything,
    Text,
    Value(&'f Value),
}

impl<'f> Stand<'f> {
    pub(super) fn of(foreseen: Option<&'f Foreseen>) -> Self {
        match foreseen {
            None => Self::Anything,
            Some(Foreseen::Text) => Self::Text,
            Some(Foreseen::Value(value)) => Self::value(value),
        }
    }

    fn value(value: &'f Value) -> Self {
        if until(value).is_some() { Self::Anything } else { Self::Value(value) }
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Stand<'_> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// Types that are read from text, or from anything: a text that is not known may fit.
macro_rules! text_may_fit {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self {
                Self::Anything | Self::Text => Dummy::NOTHING.$method(visitor),
                Self::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

/// Types that no text is.
macro_rules! no_text_fits {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self {
                Self::Anything => Dummy::NOTHING.$method(visitor),
                Self::Text => Err(no_text(&visitor)),
                Self::Value(_) => self.deserialize_any(visitor),
            }
        })*
    };
}

fn no_text<'de, V: Visitor<'de>>(visitor: &V) -> Fault {
    serde::de::Error::invalid_type(Unexpected::Other("text"), visitor)
}

impl<'de> Deserializer<'de> for Stand<'_> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let value = match self {
            Self::Anything | Self::Text => return Dummy::NOTHING.deserialize_any(visitor),
            Self::Value(value) => value,
        };
        match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(value), _) => visitor.visit_u64(value),
                (None, Some(value)) => visitor.visit_i64(value),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_str(text),
            Value::Sequence(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Stand::value))),
            Value::Mapping(map) => visitor.visit_map(MapDeserializer::new(map.iter().map(|(key, value)| (Stand::value(key), Stand::value(value))))),
            // The marker of a secret: only a type that knows it takes it.
            Value::Tagged(_) => value.clone().deserialize_any(visitor).map_err(serde::de::Error::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Anything | Self::Value(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(self, name: &'static str, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Anything => Dummy::NOTHING.deserialize_struct(name, fields, visitor),
            Self::Text => Err(no_text(&visitor)),
            Self::Value(Value::Sequence(_)) => Err(serde::de::Error::invalid_type(Unexpected::Seq, &visitor)),
            Self::Value(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(self, name: &'static str, words: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Anything | Self::Text => Dummy::NOTHING.deserialize_enum(name, words, visitor),
            Self::Value(Value::String(word)) => visitor.visit_enum(StrDeserializer::new(word)),
            Self::Value(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Anything => Dummy::NOTHING.deserialize_tuple(len, visitor),
            Self::Text => Err(no_text(&visitor)),
            Self::Value(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    text_may_fit! { deserialize_char deserialize_str deserialize_string }

    no_text_fits! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_seq deserialize_map
    }

    forward_to_deserialize_any! {
        <V: Visitor<'de>>
        i128 u128 bytes byte_buf unit unit_struct identifier
    }
}
