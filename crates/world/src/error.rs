//! What can go wrong at a machine.

use model::id::StepId;
use model::resource::Resource;
use model::state::State;
use std::io;

/// Why a look or an act did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A call of the operating system failed.
    #[error("cannot {op} `{name}`")]
    Io {
        /// What was tried: `read`, `write`, `list`, ...
        op: &'static str,
        /// On what.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The resource is of a kind, or in a place, that is never touched: a link, a mount below a root, several hard links.
    #[error("`{name}` is refused: {reason}")]
    Refused {
        /// What.
        name: String,
        /// Why, in words.
        reason: String,
    },
    /// The resource was not as it had to be when it was to be set. Nothing was done.
    #[error("`{resource}` is not as expected")]
    Moved {
        /// The resource.
        resource: Resource,
        /// What was expected.
        expected: Box<State>,
        /// What was found.
        found: Box<State>,
    },
    /// A flush failed: what was written may be lost although it can be read. Nothing may be done after this.
    #[error("cannot flush `{name}`: what was written may not be on the disk")]
    Poisoned {
        /// What was being flushed.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// In an imagined world: not known before a step has run.
    #[error("unknown until `{until}`")]
    Unknown {
        /// That step.
        until: StepId,
    },
    /// Looking was switched off for programs (`--no-look`), or the world lacks this.
    #[error("{what} is not available here")]
    Unavailable {
        /// What.
        what: String,
    },
    /// A resting state was not reached in time.
    #[error("`{name}` did not come to rest: {found}")]
    Unsettled {
        /// The service.
        name: String,
        /// What it is.
        found: String,
    },
    /// The bytes of a blob are not those of its name.
    #[error("blob `{0}` is damaged")]
    Damaged(String),
}

impl WorldError {
    /// Whether a disk has no room left.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
    }

    /// An error of the operating system.
    pub fn io(op: &'static str, name: impl Into<String>, source: io::Error) -> Self {
        Self::Io { op, name: name.into(), source }
    }
}
