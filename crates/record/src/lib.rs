//! Everything done with a journal afterwards: read, show, list, verify, prune, remarks, how long steps take. Prints nothing.

pub mod notes;
pub mod past;
pub mod prune;
pub mod read;
pub mod runs;
pub mod show;
pub mod standing;
pub mod verify;
