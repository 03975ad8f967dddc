//! The machine this runs on.

pub(crate) mod endpoints;
pub(crate) mod processes;
#[cfg(unix)]
mod procfs;
pub(crate) mod programs;
pub(crate) mod room;
pub mod services;

use programs::Programs;
use services::{ServiceConfig, Services};
use std::path::Path;

/// The machine this runs on.
pub struct Real {
    programs: Programs,
    services: Services,
}

impl Real {
    /// This machine, with its service manager. What programs write is kept in nameless files in `spool` until it is read: an existing directory.
    pub fn new(spool: &Path, services: ServiceConfig) -> Self {
        Self { programs: Programs::new(spool), services: Services::new(services) }
    }
}
