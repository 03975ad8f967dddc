//! Taking back: inverse effects in reverse start order, with settling steps and gates at their places.

mod agreed;
mod inside;
mod list;
mod look;
mod take;

pub use agreed::Agreed;
pub(crate) use take::{asked, automatic, closed, finish_linked, linked, needs_secrets, preview, undos};
