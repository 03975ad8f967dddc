//! Files to typed documents, with every error that they hold.

mod document;
mod loader;

pub use document::Document;
pub(crate) use loader::RUNBOOK;
pub use loader::{Loaded, RunbookCall, RunbookFile, load};
