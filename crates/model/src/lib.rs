//! The documents of retrace: what people write (runbook, client file, answers) and what it writes (plan, journal).
//! No I/O, no clock, no platform.

pub mod answers;
pub mod client;
pub mod diagnostic;
pub mod digest;
pub mod effect;
pub mod event;
pub mod fold;
pub mod id;
pub mod input;
pub mod journal;
pub mod json;
pub mod named;
pub mod path;
pub mod plan;
pub mod printable;
pub mod program;
pub mod resource;
pub mod runbook;
pub mod seal;
pub mod size;
pub mod span;
pub mod state;
pub mod step;
pub mod value;
pub mod yaml;
