//! The calls of the platform, behind one shape.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

use model::state::Meta;

/// What is under a name.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) volume: u64,
    pub(crate) number: u64,
    pub(crate) links: u64,
    pub(crate) length: u64,
    /// When anything of it was last changed, in nanoseconds.
    pub(crate) changed: i128,
    /// Without extended attributes: for these it must be opened.
    pub(crate) meta: Meta,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    File,
    Dir,
    Link,
    #[cfg_attr(windows, expect(dead_code, reason = "Windows has files, directories and reparse points, and no more"))]
    Other(&'static str),
}

impl Seen {
    /// Whether it is the very same thing, and unchanged as far as the file system tells.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.is_moved(other) && self.changed == other.changed
    }

    /// The same, though it may have been renamed since.
    pub(crate) fn is_moved(&self, other: &Self) -> bool {
        let key = |s: &Self| (s.volume, s.number, s.length, s.meta.modified, s.meta.mode);
        self.kind == other.kind && key(self) == key(other)
    }
}
