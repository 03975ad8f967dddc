//! Everything done with a journal afterwards: read, show, list, verify, prune. Prints nothing.

pub mod read;
pub mod verify;
