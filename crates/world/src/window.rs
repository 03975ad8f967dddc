//! The times in which a client lets work be done.

use jiff::ZonedDateTime;
use model::id::StepId;
use std::fmt;

/// Such a time, in the client's zone.
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// Its beginning.
    pub starts: ZonedDateTime,
    /// Its end.
    pub ends: ZonedDateTime,
    /// When the point of no return may be passed at the latest.
    pub last_no_return: ZonedDateTime,
}

/// Where a moment lies among a client's windows.
#[derive(Clone, PartialEq, Debug)]
pub enum Hours {
    /// The client names none: work may be done at any time.
    Any,
    /// In this one.
    Open(Window),
    /// In none, and this one is still to come. When planning, for by the time that the step runs it may have come.
    Later {
        /// The next one.
        next: Window,
        /// The step that judges it.
        until: StepId,
    },
    /// In none.
    Shut {
        /// The next one; none if all are over.
        next: Option<Window>,
    },
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", told(&self.starts), told(&self.ends))
    }
}

/// A moment with its offset, to the second: `2026-03-07T20:00:00-06:00`.
pub fn told(moment: &ZonedDateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
