//! The documents of retrace: what people write (runbook, client file, answers) and what it writes (plan, journal).
//! No I/O, no clock, no platform.

pub mod diagnostic;
pub mod digest;
pub mod effect;
pub mod event;
pub mod fold;
pub mod id;
pub mod journal;
pub mod json;
pub mod path;
pub mod plan;
pub mod printable;
pub mod program;
pub mod resource;
pub mod size;
pub mod span;
pub mod state;
pub mod value;
pub mod yaml;
