//! What people and programs are shown. Nothing else in the program prints.

pub(crate) mod board;
pub(crate) mod layout;
pub(crate) mod plan;
pub(crate) mod reporter;
pub(crate) mod said;
