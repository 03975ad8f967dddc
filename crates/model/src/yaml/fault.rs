//! Why a node could not be read as a type; the place is added where it is reported.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

use crate::diagnostic::nearest;

#[derive(Debug)]
pub(super) enum Fault {
    /// It was reported, or the value only stood in for another.
    Silent,
    /// A field is missing.
    Missing(&'static str),
    /// To be reported.
    Found { code: &'static str, message: String, help: Option<String> },
}

impl Fault {
    pub(super) fn found(code: &'static str, message: impl Into<String>) -> Self {
        Self::Found { code, message: message.into(), help: None }
    }
}

impl Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("already reported"),
            Self::Missing(field) => write!(f, "the key `{field}` is missing"),
            Self::Found { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: Display>(message: T) -> Self {
        let message = message.to_string();
        // A type that reads a value first, and then itself from that, passes on what serde says of the value.
        match message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
            Some((found, expected)) => mismatch(&found_words(found), expected, found.starts_with(['i', 'f', 'b'])),
            None => Self::found("wrong-value", message),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let scalar = matches!(found, Unexpected::Signed(_) | Unexpected::Unsigned(_) | Unexpected::Float(_) | Unexpected::Bool(_));
        mismatch(&shown(found), &expected.to_string(), scalar)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::found("wrong-value", format!("expected {}, found {}", plain_words(&expected.to_string()), shown(found)))
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> Self {
        Self::found("wrong-type", format!("expected {}, found {len} entries", plain_words(&expected.to_string())))
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of `{}`", known.join("`, `")),
        };
        Self::Found { code: "unknown-word", message: format!("`{name}` is not known here"), help: Some(help) }
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        let help = nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        Self::Found { code: "unknown-key", message: format!("the key `{name}` is not known here"), help }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::found("duplicate-key", format!("the key `{field}` is there twice"))
    }
}

/// What serde says of a value that does not fit, in the words of a runbook's author.
pub fn plainly(wrong: &str) -> String {
    <Fault as Error>::custom(wrong).to_string()
}

fn mismatch(found: &str, expected: &str, scalar: bool) -> Fault {
    let expected = plain_words(expected);
    let help = (scalar && expected == "text").then(|| "put it in quotes".to_owned());
    Fault::Found { code: "wrong-type", message: format!("expected {expected}, found {found}"), help }
}

/// What serde says that it has found: "integer `5`", "sequence".
fn found_words(found: &str) -> String {
    match found.split_once(' ') {
        Some(("integer" | "float" | "floating", number)) => format!("the number {}", number.trim_start_matches("point ")),
        Some(("boolean", word)) => word.to_owned(),
        Some(("unit", _)) => "nothing".to_owned(),
        None if found == "sequence" => "a list".to_owned(),
        None if found == "map" => "a mapping".to_owned(),
        _ => found.to_owned(),
    }
}

fn shown(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number `{value}`"),
        Unexpected::Signed(value) => format!("the number `{value}`"),
        Unexpected::Float(value) => format!("the number `{value}`"),
        Unexpected::Str(text) if text.len() <= 60 => format!("the text `{text}`"),
        Unexpected::Str(_) => "a long text".to_owned(),
        Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map | Unexpected::StructVariant | Unexpected::NewtypeVariant => "a mapping".to_owned(),
        other => other.to_string(),
    }
}

/// What serde and our types say they expect, in the words of a runbook's author.
fn plain_words(expected: &str) -> String {
    match expected {
        "a string" | "a borrowed string" | "a char" | "a character" | "string" => "text".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" | "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "a nonzero u32" | "a nonzero u64" | "a nonzero u16" | "a nonzero usize" => "a whole number from 1".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a mapping".to_owned(),
        other if other.starts_with("struct ") => "a mapping".to_owned(),
        other if other.starts_with("enum ") || other.starts_with("variant ") => "one of a few words".to_owned(),
        other => other.to_owned(),
    }
}
