//! A step: a node of the runbook's graph.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    input::InputType,
    span::Span,
    yaml::{At, Map, OneOf, Raw},
};

/// An action with parameters, or a group made of steps.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name: small letters, digits and underscores.
    pub id: At<Box<str>>,
    /// What it does, in one line.
    pub title: Option<At<Box<str>>>,
    /// More about it.
    pub about: Option<At<Box<str>>>,
    /// The kind of step. A step has `action` or `steps`.
    pub action: Option<At<Box<str>>>,
    /// The action's parameters.
    pub with: Option<Raw>,
    /// The steps of a group.
    pub steps: Option<Vec<Self>>,
    /// What a group does whatever happened in it.
    #[serde(default)]
    pub finally: Vec<Self>,
    /// Done only where this expression is true.
    pub when: Option<At<Box<str>>>,
    /// One name and the list it goes through.
    pub foreach: Option<At<Map<Raw>>>,
    /// What tells the instances of `foreach` apart: a template.
    pub key: Option<Raw>,
    /// How many instances may run at a time: 1 unless said.
    pub max_parallel: Option<At<u32>>,
    /// The steps that come before. Missing: the one written before it.
    pub needs: Option<Vec<At<Box<str>>>>,
    /// Siblings that this step makes effective.
    pub settles: Option<Vec<At<Box<str>>>>,
    /// The host it is about: a name or a template.
    pub host: Option<Raw>,
    /// What happens when it fails.
    pub on_failure: Option<At<OnFailure>>,
    /// How often it is tried.
    pub retry: Option<Box<At<Retry>>>,
    /// How long one attempt may take.
    pub timeout: Option<At<Span>>,
    /// How long it takes, as the author thinks.
    pub takes: Option<Box<Takes>>,
    /// Users are cut off from here, or back from here.
    pub outage: Option<At<Outage>>,
    /// How it is taken back.
    pub undo: Option<Box<At<Undo>>>,
    /// Why it cannot be taken back.
    pub irreversible: Option<At<Box<str>>>,
    /// Checks that hold when a program or person has nothing more to do.
    #[serde(default)]
    pub done_when: Vec<Check>,
    /// Whether an undo passes this check or wait again.
    pub gate: Option<At<bool>>,
    /// Whether no undo goes back past it.
    pub point_of_no_return: Option<At<bool>>,
    /// Whether a client may skip it.
    pub optional: Option<At<bool>>,
    /// What a person attaches.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What others see of it: of a group templates, of a program a type and a template.
    #[serde(default)]
    pub outputs: Map<OneOf<Raw, OutputDef>>,
}

/// What a step does, once it is known to have exactly one of `action` and `steps`.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// One action.
    Action {
        /// Its kind.
        kind: &'a At<Box<str>>,
        /// Its parameters.
        with: Option<Raw>,
    },
    /// Steps.
    Group(&'a [Step]),
}

impl Step {
    /// What it does. A step that has neither is an empty group; `check` refuses it, and one that has both.
    pub fn body(&self) -> Body<'_> {
        match (&self.action, &self.steps) {
            (Some(kind), _) => Body::Action { kind, with: self.with },
            (None, steps) => Body::Group(steps.as_deref().unwrap_or_default()),
        }
    }

    /// Whether `gate: true` is written.
    pub fn is_gate(&self) -> bool {
        self.gate.is_some_and(|at| at.value)
    }

    /// Whether `point_of_no_return: true` is written.
    pub fn is_point_of_no_return(&self) -> bool {
        self.point_of_no_return.is_some_and(|at| at.value)
    }

    /// Whether `optional: true` is written.
    pub fn is_optional(&self) -> bool {
        self.optional.is_some_and(|at| at.value)
    }
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run stops, or a person is asked.
    Stop,
    /// The whole run is taken back, to the point of no return.
    Undo,
    /// What does not need the step goes on.
    Continue,
    /// The group's instance is taken back, then as `continue`.
    UndoGroup,
}

/// How often a step is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often at most, the first attempt included.
    pub attempts: At<u32>,
    /// How long it waits between two attempts.
    pub delay: Option<Span>,
    /// The longest wait; given, the delay doubles from attempt to attempt.
    pub max_delay: Option<Span>,
}

/// How long a step takes, as the author thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Takes {
    /// Mostly.
    pub usual: At<Span>,
    /// At most.
    pub most: Option<At<Span>>,
}

/// Where users are cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// From here.
    Begins,
    /// Up to here.
    Ends,
}

/// How a step is taken back: a word, or an action with parameters.
pub type Undo = OneOf<UndoWord, UndoAction>;

/// How a step is taken back without an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UndoWord {
    /// From the state before it.
    Auto,
    /// Not at all: what it made stays.
    Keep,
}

/// An action that takes a step back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoAction {
    /// Its kind.
    pub action: At<Box<str>>,
    /// Its parameters.
    pub with: Option<Raw>,
}

/// A check inside a step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, where one is needed.
    pub id: Option<At<Box<str>>>,
    /// Its kind.
    pub action: At<Box<str>>,
    /// Its parameters.
    pub with: Option<Raw>,
}

/// Something that a person attaches to a step.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Its name.
    pub name: At<Box<str>>,
    /// What sort of thing.
    pub kind: At<EvidenceKind>,
    /// Whether the step is not done without it.
    #[serde(default)]
    pub required: bool,
    /// What it should show.
    pub about: Option<Box<str>>,
}

/// What sort of thing is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// A picture.
    Image,
    /// Text.
    Text,
    /// Any file.
    File,
}

/// An output that is read off what a program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputDef {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: At<InputType>,
    /// A template over `result`.
    pub from: Raw,
}
