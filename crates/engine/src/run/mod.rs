//! A run: one coordinator that owns the graph and the statuses, and threads that pass it on and do one step each.

pub(crate) mod aside;
mod coordinator;
mod deadline;
mod ending;
pub(crate) mod hands;
pub mod images;
mod judged;
pub(crate) mod locks;
mod order;
pub(crate) mod pause;
pub(crate) mod recover;
pub(crate) mod scribe;
mod told;
mod vault;
pub(crate) mod whole;
pub(crate) mod worker;

pub(crate) use coordinator::{finish_undone, run};
pub use ending::Ending;
pub(crate) use order::Order;
pub use scribe::Dead;
pub(crate) use told::length;
