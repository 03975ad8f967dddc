//! A word with what belongs to it: `{ word: value }`.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, EnumAccess, IntoDeserializer, Unexpected, VariantAccess, Visitor, value::StrDeserializer},
};

use super::{at::Raw, de::De, fault::Fault};

/// The mapping's only entry.
pub(super) struct Variant<'t> {
    pub(super) de: De<'t>,
    pub(super) key: Raw,
    pub(super) value: Raw,
}

impl<'t> EnumAccess<'t> for Variant<'t> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'t>>(self, seed: V) -> Result<(V::Value, Self), Fault> {
        let word: StrDeserializer<'_, Fault> = self.de.tree.text(self.key).unwrap_or_default().into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'t> VariantAccess<'t> for Variant<'t> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Err(serde::de::Error::invalid_type(Unexpected::Map, &"a string"))
    }
    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(self.de.at(self.value))
    }
    fn newtype_variant<T: Deserialize<'t>>(self) -> Result<T, Fault> {
        self.de.at(self.value).typed()
    }
    fn tuple_variant<V: Visitor<'t>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.de.at(self.value).deserialize_tuple(len, visitor)
    }
    fn struct_variant<V: Visitor<'t>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.de.at(self.value).deserialize_struct("", fields, visitor)
    }
}
