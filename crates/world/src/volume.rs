//! Where files lie.

/// A volume: what has room of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Volume {
    /// Tells volumes of one machine apart.
    pub id: u64,
    /// Free bytes for an unprivileged writer.
    pub free: u64,
}
