//! Why a command did nothing, or no more.

use crate::people::NoAnswer;
use crate::plan::chain;
use crate::procedure::BindError;
use crate::run::hands::{self, Trouble};
use crate::run::scribe::Dead;
use world::error::WorldError;

/// Why a command did nothing, or no more. Each has its exit code.
#[derive(Debug)]
pub enum Refusal {
    /// A document is wrong (3).
    Invalid(Vec<String>),
    /// It is refused before anything was intended (4).
    Refused(Vec<String>),
    /// Something is missing, and nobody can be asked (7).
    Missing(Vec<String>),
    /// A person does not want to (6).
    Stopped,
    /// A record is damaged (9).
    Damaged(String),
    /// The state directory or the journal cannot be used (1).
    Broken(String),
}

impl From<BindError> for Refusal {
    fn from(wrong: BindError) -> Self {
        Self::Invalid(vec![wrong.to_string()])
    }
}

/// What the state directory or the journal answers, where no refusal of its own is expected.
impl From<WorldError> for Refusal {
    fn from(wrong: WorldError) -> Self {
        Self::Broken(chain(&wrong))
    }
}

impl From<Dead> for Refusal {
    fn from(dead: Dead) -> Self {
        Self::Broken(dead.0)
    }
}

impl From<NoAnswer> for Refusal {
    fn from(no: NoAnswer) -> Self {
        match no {
            NoAnswer::Missing(what) => Self::Missing(what),
            NoAnswer::Otherwise(_) | NoAnswer::Stopped => Self::Stopped,
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(wrong: Trouble) -> Self {
        match wrong {
            Trouble::Missing(what) => Self::Missing(what),
            Trouble::Stopped => Self::Stopped,
            Trouble::Unfit(_) | Trouble::Moved { .. } => Self::Refused(vec![hands::words(&wrong)]),
            Trouble::Failed(_) | Trouble::Dead(_) => Self::Broken(hands::words(&wrong)),
        }
    }
}
