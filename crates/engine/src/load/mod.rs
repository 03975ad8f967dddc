//! Files to typed documents, with every error that they hold.

mod document;
mod kept;
mod loader;
mod partner;
mod reader;
mod template;

pub use document::Document;
pub use kept::Kept;
pub(crate) use kept::{CLIENT_FILE, PARTNER_FILE, RUNBOOK_FILE, kept_as};
pub(crate) use loader::RUNBOOK;
pub use loader::{Loaded, RunbookCall, RunbookFile, load};
pub use partner::Partner;
pub use reader::Reader;
pub(crate) use template::Named;
pub use template::Template;
