//! Taking back: inverse effects in reverse start order, with settling steps and gates at their places.

mod inside;
mod list;
mod look;
mod take;

pub use look::Agreed;
pub(crate) use take::{asked, automatic, finish_linked, linked, needs_secrets, preview, undos};
