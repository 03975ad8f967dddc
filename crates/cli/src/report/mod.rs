//! What people and programs are shown. Nothing else in the program prints.

pub(crate) mod layout;
pub(crate) mod plan;
