//! Machines: looking at them and changing them. The only crate that touches one.

pub mod account;
pub mod act;
pub mod action;
pub mod alive;
pub mod certificate;
pub mod disk_store;
pub mod earlier;
pub mod error;
pub mod faulty;
pub mod image;
pub mod imagined;
pub mod look;
pub mod manifest;
pub mod memory;
pub mod memory_store;
mod meta;
mod path;
pub use path::staged_by;
pub mod planted;
pub mod proposal;
pub mod real;
pub mod store;
pub mod view;
pub mod volume;
mod walk;
pub mod window;
