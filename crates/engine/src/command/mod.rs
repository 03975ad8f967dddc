//! The front door: plan, run, resume, undo.

mod forms;
mod kept;
mod locks;
mod memory;
mod opened;
mod plan;
mod refusal;
mod resume;
mod run;
mod undo;

pub(crate) use kept::kept_name;
pub use kept::{embedded, kept};
pub use plan::plan;
pub use refusal::Refusal;
pub use resume::resume;
pub use run::run;
pub use undo::{undo, undo_plan, undo_questions};

use crate::context::Engine;
use crate::undo::Agreed;
use model::event::Scope;
use model::id::RunId;

/// How a command is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many steps at once.
    pub jobs: usize,
    /// age identities (`AGE-SECRET-KEY-1...`) that open sealed images.
    pub identities: Vec<String>,
}

/// What an undo is told beside its run.
#[derive(Clone, Debug)]
pub struct UndoOptions {
    /// All of it, or what started after a step.
    pub scope: Scope,
    /// What is agreed about resources that somebody has changed since.
    pub agreed: Agreed,
    /// Whether it goes past the point of no return.
    pub past_no_return: bool,
}

/// A name for a run of that client now.
pub fn new_run_id(engine: &Engine<'_>, client: &str) -> Option<RunId> {
    let at = engine.clock.now();
    RunId::parse(&format!("{client}-{}-{}", at.strftime("%Y%m%d-%H%M%S"), &engine.short_random()[..4]))
}
