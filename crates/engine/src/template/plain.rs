//! Plain values: their kinds, numbers and texts.

use super::error::Refusal;
use super::limits;
use model::value::{self, SecretText, Value};
use std::cmp::Ordering;

/// The kind of a value, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "none",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) if SecretText::of(value).is_some() => "a secret",
        Value::Tagged(_) => "an unknown",
    }
}

/// A text, number or truth as text.
pub(super) fn text(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => Err(Refusal::kind(format!("{} cannot stand in a text", kind(other)))),
    }
}

/// A text that is within the limit.
pub(super) fn bounded(text: String) -> Result<Value, Refusal> {
    match text.len() > limits::RENDERED {
        true => Err(too_long()),
        false => Ok(Value::String(text)),
    }
}

/// Says that a text on the way is too long.
pub(super) fn too_long() -> Refusal {
    Refusal::limit(format!("a text longer than {} bytes would be made", limits::RENDERED))
}

/// What a value holds that is not plain.
pub(super) enum Mark {
    Unknown(model::id::StepId),
    Secret,
}

/// The marker in a value that decides what becomes of it, a secret before an unknown; each value looked at uses up work.
pub(super) fn mark(value: &Value, work: &mut usize) -> Result<Option<Mark>, Refusal> {
    *work = work.checked_sub(weight(value)).ok_or_else(|| Refusal::limit("too many values are looked at"))?;
    let inner: &mut dyn Iterator<Item = &Value> = match value {
        Value::Sequence(items) => &mut items.iter(),
        Value::Mapping(map) => &mut map.values(),
        Value::Tagged(_) => return Ok(Some(value::until(value).map_or(Mark::Secret, Mark::Unknown))),
        _ => return Ok(None),
    };
    let mut found = None;
    for item in inner {
        match mark(item, work)? {
            Some(Mark::Secret) => return Ok(Some(Mark::Secret)),
            Some(unknown) => found = found.or(Some(unknown)),
            None => {}
        }
    }
    Ok(found)
}

/// The work of looking at a value, without what it holds: a long text counts for more than one value.
fn weight(value: &Value) -> usize {
    if let Value::String(text) = value { 1 + text.len() / 64 } else { 1 }
}

/// The work of looking at a value with all that it holds.
pub(super) fn size(value: &Value) -> usize {
    match value {
        Value::Sequence(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Mapping(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => weight(value),
    }
}

/// A number, exact if it is whole.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// The number that a value is.
    pub(super) fn of(value: &Value) -> Result<Self, Refusal> {
        match value {
            Value::Number(number) => Ok(match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => Self::Whole(whole.into()),
                (_, Some(whole)) => Self::Whole(whole.into()),
                _ => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            }),
            other => Err(Refusal::kind(format!("{} is no number", kind(other)))),
        }
    }

    /// As a value: a whole number of 64 bits or a finite one.
    pub(super) fn value(self) -> Result<Value, Refusal> {
        match self {
            Self::Whole(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(whole), _) => Ok(whole.into()),
                (_, Ok(whole)) => Ok(whole.into()),
                _ => Err(Refusal::kind("the number becomes too large")),
            },
            Self::Float(float) if float.is_finite() => Ok(float.into()),
            Self::Float(_) => Err(Refusal::kind("the number becomes too large")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a sum with a fraction is a fraction")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }

    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => a.cmp(&b),
            (a, b) => a.float().partial_cmp(&b.float()).unwrap_or(Ordering::Equal),
        }
    }
}

/// The order of two texts or two numbers.
pub(super) fn order(a: &Value, b: &Value) -> Result<Ordering, Refusal> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(a.cmp(b)),
        (Value::Number(_), Value::Number(_)) => Ok(Number::of(a)?.compare(Number::of(b)?)),
        _ => Err(Refusal::kind(format!("{} and {} have no order", kind(a), kind(b)))),
    }
}

/// Whether two values are the same; numbers by what they count, so `1` is `1.0`.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => order(a, b) == Ok(Ordering::Equal),
        (Value::Sequence(a), Value::Sequence(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Mapping(a), Value::Mapping(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b))),
        _ => a == b,
    }
}

/// Whether two values could be the same at all: `none` may stand for anything.
pub(super) fn comparable(a: &Value, b: &Value) -> bool {
    a.is_null() || b.is_null() || kind(a) == kind(b)
}
