//! How configuration files are written, and what that makes of keys and values.

use crate::{ini, json};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

/// How a configuration file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Sections in brackets, lines with `KEY=VALUE`, comments after `;` or `#` at the beginning of a line. All values are texts; a
    /// pair of quotes around one is not part of it. Keys and sections are found whether in upper or lower case; of several of one
    /// name the first counts, as in Windows.
    Ini,
    /// JSON. A name that stands twice in an object on the way to a key is an error.
    Json,
}

impl Format {
    /// The value of a key.
    ///
    /// # Errors
    /// The text is not written so, or the key names more than one value.
    pub(crate) fn value(self, text: &str, key: &str) -> Result<Option<Value>, String> {
        match self {
            Self::Ini => Ok(ini::value(text, key).map(Value::from)),
            Self::Json => json::value(text, key),
        }
    }

    /// A value as it is written into a file.
    ///
    /// # Errors
    /// It cannot be.
    pub(crate) fn written(self, value: &Value) -> Result<String, String> {
        match (self, value) {
            (Self::Json, value) => Ok(value.to_string()),
            (Self::Ini, Value::String(text)) => Ok(text.clone()),
            (Self::Ini, Value::Number(number)) if !number.is_f64() => Ok(number.to_string()),
            (Self::Ini, Value::Null) => Err("nothing is no value of an INI file: `remove` takes a key out, '' leaves it empty".to_owned()),
            (Self::Ini, Value::Array(_) | Value::Object(_)) => Err("a list is no value of an INI file".to_owned()),
            (Self::Ini, Value::Number(_) | Value::Bool(_)) => Err("put it in quotes, as it is to stand in the INI file".to_owned()),
        }
    }

    /// A secret text as it is written into a file.
    pub(crate) fn written_secret(self, secret: &str) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Ini => secret.to_owned(),
            Self::Json => Value::from(secret).to_string(),
        })
    }

    /// The text with another value of a key, which is written so; none if there is no such key, and none is to be added.
    /// `newline` ends a line in a file that has none.
    ///
    /// # Errors
    /// What the text says afterwards would not be that.
    pub(crate) fn set(self, text: &str, key: &str, written: &str, create: bool, newline: &str) -> Result<Option<Zeroizing<String>>, String> {
        if self == Self::Ini && written.contains(['\n', '\r', '\0']) {
            return Err(format!("`{key}`: a value of an INI file is one line"));
        }
        let set = match self {
            Self::Ini => ini::set(text, key, written, create.then_some(newline)),
            Self::Json => json::set(text, key, written, create)?,
        };
        let Some(set) = set.map(Zeroizing::new) else { return Ok(None) };
        if self.says(&set, key, written)? { Ok(Some(set)) } else { Err(format!("`{key}` is no name that such a file can hold")) }
    }

    /// The text without a key.
    ///
    /// # Errors
    /// The text is not written so, or the key cannot be taken out.
    pub(crate) fn without(self, text: &str, key: &str) -> Result<Zeroizing<String>, String> {
        match self {
            Self::Ini => Ok(Zeroizing::new(ini::without(text, key))),
            Self::Json => json::without(text, key).map(Zeroizing::new),
        }
    }

    /// Whether a key has the value that is written so.
    pub(crate) fn says(self, text: &str, key: &str, written: &str) -> Result<bool, String> {
        match self {
            Self::Ini => Ok(ini::value(text, key) == Some(written)),
            Self::Json => json::says(text, key, written),
        }
    }
}
