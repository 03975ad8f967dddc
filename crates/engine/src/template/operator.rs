//! What the operators between two known values do. `and` and `or` are three-valued and live in the evaluator.

use super::error::Refusal;
use super::limits;
use super::node::{Operator, Slice};
use super::plain::{self, Number, comparable, kind, order, same};
use model::value::Value;
use std::cmp::Ordering;

pub(super) fn apply(operator: Operator, a: Value, b: Value) -> Result<Value, Refusal> {
    let ordered = |fits: fn(Ordering) -> bool| Ok(fits(order(&a, &b)?).into());
    match operator {
        Operator::Equal => equal(&a, &b).map(Value::from),
        Operator::Unequal => equal(&a, &b).map(|same| (!same).into()),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::AtMost => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::AtLeast => ordered(Ordering::is_ge),
        Operator::In => contains(&b, &a).map(Value::from),
        Operator::Add => add(a, b),
        Operator::Join => plain::bounded(plain::text(&a)? + &plain::text(&b)?),
        Operator::Subtract | Operator::Divide | Operator::Floor | Operator::Rest => arithmetic(operator, &a, &b),
        Operator::And | Operator::Or => Err(Refusal::kind("`and` and `or` are not worked out here")),
    }
}

/// Comparing a text with a number is always a mistake, and silence would take the wrong way at night.
fn equal(a: &Value, b: &Value) -> Result<bool, Refusal> {
    match comparable(a, b) {
        true => Ok(same(a, b)),
        false => Err(Refusal::kind(format!("{} is never equal to {}: change one with `| int` or `| string`", kind(a), kind(b)))),
    }
}

fn contains(whole: &Value, part: &Value) -> Result<bool, Refusal> {
    match (whole, part) {
        (Value::String(whole), Value::String(part)) => Ok(whole.contains(part.as_str())),
        (Value::Mapping(map), Value::String(key)) => Ok(map.contains_key(key.as_str())),
        (Value::Sequence(items), _) if items.iter().any(|item| same(item, part)) => Ok(true),
        (Value::Sequence(items), _) if items.is_empty() || items.iter().any(|item| comparable(item, part)) => Ok(false),
        (Value::Sequence(_), _) => Err(Refusal::kind(format!("{} is never in this list: change it with `| int` or `| string`", kind(part)))),
        _ => Err(Refusal::kind(format!("{} cannot be in {}", kind(part), kind(whole)))),
    }
}

fn add(a: Value, b: Value) -> Result<Value, Refusal> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => plain::bounded(a + &b),
        (Value::Sequence(mut a), Value::Sequence(b)) => {
            a.extend(b);
            if a.len() > limits::WORK {
                return Err(Refusal::limit(format!("a list of more than {} items would be made", limits::WORK)));
            }
            Ok(Value::Sequence(a))
        }
        (a @ Value::String(_), b @ Value::Number(_)) | (a @ Value::Number(_), b @ Value::String(_)) => {
            Err(Refusal::kind(format!("{} and {} cannot be added: join them with `~`", kind(&a), kind(&b))))
        }
        (a, b) => arithmetic(Operator::Add, &a, &b),
    }
}

fn arithmetic(operator: Operator, a: &Value, b: &Value) -> Result<Value, Refusal> {
    let (a, b) = (Number::of(a)?, Number::of(b)?);
    if b.float() == 0.0 && matches!(operator, Operator::Divide | Operator::Floor | Operator::Rest) {
        return Err(Refusal::kind("a division by 0"));
    }
    let result = match (operator, a, b) {
        (Operator::Add, Number::Whole(a), Number::Whole(b)) => Number::Whole(a + b),
        (Operator::Subtract, Number::Whole(a), Number::Whole(b)) => Number::Whole(a - b),
        (Operator::Floor, Number::Whole(a), Number::Whole(b)) => Number::Whole(floor(a, b)),
        (Operator::Rest, Number::Whole(a), Number::Whole(b)) => Number::Whole(a - floor(a, b) * b),
        (Operator::Add, a, b) => Number::Float(a.float() + b.float()),
        (Operator::Subtract, a, b) => Number::Float(a.float() - b.float()),
        (Operator::Floor, a, b) => Number::Float((a.float() / b.float()).floor()),
        (Operator::Rest, a, b) => Number::Float(a.float() - (a.float() / b.float()).floor() * b.float()),
        (_, a, b) => Number::Float(a.float() / b.float()),
    };
    result.value()
}

/// The quotient rounded down, as in Python. Both come from 64 bits, so nothing overflows; `b` is not 0.
fn floor(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

/// The number with its sign turned.
pub(super) fn negative(value: &Value) -> Result<Value, Refusal> {
    match Number::of(value)? {
        Number::Whole(whole) => Number::Whole(-whole).value(),
        Number::Float(float) => Number::Float(-float).value(),
    }
}

/// The field of a mapping.
pub(super) fn field(of: &Value, name: &str) -> Result<Value, Refusal> {
    let found = of.as_mapping().and_then(|map| map.get(name));
    found.cloned().ok_or_else(|| Refusal::missing(format!("there is no `{name}` in this")))
}

/// The item of a list at an index, from the end if it is negative.
pub(super) fn item(of: &Value, index: i64) -> Result<Value, Refusal> {
    let Value::Sequence(items) = of else { return Err(Refusal::kind(format!("{} has no items", kind(of)))) };
    let from_start = usize::try_from(index).ok();
    let place = from_start.or_else(|| items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?));
    place.and_then(|place| items.get(place)).cloned().ok_or_else(|| Refusal::missing(format!("a list of {} has no item {index}", items.len())))
}

/// A part of a list or text.
pub(super) fn slice(of: Value, slice: Slice) -> Result<Value, Refusal> {
    match of {
        Value::Sequence(items) => Ok(Value::Sequence(sliced(items, slice))),
        Value::String(text) => Ok(Value::String(sliced(text.chars().collect(), slice).into_iter().collect())),
        other => Err(Refusal::kind(format!("{} cannot be sliced", kind(&other)))),
    }
}

/// As Python's `slice.indices`.
fn sliced<T>(items: Vec<T>, Slice { first, end, step }: Slice) -> Vec<T> {
    let length = i128::try_from(items.len()).unwrap_or(i128::MAX);
    let forward = step > 0;
    let (low, high) = if forward { (0, length) } else { (-1, length - 1) };
    let place = |bound: i64| if bound < 0 { (i128::from(bound) + length).max(low) } else { i128::from(bound).min(high) };
    let first = first.map_or(if forward { low } else { high }, place);
    let end = end.map_or(if forward { high } else { low }, place);
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let mut taken = Vec::new();
    let mut at = first;
    while if forward { at < end } else { at > end } {
        taken.extend(usize::try_from(at).ok().and_then(|at| items.get_mut(at)).and_then(Option::take));
        at += i128::from(step);
    }
    taken
}
