use std::cmp::Ordering;

use jiff::civil::Date;
use model::input::{InputDef, InputType};
use model::path;
use model::size::Size;
use model::span::Span;
use model::value::Value;
use model::yaml::{OneOf, Tree};
use regex::RegexBuilder;

/// The largest compiled pattern in bytes.
const PATTERN: usize = 1 << 20;

/// Why a value is not what an input wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Misfit {
    /// What is wrong, in words.
    pub message: String,
}

impl Misfit {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// The value as the input wants it: durations and sizes in their shortest form, paths in their normal one.
///
/// # Errors
/// It is of another type, or breaks `pattern`, `enum`, `min`, `max` or `of`.
pub fn fit(def: &InputDef, tree: &Tree, value: &Value) -> Result<Value, Misfit> {
    match fitted(def, tree, value) {
        Err(_) if def.kind.value == InputType::Secret => Err(Misfit::new("the secret is not text or does not match its pattern")),
        other => other,
    }
}

fn fitted(def: &InputDef, tree: &Tree, value: &Value) -> Result<Value, Misfit> {
    let value = written(def.kind.value, value)?;
    if let (Value::Sequence(items), Some(of)) = (&value, &def.of) {
        for (index, item) in items.iter().enumerate() {
            item_fits(of, item).map_err(|misfit| Misfit::new(format!("entry {}: {misfit}", index + 1)))?;
        }
    }
    if let Some(allowed) = &def.one_of {
        let allowed: Vec<Value> = allowed.iter().map(|node| tree.value(*node)).collect();
        if !allowed.contains(&value) && !allowed.iter().any(|each| typed(def.kind.value, each).is_ok_and(|each| each == value)) {
            let words: Vec<String> = allowed.iter().map(shown).collect();
            return Err(Misfit::new(format!("{} is not one of {}", shown(&value), words.join(", "))));
        }
    }
    if let (Some(pattern), Some(text)) = (&def.pattern, value.as_str())
        && let Ok(regex) = RegexBuilder::new(pattern).size_limit(PATTERN).build()
        && !regex.is_match(text)
    {
        return Err(Misfit::new(format!("{} does not match the pattern `{}`", shown(&value), &*pattern.value)));
    }
    for (bound, wrong, word) in [(def.min, Ordering::Less, "less"), (def.max, Ordering::Greater, "more")] {
        if let Some(bound) = bound.map(|node| tree.value(node))
            && compare(def.kind.value, &value, &bound) == Some(wrong)
        {
            let what = if value.is_string() && bound.is_number() { "the length of " } else { "" };
            return Err(Misfit::new(format!("{what}{} is {word} than {}", shown(&value), shown(&bound))));
        }
    }
    Ok(value)
}

/// A value from text, as `--set` and the environment give it.
///
/// # Errors
/// As [`fit`].
pub fn parse_text(def: &InputDef, tree: &Tree, text: &str) -> Result<Value, Misfit> {
    let value = match def.kind.value {
        InputType::List => Value::Sequence(text.split(',').map(|item| Value::from(item.trim())).filter(|item| item != "").collect()),
        kind => plain(kind, text)?,
    };
    fit(def, tree, &value)
}

/// What a program has brought, as its output is declared. A text becomes what it reads as; an unknown stays one.
///
/// # Errors
/// It is of another type.
pub(crate) fn fit_output(kind: InputType, value: &Value) -> Result<Value, Misfit> {
    if model::value::until_within(value).is_some() {
        return Ok(value.clone());
    }
    match value {
        Value::Tagged(_) if kind == InputType::String => Ok(value.clone()),
        Value::Tagged(_) => Err(Misfit::new("it is made of a secret, which only a text can be")),
        Value::String(text) if kind != InputType::String => typed(kind, &plain(kind, text.trim())?),
        _ => typed(kind, value),
    }
}

/// A number or truth that a text reads as; for the other types the text itself.
fn plain(kind: InputType, text: &str) -> Result<Value, Misfit> {
    let wrong = |wanted: &str| Misfit::new(format!("expected {wanted}, found {}", shown(&text.into())));
    Ok(match kind {
        InputType::Integer => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number"))?,
        InputType::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from).ok_or_else(|| wrong("a number"))?,
        InputType::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| wrong("`true` or `false`"))?,
        _ => Value::from(text),
    })
}

/// Whether a value can be a bound of this type.
pub(crate) fn bounds(kind: InputType, bound: &Value) -> bool {
    match kind {
        InputType::Integer | InputType::Number => bound.is_number(),
        InputType::String | InputType::Path | InputType::File | InputType::Secret | InputType::List => bound.as_u64().is_some(),
        InputType::Duration | InputType::Size | InputType::Date | InputType::Version => typed(kind, bound).is_ok(),
        InputType::Boolean => false,
    }
}

