//! The engine: load, check, graph, plan, run, undo, resume. Knows no action by name, no platform, no terminal; reads no
//! clock, environment or random source but through [`Engine`](context::Engine).

pub mod check;
pub mod command;
pub mod context;
pub mod course;
mod earlier;
pub mod explain;
pub mod graph;
pub mod history;
pub mod input;
pub mod load;
pub mod people;
pub mod plan;
pub mod procedure;
pub mod questions;
pub mod radius;
pub mod run;
pub mod schema;
pub mod secrets;
pub mod sensitive;
pub mod session;
pub mod template;
pub mod undo;

mod listing;
mod progress;
mod rights;
mod room;
mod scope;
mod stepper;
mod values;
mod view;
mod windows;
