//! Machines: looking at them and changing them. The only crate that touches one.

pub mod act;
pub mod action;
pub mod alive;
pub mod error;
pub mod look;
pub mod proposal;
pub mod real;
pub mod store;
pub mod view;
