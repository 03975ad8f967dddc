//! The answers file: what a person would have answered.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{At, Map, Raw};

/// Answers as they are written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The format of the file: 1.
    pub format: At<u32>,
    /// By step: the fields of a form, the phrase of a confirm, the option of a decide, evidence as paths.
    pub answers: Map<Raw>,
}
