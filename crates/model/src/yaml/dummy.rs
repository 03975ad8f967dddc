//! A source of values for any type: what is read from it stands in for something that is unknown or was reported.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

use super::{
    at::{AT, NODE, Raw},
    fault::Fault,
};

/// What to try, one after the other: a type that is read from text may refuse the empty one, and a type that takes
/// anything may want something of it.
const TRIES: [Dummy; 13] = [
    Dummy::NOTHING,
    Dummy { text: "", any: Any::Text },
    Dummy { text: "0", any: Any::Text },
    Dummy { text: "1s", any: Any::Text },
    Dummy { text: "1 KB", any: Any::Text },
    Dummy { text: "a", any: Any::Text },
    Dummy { text: "/a", any: Any::Text },
    Dummy { text: "file:/a", any: Any::Text },
    Dummy { text: "0644", any: Any::Text },
    Dummy { text: "2000-01-01", any: Any::Number },
    Dummy { text: "", any: Any::Bool },
    Dummy { text: "", any: Any::List },
    Dummy { text: "", any: Any::Map },
];

/// Some value of a type, or nothing when the type refuses all that is tried.
pub(super) fn stand_in<'de, T: Deserialize<'de>>() -> Result<T, Fault> {
    TRIES.iter().find_map(|dummy| T::deserialize(*dummy).ok()).ok_or(Fault::Silent)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Dummy {
    /// What a type gets that asks for text.
    text: &'static str,
    /// What a type gets that takes anything.
    any: Any,
}

#[derive(Debug, Clone, Copy)]
enum Any {
    Nothing,
    Text,
    Number,
    Bool,
    List,
    Map,
}

impl Dummy {
    pub(super) const NOTHING: Self = Self { text: "", any: Any::Nothing };
}

impl<'de> Deserializer<'de> for Dummy {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.any {
            Any::Nothing => visitor.visit_unit(),
            Any::Text => visitor.visit_str(self.text),
            Any::Number => visitor.visit_u64(1),
            Any::Bool => visitor.visit_bool(false),
            Any::List => visitor.visit_seq(Repeat { left: 0 }),
            Any::Map => visitor.visit_map(Fields { names: &[] }),
        }
    }
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_bool(false)
    }
    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_u64(1)
    }
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(1.0)
    }
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_f64(1.0)
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_char('a')
    }
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.text)
    }
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_str(self.text)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_none()
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match name {
            NODE => visitor.visit_u32(Raw::NONE.index()),
            AT => visitor.visit_seq(Repeat { left: 2 }),
            _ => visitor.visit_newtype_struct(self),
        }
    }
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Repeat { left: 0 })
    }
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Repeat { left: len })
    }
    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Repeat { left: len })
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Fields { names: &[] })
    }
    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, names: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Fields { names })
    }
    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, names: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_enum(First { name: names.first().copied().unwrap_or_default() })
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct identifier }
}

struct Repeat {
    left: usize,
}

impl<'de> SeqAccess<'de> for Repeat {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Dummy::NOTHING).map(Some)
    }

    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        stand_in().map(Some)
    }
}

struct Fields {
    names: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, rest)) = self.names.split_first() else { return Ok(None) };
        self.names = rest;
        seed.deserialize(StrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        seed.deserialize(Dummy::NOTHING)
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Fault> {
        stand_in()
    }
}

struct First {
    name: &'static str,
}

impl<'de> EnumAccess<'de> for First {
    type Error = Fault;
    type Variant = Dummy;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Dummy), Fault> {
        Ok((seed.deserialize(StrDeserializer::new(self.name))?, Dummy::NOTHING))
    }
}

impl<'de> VariantAccess<'de> for Dummy {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self)
    }
    fn newtype_variant<T: Deserialize<'de>>(self) -> Result<T, Fault> {
        stand_in()
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Repeat { left: len })
    }
    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Fields { names })
    }
}
