//! The machine this runs on.

#[cfg(unix)]
mod procfs;
pub(crate) mod programs;
