//! What a runbook asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::yaml::{At, Map, OneOf, Raw};

/// An input, or an entry of `expects`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputDef {
    /// What sort of value it is.
    #[serde(rename = "type")]
    pub kind: At<InputType>,
    /// What it is for.
    pub about: Option<Box<str>>,
    /// Its value when nobody gives one.
    pub default: Option<Raw>,
    /// A regular expression that a text must match.
    pub pattern: Option<At<Box<str>>>,
    /// The only values it may have.
    #[serde(rename = "enum")]
    pub one_of: Option<Vec<Raw>>,
    /// The least value, or the least length.
    pub min: Option<Raw>,
    /// The greatest value, or the greatest length.
    pub max: Option<Raw>,
    /// Whether the path must lead somewhere.
    #[serde(default)]
    pub must_exist: bool,
    /// A value for the reference.
    pub example: Option<Raw>,
    /// Asked only where this expression is true; otherwise it is none.
    pub when: Option<At<Box<str>>>,
    /// What the entries of a list are: a type, or names and their types.
    pub of: Option<OneOf<InputType, Map<InputType>>>,
}

/// What sort of value an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An absolute path.
    Path,
    /// The path of a file that is there when the run begins.
    File,
    /// Text that is never shown or stored.
    Secret,
    /// A length of time with its unit.
    Duration,
    /// An amount of data with its unit.
    Size,
    /// A day: `2026-03-07`.
    Date,
    /// A version: numbers and words between dots.
    Version,
    /// A list.
    List,
}

impl InputType {
    /// Its name as it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Path => "path",
            Self::File => "file",
            Self::Secret => "secret",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Date => "date",
            Self::Version => "version",
            Self::List => "list",
        }
    }
}
