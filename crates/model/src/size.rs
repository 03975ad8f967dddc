//! Amounts of data as they are written: a number and always a unit of 1024.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

const UNITS: [(&str, u64); 5] = [("TB", 1 << 40), ("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];

/// An amount of data in bytes: `25 GB`, `512 KB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(pub u64);

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A number stands alone.
    #[error("an amount of data needs a unit: `{0} KB`, `{0} MB` or `{0} GB`")]
    NoUnit(String),
    /// More than can be counted.
    #[error("an amount of data of more than 16777215 TB")]
    TooLarge,
    /// Something else.
    #[error("an amount of data is written like `25 GB`")]
    Other,
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let unit = rest.strip_prefix(' ').unwrap_or(rest);
        if number.is_empty() {
            return Err(SizeError::Other);
        }
        if rest.is_empty() {
            return Err(SizeError::NoUnit(number.to_owned()));
        }
        let (_, size) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SizeError::Other)?;
        let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
        number.checked_mul(*size).map(Self).ok_or(SizeError::TooLarge)
    }
}

/// Exactly, in the largest unit that divides it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS.into_iter().find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size)).unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;
        impl Visitor<'_> for SizeVisitor {
            type Value = Size;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of data such as `25 GB`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Size, E> {
                Err(E::custom(SizeError::NoUnit(number.to_string())))
            }
        }
        deserializer.deserialize_str(SizeVisitor)
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]+ ?(B|KB|MB|GB|TB)$",
            "description": "An amount of data, units of 1024: 25 GB"
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_back_as_they_are_shown() {
        for (text, shown) in [("25 GB", "25 GB"), ("1024 KB", "1 MB"), ("512KB", "512 KB"), ("0 GB", "0 B"), ("1500 B", "1500 B")] {
            let size: Size = text.parse().unwrap();
            assert_eq!(size.to_string(), shown);
            assert_eq!(shown.parse(), Ok(size));
        }
    }

    #[test]
    fn what_is_no_size_says_why() {
        assert_eq!("25".parse::<Size>(), Err(SizeError::NoUnit("25".to_owned())));
        assert_eq!("99999999999999 TB".parse::<Size>(), Err(SizeError::TooLarge));
        for text in ["", "-1 GB", "1.5 GB", "GB", "1  GB", "1 gb"] {
            assert_eq!(text.parse::<Size>(), Err(SizeError::Other), "{text}");
        }
    }
}
