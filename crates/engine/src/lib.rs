//! The engine: check, graph, plan, run, undo, resume. Knows no action by name.

pub mod template;
