//! Whoever answers the engine's questions: a person at a terminal, a file of answers, nobody.

use model::effect::Ask;
use model::id::StepId;
use model::value::SecretText;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Somebody who can be asked. Questions come one at a time.
pub trait People: Sync {
    /// Whether these questions can be answered at all. Called before a run begins with every question that the plan holds.
    ///
    /// # Errors
    /// What is missing, all of it, one sentence each.
    fn ready(&self, questions: &[(StepId, Ask, Vec<EvidenceWanted>)]) -> Result<(), Vec<String>>;

    /// Asks what a step asks.
    ///
    /// # Errors
    /// Nobody answers, or the person stops.
    fn ask(&self, question: &Question<'_>) -> Result<Answer, NoAnswer>;

    /// Asks for a choice: after a failure, on a wish to stop, in doubt. Gives the key of an option.
    ///
    /// # Errors
    /// Nobody answers.
    fn choose(&self, choice: &Choice) -> Result<String, NoAnswer>;

    /// The value of a secret input, read from where the client file says or asked for.
    ///
    /// # Errors
    /// It is not there and nobody can be asked; in words, without the value.
    fn secret(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer>;
}

/// What a step asks.
pub struct Question<'a> {
    /// The step.
    pub step: &'a StepId,
    /// Its title.
    pub title: Option<&'a str>,
    /// The question.
    pub ask: &'a Ask,
    /// What is to be attached.
    pub evidence: &'a [EvidenceWanted],
    /// Whether it was asked before the run was cut off: then only the secrets among its fields are asked for.
    pub again: bool,
    /// Shows a secret, for the screen only.
    pub reveal: &'a dyn Fn(&SecretText) -> Option<Zeroizing<Vec<u8>>>,
}

/// Something to attach to an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EvidenceWanted {
    /// Its name.
    pub name: String,
    /// `image`, `text` or `file`.
    pub kind: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is about.
    pub about: Option<String>,
}

/// An answer.
pub struct Answer {
    /// Who gave it.
    pub by: String,
    /// By field; a confirmation has none, a decision `choice`.
    pub given: BTreeMap<String, Given>,
    /// By name of the evidence: name of the file and its bytes.
    pub evidence: BTreeMap<String, (String, Vec<u8>)>,
}

/// One field's answer.
pub enum Given {
    /// Anybody may read it.
    Plain(serde_json::Value),
    /// A secret.
    Secret(Zeroizing<Vec<u8>>),
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Nobody can be asked; what is missing, in words.
    Missing(Vec<String>),
    /// The person says that it is not as described, and why.
    Otherwise(String),
    /// The person wants to stop.
    Stopped,
}

/// A choice for a person.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is about: a step, a resource, the run.
    pub about: String,
    /// What has happened, some lines.
    pub text: Vec<String>,
    /// The options; no default.
    pub options: Vec<ChoiceOption>,
}

/// One option of a choice.
#[derive(Clone, Debug)]
pub struct ChoiceOption {
    /// What is recorded: `retry`, `undo`, `stop`.
    pub key: &'static str,
    /// What it does and leaves behind.
    pub text: String,
}
