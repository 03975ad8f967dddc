use super::error::{Refusal, TemplateError};
use super::limits;
use super::plain::{self, Number, kind, order, text};
use model::value::Value;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ops::{Range, RangeInclusive};

/// A filter: `value | name(arguments)`.
#[derive(Debug)]
pub struct Filter {
    /// Its name.
    pub name: &'static str,
    /// One line for the reference.
    pub about: &'static str,
    /// How many arguments it takes.
    pub(super) takes: RangeInclusive<usize>,
    pub(super) apply: fn(&Value, &[Value]) -> Result<Value, Refusal>,
}

/// Every filter, in the order of the reference.
pub static FILTERS: [Filter; 18] = [
    Filter { name: "default", about: "`x | default(y)`: y where x is missing or none", takes: 1..=1, apply: default },
    Filter { name: "length", about: "`x | length`: characters of a text, items of a list, keys of a mapping", takes: 0..=0, apply: length },
    Filter {
        name: "lower",
        about: "`text | lower`: in small letters",
        takes: 0..=0,
        apply: |value, _| plain::bounded(of_text(value)?.to_lowercase()),
    },
    Filter {
        name: "upper",
        about: "`text | upper`: in capital letters",
        takes: 0..=0,
        apply: |value, _| plain::bounded(of_text(value)?.to_uppercase()),
    },
    Filter {
        name: "trim",
        about: "`text | trim`: without white space at both ends",
        takes: 0..=0,
        apply: |value, _| Ok(of_text(value)?.trim().into()),
    },
    Filter { name: "replace", about: "`text | replace(old, new)`: every old part by the new one", takes: 2..=2, apply: replace },
    Filter {
        name: "basename",
        about: "`path | basename`: the last name of a path",
        takes: 0..=0,
        apply: |value, _| Ok(split(of_text(value)?).1.into()),
    },
    Filter {
        name: "dirname",
        about: "`path | dirname`: a path without its last name",
        takes: 0..=0,
        apply: |value, _| Ok(split(of_text(value)?).0.into()),
    },
    Filter { name: "int", about: "`x | int`: a text or number as a whole number, cut at the point", takes: 0..=0, apply: int },
    Filter { name: "string", about: "`x | string`: a number or truth as text", takes: 0..=0, apply: |value, _| text(value).map(Value::from) },
    Filter { name: "times", about: "`number | times(n)`: the product", takes: 1..=1, apply: times },
    Filter { name: "round", about: "`number | round(digits)`: whole without digits, at most 12", takes: 0..=1, apply: round },
    Filter { name: "join", about: "`list | join(', ')`: its items as one text", takes: 0..=1, apply: join },
    Filter { name: "first", about: "`list | first`: its first item", takes: 0..=0, apply: |value, _| end(value, <[Value]>::first) },
    Filter { name: "last", about: "`list | last`: its last item", takes: 0..=0, apply: |value, _| end(value, <[Value]>::last) },
    Filter { name: "map", about: "`list | map(attribute='name')`: one field of every item", takes: 1..=1, apply: map },
    Filter { name: "sort", about: "`list | sort(attribute='name')`: numbers or texts in order, or items by one field", takes: 0..=1, apply: sort },
    Filter { name: "unique", about: "`list | unique`: each item once, where it stands first", takes: 0..=0, apply: unique },
];

impl Filter {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FILTERS.iter().find(|filter| filter.name == name)
    }
}

/// Says that there is no such filter.
pub(super) fn unknown(name: &str, at: Range<usize>) -> TemplateError {
    let near = FILTERS.iter().map(|filter| filter.name).min_by_key(|other| strsim::damerau_levenshtein(name, other));
    let near = near.filter(|other| strsim::damerau_levenshtein(name, other) <= 2);
    let all = || format!("the filters are {}", FILTERS.each_ref().map(|filter| format!("`{}`", filter.name)).join(", "));
    let help = near.map_or_else(all, |near| format!("did you mean `{near}`?"));
    TemplateError::new(TemplateError::FILTER, at, format!("there is no filter `{name}`")).help(help)
}

fn of_text(value: &Value) -> Result<&str, Refusal> {
    value.as_str().ok_or_else(|| Refusal::kind(format!("a text is wanted, this is {}", kind(value))))
}

fn of_list(value: &Value) -> Result<&[Value], Refusal> {
    value.as_sequence().map(Vec::as_slice).ok_or_else(|| Refusal::kind(format!("a list is wanted, this is {}", kind(value))))
}

/// A missing operand is seen by the evaluator; here is only `none`.
fn default(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    Ok(if value.is_null() { arguments[0].clone() } else { value.clone() })
}

fn length(value: &Value, _: &[Value]) -> Result<Value, Refusal> {
    let count = match value {
        Value::String(text) => text.chars().count(),
        Value::Sequence(items) => items.len(),
        Value::Mapping(map) => map.len(),
        other => return Err(Refusal::kind(format!("{} has no length", kind(other)))),
    };
    Ok(count.into())
}

