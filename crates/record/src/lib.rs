//! Everything done with a journal afterwards: read, show, list, verify, prune, remarks. Prints nothing.

pub mod notes;
pub mod prune;
pub mod read;
pub mod runs;
pub mod show;
pub mod standing;
pub mod verify;
