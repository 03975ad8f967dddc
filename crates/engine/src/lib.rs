//! The engine: check, graph, plan, run, undo, resume. Knows no action by name.

pub mod check;
pub mod input;
pub mod load;
pub mod template;
