//! Whether what was entered is an answer to a field. The same for a person and for a file of answers.

use engine::people::Given;
use jiff::civil::Date;
use model::effect::{Field, FieldType};
use model::printable::Printable;
use regex::RegexBuilder;
use serde_json::Value as Json;
use zeroize::Zeroizing;

/// The answer that an entered text is. `same_as`: the bytes that it must equal, where the field says so.
///
/// # Errors
/// What is wanted instead, in words, never with the text itself where that is a secret.
pub(crate) fn accept(field: &Field, entered: &str, same_as: Option<&[u8]>) -> Result<Given, String> {
    if entered.is_empty() {
        return match &field.default {
            Some(default) => Ok(Given::Plain(model::value::to_json(default))),
            None => Err("something must be entered".into()),
        };
    }
    if let Some(pattern) = &field.pattern {
        let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build();
        if !whole.is_ok_and(|regex| regex.is_match(entered)) {
            return Err(format!("it must match `{}`", Printable(pattern)));
        }
    }
    if !field.choices.is_empty() && !field.choices.iter().any(|choice| choice == entered) {
        return Err(format!("one of these is wanted: {}", Printable(&field.choices.join(", "))));
    }
    if same_as.is_some_and(|same| same != entered.as_bytes()) {
        return Err("it is not what it must be the same as".into());
    }
    Ok(match field.kind {
        FieldType::Secret => Given::Secret(Zeroizing::new(entered.as_bytes().to_vec())),
        FieldType::String => Given::Plain(Json::from(entered)),
        FieldType::Integer => {
            let number: i64 = entered.parse().map_err(|_| format!("a whole number is wanted{}", range(field)))?;
            within(field, number as f64)?;
            Given::Plain(Json::from(number))
        }
        FieldType::Number => {
            let number = entered.parse().ok().filter(|number: &f64| number.is_finite());
            let number = number.ok_or_else(|| format!("a number is wanted{}", range(field)))?;
            within(field, number)?;
            Given::Plain(Json::from(number))
        }
        FieldType::Boolean => match entered.to_ascii_lowercase().as_str() {
            "y" | "yes" | "true" => Given::Plain(Json::from(true)),
            "n" | "no" | "false" => Given::Plain(Json::from(false)),
            _ => return Err("yes or no is wanted".into()),
        },
        FieldType::Date => {
            let date = entered.parse().ok().filter(|date: &Date| date.to_string() == entered);
            let date = date.ok_or("a date like 2026-03-07 is wanted")?;
            Given::Plain(Json::from(date.to_string()))
        }
    })
}

/// The text that a value of an answers file is, as if it had been typed.
pub(crate) fn typed(value: &Json) -> Option<Zeroizing<String>> {
    match value {
        Json::String(text) => Some(Zeroizing::new(text.clone())),
        Json::Number(number) => Some(Zeroizing::new(number.to_string())),
        Json::Bool(truth) => Some(Zeroizing::new(truth.to_string())),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// What may be entered in a field, in a few words: `0-999`, `yes or no`.
pub(crate) fn wanted(field: &Field) -> String {
    if !field.choices.is_empty() {
        return field.choices.join(", ");
    }
    match field.kind {
        FieldType::Secret if field.twice => "hidden, twice".into(),
        FieldType::Secret => "hidden".into(),
        FieldType::Boolean => "yes or no".into(),
        FieldType::Date => "like 2026-03-07".into(),
        FieldType::Integer | FieldType::Number | FieldType::String => range(field).trim_start_matches([',', ' ']).to_owned(),
    }
}

fn range(field: &Field) -> String {
    match (field.min, field.max) {
        (Some(min), Some(max)) => format!(", {min}-{max}"),
        (Some(min), None) => format!(", at least {min}"),
        (None, Some(max)) => format!(", at most {max}"),
        (None, None) => String::new(),
    }
}

fn within(field: &Field, number: f64) -> Result<(), String> {
    if field.min.is_some_and(|min| number < min) || field.max.is_some_and(|max| number > max) {
        return Err(format!("it is out of range{}", range(field)));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;
    use serde_json::json;

    fn field(definition: Json) -> Field {
        serde_json::from_value(definition).unwrap()
    }

    fn plain(definition: Json, entered: &str) -> Result<Json, String> {
        match accept(&field(definition), entered, None) {
            Ok(Given::Plain(json)) => Ok(json),
            Ok(Given::Secret(_)) => Err("a secret".into()),
            Err(wrong) => Err(wrong),
        }
    }

    #[test]
    fn each_type_takes_what_it_is_and_says_what_it_wants() {
        assert_eq!(plain(json!({ "name": "n", "type": "integer", "min": 0, "max": 999 }), "15").unwrap(), 15);
        assert_eq!(plain(json!({ "name": "n", "type": "integer", "min": 0, "max": 999 }), "x").unwrap_err(), "a whole number is wanted, 0-999");
        assert_eq!(plain(json!({ "name": "n", "type": "integer", "max": 9 }), "10").unwrap_err(), "it is out of range, at most 9");
        assert_eq!(plain(json!({ "name": "n", "type": "boolean" }), "Yes").unwrap(), true);
        assert_eq!(plain(json!({ "name": "n", "type": "date" }), "2026-03-07").unwrap(), "2026-03-07");
        assert!(plain(json!({ "name": "n", "type": "date" }), "2026-3-7").is_err());
        assert!(plain(json!({ "name": "n", "type": "number" }), "inf").is_err());
        assert_eq!(plain(json!({ "name": "n", "enum": ["a", "b"] }), "c").unwrap_err(), "one of these is wanted: a, b");
    }

    #[test]
    fn a_pattern_must_match_the_whole() {
        assert!(plain(json!({ "name": "n", "pattern": "[0-9]{4}" }), "1234").is_ok());
        assert_eq!(plain(json!({ "name": "n", "pattern": "[0-9]{4}" }), "12345").unwrap_err(), "it must match `[0-9]{4}`");
        assert!(plain(json!({ "name": "n", "pattern": "a|b" }), "ab").is_err());
    }

    #[test]
    fn nothing_entered_is_the_default_or_an_error() {
        assert_eq!(plain(json!({ "name": "n", "default": 3, "type": "integer" }), "").unwrap(), 3);
        assert!(plain(json!({ "name": "n" }), "").is_err());
    }

    #[test]
    fn a_secret_is_kept_as_one_and_never_repeated_in_an_error() {
        let secret = field(json!({ "name": "n", "type": "secret", "pattern": "[A-Z]+" }));
        assert!(matches!(accept(&secret, "ABC", Some(b"ABC")), Ok(Given::Secret(bytes)) if bytes.as_slice() == b"ABC"));
        for (entered, same) in [("hunter2", None), ("HUNTER", Some(b"OTHER".as_slice()))] {
            let wrong = accept(&secret, entered, same).err().unwrap();
            assert!(!wrong.contains(entered), "{wrong}");
        }
    }
}
