//! Lengths of time as they are written: a number and always a unit.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// A hundred years: no procedure is longer, and sums of spans cannot overflow.
const MOST: u64 = 36_525 * 86_400_000;

/// A length of time in whole milliseconds: `10s`, `1h30m`, `14d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// From milliseconds; more than a hundred years count as a hundred.
    pub fn from_millis(millis: u64) -> Self {
        Self(millis.min(MOST))
    }

    /// In milliseconds.
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// As the standard library has it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// Why a text is no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// A number stands alone.
    #[error("a length of time needs a unit: `{0}s`, `{0}m`, `{0}h` or `{0}d`")]
    NoUnit(String),
    /// More than a hundred years.
    #[error("a length of time of more than 100 years")]
    TooLong,
    /// Something else.
    #[error("a length of time is written like `10s`, `1h30m` or `14d`")]
    Other,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let mut rest = text;
        let mut total = 0u64;
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, after) = after.split_at(letters);
            if number.is_empty() {
                return Err(SpanError::Other);
            }
            if unit.is_empty() && after.is_empty() && digits == text.len() {
                return Err(SpanError::NoUnit(text.to_owned()));
            }
            let (_, size) = units.find(|(name, _)| *name == unit).ok_or(SpanError::Other)?;
            let number: u64 = number.parse().map_err(|_| SpanError::TooLong)?;
            total = number.checked_mul(*size).and_then(|part| total.checked_add(part)).filter(|sum| *sum <= MOST).ok_or(SpanError::TooLong)?;
            rest = after;
        }
        if text.is_empty() { Err(SpanError::Other) } else { Ok(Self(total)) }
    }
}

/// The shortest form that reads back: `90s` as `1m30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        if rest == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in UNITS {
            if rest >= size {
                write!(f, "{}{unit}", rest / size)?;
                rest %= size;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SpanVisitor;
        impl Visitor<'_> for SpanVisitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as `10s`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Span, E> {
                Err(E::custom(SpanError::NoUnit(number.to_string())))
            }
        }
        deserializer.deserialize_str(SpanVisitor)
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 1,
            "description": "A length of time: 10s, 1h30m, 14d"
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_as_they_are_shown() {
        for (text, shown) in [("10s", "10s"), ("90s", "1m30s"), ("1h30m", "1h30m"), ("14d", "14d"), ("250ms", "250ms"), ("0s", "0s"), ("60m", "1h")] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string(), shown);
            assert_eq!(shown.parse(), Ok(span));
        }
    }

    #[test]
    fn what_is_no_span_says_why() {
        assert_eq!("10".parse::<Span>(), Err(SpanError::NoUnit("10".to_owned())));
        assert_eq!("99999999999999999999d".parse::<Span>(), Err(SpanError::TooLong));
        assert_eq!("40000d".parse::<Span>(), Err(SpanError::TooLong));
        for text in ["", "-1s", "1 s", "s", "1x", "1m1h", "1s1s", "10s5"] {
            assert_eq!(text.parse::<Span>(), Err(SpanError::Other), "{text}");
        }
    }
}
