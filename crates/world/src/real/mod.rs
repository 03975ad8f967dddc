//! The machine this runs on.

#[cfg(unix)]
mod procfs;
pub(crate) mod programs;

use programs::Programs;
use std::path::Path;

/// The machine this runs on.
pub struct Real {
    programs: Programs,
}

impl Real {
    /// This machine. What programs write is kept in nameless files in `spool` until it is read: an existing directory.
    pub fn new(spool: &Path) -> Self {
        Self { programs: Programs::new(spool) }
    }
}
