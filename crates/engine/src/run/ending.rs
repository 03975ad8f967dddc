//! How a command ended.

use model::event::RunOutcome;

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// How the run ended, if one began.
    pub outcome: RunOutcome,
    /// The exit code.
    pub exit: u8,
    /// Why, in words, if not done.
    pub why: Vec<String>,
}
