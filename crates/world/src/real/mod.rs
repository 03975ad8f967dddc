//! The machine this runs on.

mod act;
mod endpoints;
pub(crate) mod files;
mod look;
pub(crate) mod processes;
#[cfg(unix)]
mod procfs;
mod programs;
mod rights;
pub(crate) mod room;
pub mod services;

use files::Files;
use programs::Programs;
pub use programs::Recent;
use services::{ServiceConfig, Services};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The machine this runs on.
pub struct Real {
    files: Files,
    programs: Programs,
    services: Services,
}

impl Real {
    /// This machine, with its service manager. What programs write is kept in nameless files in `spool` until it is read:
    /// an existing directory.
    pub fn new(spool: &Path, services: ServiceConfig) -> Self {
        Self { files: Files::new(&[]), programs: Programs::new(spool), services: Services::new(services) }
    }

    /// Once this is set, programs that only look are ended.
    #[must_use]
    pub fn with_cancel(self, cancelled: Arc<AtomicBool>) -> Self {
        Self { programs: self.programs.with_cancel(cancelled), ..self }
    }

    /// The directories that the run may change: what lies above one of them may be links, which are resolved once.
    #[must_use]
    pub fn with_roots(self, roots: &[String]) -> Self {
        Self { files: Files::new(roots), ..self }
    }

    /// What the program that was started last, and that was no mere look, has written so far; none before the first.
    pub fn recent(&self) -> Option<Recent> {
        self.programs.recent()
    }
}
