//! What people and programs are shown. Nothing else in the program prints.

pub(crate) mod board;
pub(crate) mod estimate;
pub(crate) mod layout;
mod live;
pub(crate) mod plan;
pub(crate) mod reporter;
pub(crate) mod running;
pub(crate) mod said;
