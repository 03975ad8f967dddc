//! What an action is.

use crate::error::WorldError;
use crate::proposal::Proposal;
use crate::view::View;
use model::id::StepId;
use model::value::{SecretText, Value};
use model::yaml::{self, Foresight, Raw, Sink, Tree};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// A typed kind of step. It looks and proposes, nothing else.
pub trait Action: DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Its name: `file.copy`.
    const KIND: &'static str;
    /// One line about it.
    const ABOUT: &'static str;
    /// Whether it only looks, waits or asks, or may change something.
    const CLASS: Class;
    /// Whether what its steps make stays when they are taken back, unless they say `undo: auto`.
    const KEEPS: bool = false;
    /// Which of its parameters name a template file of the author, and the values that it sees.
    const TEMPLATE: Option<Templated> = None;
    /// Its outputs, for the schema and the reference.
    type Outputs: Serialize + JsonSchema;

    /// What it would do, given what it sees. No effects: it is already so.
    ///
    /// # Errors
    /// The step cannot be judged: its parameters make no sense together, or the world cannot be read.
    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError>;
}

/// What steps of a kind may do. Some rules of the language go by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// It only looks: may be a gate, may be retried.
    Check,
    /// It waits: may be a gate, may be retried.
    Wait,
    /// It sets resources: may be retried, is taken back by itself.
    Set,
    /// It starts a program or lets a person do something: says itself whether it may be retried and how it is taken back.
    Opaque,
    /// It asks a person and changes nothing.
    Ask,
}

/// The parameters by which an action names a template file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Templated {
    /// The one that names the file.
    pub file: &'static str,
    /// The one that holds the values that it sees.
    pub vars: &'static str,
}

/// Why a step could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// The world could not be read.
    #[error(transparent)]
    World(#[from] WorldError),
    /// The parameters make no sense together.
    #[error("{0}")]
    Invalid(String),
    /// The parameters are of other types than the action wants, or cannot be worked out: the document is wrong.
    #[error("{message}")]
    Unfit {
        /// The way from the parameters to what is wrong: keys, and places in lists from 0.
        path: Vec<String>,
        /// What is wrong.
        message: String,
        /// Where it is written, once that is known: `FILE:LINE:COLUMN`.
        at: Option<String>,
    },
    /// What cannot be known yet had to be.
    #[error("not known before step `{until}`")]
    Unknown {
        /// The step after which it is known.
        until: StepId,
    },
}

/// An action as the engine sees it.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// What its steps may do.
    pub class: Class,
    /// Whether what its steps make stays when they are taken back.
    pub keeps: bool,
    /// Its parameters that name a template file.
    pub template: Option<Templated>,
    /// What its parameters are.
    pub with: fn(&mut SchemaGenerator) -> Schema,
    /// What its outputs are.
    pub outputs: fn(&mut SchemaGenerator) -> Schema,
    /// Whether parameters, not rendered yet, fit, as far as templates are foreseen: reports everything that does not, at its
    /// place or at the step's.
    pub check: fn(&Tree, Option<Raw>, step: Raw, &Foresight, &Sink),
    /// What it would do with these parameters.
    pub propose: fn(&Value, &dyn View) -> Result<Proposal, ActionError>,
}

impl Kind {
    /// The action `A`.
    pub const fn of<A: Action>() -> Self {
        Self {
            name: A::KIND,
            about: A::ABOUT,
            class: A::CLASS,
            keeps: A::KEEPS,
            template: A::TEMPLATE,
            with: |generator| generator.subschema_for::<A>(),
            outputs: |generator| generator.subschema_for::<A::Outputs>(),
            check: |tree, with, step, foresight, sink| {
                yaml::read_parameters::<A>(tree, with, step, foresight, sink);
            },
            propose: |with, view| {
                if let Ok(action) = A::deserialize(with) {
                    return action.propose(view);
                }
                // Only when it does not fit is the reason looked for: whether an unknown is in its way, or what is wrong.
                if let Some(until) = model::value::until_within(with) {
                    return Err(ActionError::Unknown { until });
                }
                match serde_path_to_error::deserialize::<_, A>(with.clone()) {
                    Ok(action) => action.propose(view),
                    Err(wrong) => Err(unfit(with, &wrong)),
                }
            },
        }
    }
}

/// Why parameters do not fit, in words that name no value.
fn unfit(with: &Value, wrong: &serde_path_to_error::Error<serde_yaml::Error>) -> ActionError {
    let mut path = Vec::new();
    let mut value = Some(with);
    for segment in wrong.path() {
        let (part, inner) = match segment {
            Segment::Seq { index } => (index.to_string(), value.and_then(|value| value.get(*index))),
            Segment::Map { key } | Segment::Enum { variant: key } => (key.clone(), value.and_then(|value| value.get(key.as_str()))),
            Segment::Unknown => break,
        };
        value = inner;
        path.push(part);
    }
    let secret = value.is_some_and(|value| SecretText::of(value).is_some());
    let why = if secret { "no secret may stand here".to_owned() } else { yaml::plainly(&wrong.inner().to_string()) };
    ActionError::Unfit { path, message: format!("`with.{}`: {why}", wrong.path()), at: None }
}
