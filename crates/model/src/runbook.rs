//! The runbook: one YAML procedure.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    input::InputDef,
    span::Span,
    step::{OnFailure, Step},
    yaml::{At, Map, Raw},
};

/// The only format of documents that this version reads.
pub const FORMAT: u32 = 1;

/// A procedure as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// The format of the file: 1.
    pub format: At<u32>,
    /// The runbook's id: small letters, digits and hyphens.
    pub runbook: At<Box<str>>,
    /// Its version.
    pub version: At<Box<str>>,
    /// What it does, in one line.
    pub title: At<Box<str>>,
    /// More about it.
    pub about: Option<At<Box<str>>>,
    /// What it reads of the client file, written like inputs.
    pub expects: Option<Map<InputDef>>,
    /// What is asked before the first step.
    #[serde(default)]
    pub inputs: Map<InputDef>,
    /// Names for values; templates over inputs, client and run.
    #[serde(default)]
    pub vars: Map<Raw>,
    /// The resources that may be set, as patterns. Missing: all.
    pub touches: Option<Vec<Raw>>,
    /// Resources whose bytes are secret though no secret input made them, as patterns.
    #[serde(default)]
    pub sensitive: Vec<At<Box<str>>>,
    /// What happens when a step fails, unless the step says otherwise.
    pub on_failure: Option<At<OnFailure>>,
    /// How long the whole run may take.
    pub deadline: Option<At<Span>>,
    /// What is done.
    pub steps: Vec<Step>,
    /// What is done whatever happened.
    #[serde(default)]
    pub finally: Vec<Step>,
    /// What a runbook that runs this one gets from it; templates.
    #[serde(default)]
    pub outputs: Map<Raw>,
}
