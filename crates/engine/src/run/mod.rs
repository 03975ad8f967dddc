//! A run: one coordinator that owns the graph and the statuses, and workers that do one step each.

pub(crate) mod aside;
mod coordinator;
mod deadline;
pub(crate) mod hands;
pub mod images;
pub(crate) mod locks;
pub(crate) mod recover;
pub(crate) mod scribe;
mod told;
pub(crate) mod worker;

pub use coordinator::Ending;
pub(crate) use coordinator::{Order, finish_undone, run};
pub use scribe::Dead;
pub(crate) use told::length;
