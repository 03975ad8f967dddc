//! One elementary thing that a step does to the world.

use crate::program::Program;
use crate::resource::Resource;
use crate::state::State;
use crate::value::{Text, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the engine does, after saying so. Its text is what a plan prints.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Bring a resource from one state to another. The inverse swaps them.
    Set(Change),
    /// Start a program.
    Run {
        /// The program.
        program: Program,
        /// What it declares to change, with the states before; unknown afterwards until looked at.
        changes: Vec<Before>,
    },
    /// Let a person do or say something.
    Ask(Ask),
    /// Wait for the world. Changes nothing.
    Wait {
        /// What is waited for, in words.
        what: String,
        /// Seconds between two looks.
        every: f64,
        /// Seconds after which it has failed.
        within: f64,
        /// Seconds for which it must hold without a break. Whether it holds now, the proposal's verdict says.
        #[serde(default, skip_serializing_if = "is_zero")]
        stable_for: f64,
    },
}

/// A resource brought from one state to another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub resource: Resource,
    /// What it is.
    pub before: State,
    /// What it will be.
    pub after: State,
}

impl Change {
    /// Whether it is about a directory with all that is in it.
    pub fn is_of_tree(&self) -> bool {
        [&self.before, &self.after].iter().any(|state| matches!(state, State::Tree(_)))
    }

    /// Whether it tells bytes by a keyed digest: they are secret.
    pub fn is_keyed(&self) -> bool {
        self.before.is_keyed() || self.after.is_keyed()
    }
}

/// A resource and what it was before somebody else changed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Before {
    /// What may be changed.
    pub resource: Resource,
    /// What it was.
    pub before: State,
}

/// A question to a person, or an instruction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Ask {
    /// What is asked.
    pub form: Form,
    /// Shown with it: label to text. Secrets only on request and only on the screen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub show: BTreeMap<String, Text>,
    /// What the person changes by doing it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Before>,
    /// Whether anything may be changed by doing it; then nothing else runs meanwhile.
    #[serde(default)]
    pub may_change: bool,
}

/// The kinds of questions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Form {
    /// Do these things in order.
    Step {
        /// The things to do.
        instructions: Vec<Instruction>,
    },
    /// Fill in fields.
    Fields {
        /// What to do first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        instructions: Vec<Instruction>,
        /// The fields.
        fields: Vec<Field>,
    },
    /// Agree to something.
    Confirm {
        /// What is agreed to.
        question: String,
        /// The role that the person must have.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<String>,
        /// What must be typed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phrase: Option<String>,
        /// Whether the operator may not do it.
        #[serde(default)]
        not_operator: bool,
    },
    /// Choose one.
    Decide {
        /// What is decided.
        question: String,
        /// The choices: id and text, in order.
        options: Vec<(String, String)>,
        /// What a plan assumes.
        expected: String,
    },
}

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instruction {
    /// What to do.
    #[serde(rename = "do")]
    pub act: String,
    /// What is seen then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub see: Option<String>,
    /// What to do if not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// One field of a form.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name, and the name of the step's output.
    pub name: String,
    /// What may be entered.
    #[serde(rename = "type", default)]
    pub kind: FieldType,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Whether it is entered twice and compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twice: bool,
    /// A text that the answer must equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<Text>,
    /// What an answer must match, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The only answers.
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The greatest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Taken when nothing is entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub default: Option<Value>,
}

/// What may be entered in a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FieldType {
    #[default]
    String,
    Integer,
    Number,
    Boolean,
    Secret,
    Date,
}

fn is_zero(seconds: &f64) -> bool {
    *seconds == 0.0
}

impl Effect {
    /// The word for it in a plan.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Set(_) => "change",
            Self::Run { .. } => "run",
            Self::Ask(_) => "ask",
            Self::Wait { .. } => "wait",
        }
    }

    /// Whether the program or person that does it is given a secret.
    pub fn is_given_secret(&self) -> bool {
        let is_secret = |text: &Text| matches!(text, Text::Secret(_));
        match self {
            Self::Run { program, .. } => program.env.values().chain(&program.stdin).any(is_secret),
            Self::Ask(ask) => ask.show.values().any(is_secret),
            Self::Set(_) | Self::Wait { .. } => false,
        }
    }

    /// Every state that it tells of a resource.
    pub fn states_mut(&mut self) -> Vec<(&Resource, &mut State)> {
        match self {
            Self::Set(Change { resource, before, after }) => vec![(&*resource, before), (&*resource, after)],
            Self::Run { changes, .. } | Self::Ask(Ask { changes, .. }) => changes.iter_mut().map(|c| (&c.resource, &mut c.before)).collect(),
            Self::Wait { .. } => Vec::new(),
        }
    }

    /// The resources that it sets or may change, with the states before.
    pub fn changes(&self) -> Vec<(&Resource, &State)> {
        match self {
            Self::Set(change) => vec![(&change.resource, &change.before)],
            Self::Run { changes, .. } => changes.iter().map(|c| (&c.resource, &c.before)).collect(),
            Self::Ask(ask) => ask.changes.iter().map(|c| (&c.resource, &c.before)).collect(),
            Self::Wait { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(change) => change.fmt(f),
            Self::Run { program, .. } => write!(f, "run {}", program.argv.join(" ")),
            Self::Ask(ask) => ask.fmt(f),
            Self::Wait { what, .. } => write!(f, "wait: {what}"),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} -> {}", self.resource, self.before, self.after)?;
        if let (State::File(a), State::File(b)) = (&self.before, &self.after)
            && a.content == b.content
        {
            write!(f, " (mode {:04o} -> {:04o})", a.meta.mode.unwrap_or(0), b.meta.mode.unwrap_or(0))?;
        }
        Ok(())
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Step { instructions } => write!(f, "{}", instructions.first().map_or("", |i| &i.act)),
            Form::Fields { fields, .. } => {
                let secret = fields.iter().filter(|field| field.kind == FieldType::Secret).count();
                write!(f, "{} field{}", fields.len(), if fields.len() == 1 { "" } else { "s" })?;
                if secret > 0 { write!(f, ", {secret} secret") } else { Ok(()) }
            }
            Form::Confirm { question, .. } => f.write_str(question),
            Form::Decide { question, options, .. } => {
                write!(f, "{question} {}", options.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>().join(" | "))
            }
        }
    }
}