/// Checks that a pattern is one.
pub(crate) fn pattern_error(pattern: &str) -> Option<String> {
    let error = RegexBuilder::new(pattern).size_limit(PATTERN).build().err()?;
    let text = error.to_string();
    Some(text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// A value that somebody has written into a document.
fn written(kind: InputType, value: &Value) -> Result<Value, Misfit> {
    let text = matches!(kind, InputType::String | InputType::Secret | InputType::Path | InputType::File | InputType::Version);
    typed(kind, value).map_err(|misfit| match text && (value.is_number() || value.is_bool()) {
        true => Misfit::new(format!("{misfit}: put it in quotes")),
        false => misfit,
    })
}

fn typed(kind: InputType, value: &Value) -> Result<Value, Misfit> {
    let wrong = |wanted: &str| Misfit::new(format!("expected {wanted}, found {}", shown(value)));
    let text = |wanted| value.as_str().ok_or_else(|| wrong(wanted));
    let because = |error: &dyn std::fmt::Display| Misfit::new(error.to_string());
    Ok(match kind {
        InputType::String | InputType::Secret => text("text")?.into(),
        InputType::Integer => value.as_i64().map(Value::from).or(value.as_u64().map(Value::from)).ok_or_else(|| wrong("a whole number"))?,
        InputType::Number if value.is_number() => value.clone(),
        InputType::Number => return Err(wrong("a number")),
        InputType::Boolean => value.as_bool().ok_or_else(|| wrong("`true` or `false`"))?.into(),
        InputType::Path | InputType::File => path::normal(text("a path as text")?).map_err(|error| because(&error))?.into(),
        InputType::Duration => text("a length of time such as `10s`")?.parse::<Span>().map_err(|error| because(&error))?.to_string().into(),
        InputType::Size => text("an amount of data such as `25 GB`")?.parse::<Size>().map_err(|error| because(&error))?.to_string().into(),
        InputType::Date => {
            let text = text("a day such as '2026-03-07'")?;
            text.parse::<Date>()
                .ok()
                .filter(|_| text.len() == 10)
                .map(|day| day.to_string().into())
                .ok_or_else(|| wrong("a day such as '2026-03-07'"))?
        }
        InputType::Version => {
            let text = text("a version as text such as '7.30.0'")?;
            let part = |part: &str| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric());
            if !text.split(['.', '-', '+']).all(part) {
                return Err(wrong("a version such as '7.30.0'"));
            }
            text.into()
        }
        InputType::List if value.is_sequence() => value.clone(),
        InputType::List => return Err(wrong("a list")),
    })
}

fn item_fits(of: &OneOf<InputType, model::yaml::Map<InputType>>, item: &Value) -> Result<(), Misfit> {
    match of {
        OneOf::Short(kind) => written(*kind, item).map(|_| ()),
        OneOf::Map(fields) => {
            let map = item.as_mapping().ok_or_else(|| Misfit::new(format!("expected a mapping, found {}", shown(item))))?;
            for (name, kind) in fields {
                let value = map.get(&*name.value).ok_or_else(|| Misfit::new(format!("the key `{}` is missing", &*name.value)))?;
                written(*kind, value).map_err(|misfit| Misfit::new(format!("`{}`: {misfit}", &*name.value)))?;
            }
            let extra = map.keys().filter_map(Value::as_str).find(|key| fields.get(key).is_none());
            extra.map_or(Ok(()), |key| Err(Misfit::new(format!("the key `{key}` is not known here"))))
        }
    }
}

fn compare(kind: InputType, value: &Value, bound: &Value) -> Option<Ordering> {
    match kind {
        InputType::Integer | InputType::Number => value.as_f64()?.partial_cmp(&bound.as_f64()?),
        InputType::List => Some((value.as_sequence()?.len() as u64).cmp(&bound.as_u64()?)),
        InputType::Duration => Some(value.as_str()?.parse::<Span>().ok()?.cmp(&bound.as_str()?.parse().ok()?)),
        InputType::Size => Some(value.as_str()?.parse::<Size>().ok()?.cmp(&bound.as_str()?.parse().ok()?)),
        InputType::Date => Some(value.as_str()?.cmp(bound.as_str()?)),
        InputType::Version => Some(versions(value.as_str()?, bound.as_str()?)),
        _ => Some((value.as_str()?.chars().count() as u64).cmp(&bound.as_u64()?)),
    }
}

/// By parts: numbers as numbers, and a number is above a word.
fn versions(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| -> Vec<Result<u64, String>> {
        text.split(['.', '-', '+']).map(|part| part.parse::<u64>().map_err(|_| part.to_owned())).collect()
    };
    let order = |pair: (&Result<u64, String>, &Result<u64, String>)| match pair {
        (Ok(left), Ok(right)) => left.cmp(right),
        (Err(left), Err(right)) => left.cmp(right),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
    };
    let (left, right) = (parts(left), parts(right));
    let differs = left.iter().zip(&right).map(order).find(|order| order.is_ne());
    differs.unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(value) => format!("the number `{value}`"),
        Value::String(text) if text.len() <= 60 => format!("`{text}`"),
        Value::String(_) => "a long text".to_owned(),
        Value::Sequence(_) => "a list".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
        Value::Tagged(_) => "a value that is not known yet".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_parts() {
        assert_eq!(versions("7.30.0", "7.4.0"), Ordering::Greater);
        assert_eq!(versions("7.30", "7.30.0"), Ordering::Less);
        assert_eq!(versions("1.0.0-rc", "1.0.0-rc"), Ordering::Equal);
    }
}