fn replace(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    let (whole, old, new) = (of_text(value)?, of_text(&arguments[0])?, of_text(&arguments[1])?);
    if old.is_empty() {
        return Err(Refusal::kind("an empty text cannot be replaced"));
    }
    // Known before it is made, so nothing large ever is.
    let grown = whole.matches(old).count().saturating_mul(new.len()).saturating_add(whole.len());
    if grown > 2 * limits::RENDERED {
        return Err(plain::too_long());
    }
    plain::bounded(whole.replace(old, new))
}

/// Directory and last name. Both separators count on every platform: a runbook means the same wherever it is read.
fn split(path: &str) -> (&str, &str) {
    let separates = |c: char| c == '/' || c == '\\';
    let trimmed = path.trim_end_matches(separates);
    let Some(at) = trimmed.rfind(separates) else { return (if trimmed.is_empty() { path } else { "" }, trimmed) };
    let directory = trimmed[..at].trim_end_matches(separates);
    // A root keeps its separator: `/`, `C:\`.
    let rooted = directory.is_empty() || directory.ends_with(':');
    (if rooted { &trimmed[..=at] } else { directory }, &trimmed[at + 1..])
}

#[expect(clippy::cast_possible_truncation, reason = "a float that does not fit is refused by the number that is made of it")]
fn int(value: &Value, _: &[Value]) -> Result<Value, Refusal> {
    match value {
        Value::String(text) => {
            let number = text.trim().parse::<i128>().map_err(|_| Refusal::kind("this text is no whole number"))?;
            Number::Whole(number).value()
        }
        other => match Number::of(other)? {
            Number::Float(float) => Number::Whole(float as i128).value(),
            whole @ Number::Whole(_) => whole.value(),
        },
    }
}

fn times(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    match (Number::of(value)?, Number::of(&arguments[0])?) {
        (Number::Whole(a), Number::Whole(b)) => {
            a.checked_mul(b).map_or(Err(Refusal::kind("the number becomes too large")), |product| Number::Whole(product).value())
        }
        (a, b) => Number::Float(a.float() * b.float()).value(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a float that does not fit is refused by the number that is made of it")]
fn round(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    let number = Number::of(value)?;
    match (arguments.first().and_then(Value::as_i64), arguments.len()) {
        (None, 0) => match number {
            Number::Float(float) => Number::Whole(float.round() as i128).value(),
            whole @ Number::Whole(_) => whole.value(),
        },
        (Some(digits @ 0..=12), _) => {
            let shift = 10_f64.powi(digits as i32);
            let shifted = number.float() * shift;
            Number::Float(if shifted.is_finite() { shifted.round() / shift } else { number.float() }).value()
        }
        _ => Err(Refusal::kind("`round` takes 0 to 12 digits")),
    }
}

fn join(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    let between = arguments.first().map_or(Ok(""), of_text)?;
    let mut joined = String::new();
    for (at, item) in of_list(value)?.iter().enumerate() {
        if at > 0 {
            joined.push_str(between);
        }
        joined.push_str(&text(item)?);
        if joined.len() > limits::RENDERED {
            return Err(plain::too_long());
        }
    }
    Ok(joined.into())
}

fn end(value: &Value, take: fn(&[Value]) -> Option<&Value>) -> Result<Value, Refusal> {
    take(of_list(value)?).cloned().ok_or_else(|| Refusal::missing("the list is empty"))
}

fn field<'v>(item: &'v Value, name: &Value) -> Result<&'v Value, Refusal> {
    let name = of_text(name)?;
    item.as_mapping().and_then(|map| map.get(name)).ok_or_else(|| Refusal::missing(format!("an item has no `{name}`")))
}

fn map(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    let fields = of_list(value)?.iter().map(|item| field(item, &arguments[0]).cloned());
    fields.collect::<Result<_, _>>().map(Value::Sequence)
}

fn sort(value: &Value, arguments: &[Value]) -> Result<Value, Refusal> {
    let items = of_list(value)?;
    let key = |item| arguments.first().map_or(Ok(item), |name| field(item, name));
    let keys: Vec<&Value> = items.iter().map(key).collect::<Result<_, _>>()?;
    // What has an order with the first has one with all.
    for other in &keys {
        order(keys[0], other)?;
    }
    let mut places: Vec<usize> = (0..items.len()).collect();
    places.sort_by(|&a, &b| order(keys[a], keys[b]).unwrap_or(Ordering::Equal));
    Ok(places.into_iter().map(|place| items[place].clone()).collect())
}

fn unique(value: &Value, _: &[Value]) -> Result<Value, Refusal> {
    let mut seen = HashSet::new();
    Ok(of_list(value)?.iter().filter(|item| seen.insert(*item)).cloned().collect())
}
