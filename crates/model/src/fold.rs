//! One total function from events to what stands: the status of each step, each effect and the run.
//!
//! The live run, resume, undo, `show`, `verify` and the report all use it. An event that does not follow from what stands
//! is an error, never passed over.

mod effect;
mod illegal;
mod order;
mod run;
mod standing;
mod step;
#[cfg(test)]
mod tests;

pub use effect::{EffectFold, EffectStatus};
pub use illegal::IllegalEvent;
pub use order::Order;
pub use run::{DecisionFold, Ended, Moment, NoteFold, Run};
pub use standing::StepStatus;
pub use step::StepFold;
