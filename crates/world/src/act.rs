//! Changing the world.

use crate::account::Account;
use crate::alive::Alive;
use crate::error::WorldError;
use crate::look::Look;
use crate::store::Blobs;
use crate::volume::Volume;
use model::effect::Change;
use model::program::{End, Program};
use model::resource::Resource;
use model::state::{Meta, State};
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use zeroize::Zeroizing;

/// Something that can be looked at and changed.
pub trait Act: Look {
    /// Sets resources, as one round: everything is staged beside its target and flushed, then swapped in, then the
    /// directories are flushed. Each is compared with its `before` immediately before the swap, and read back after it.
    /// Gives for each what was found afterwards. A failed one changes nothing, but for [`WorldError::Poisoned`].
    fn set(&self, settings: &[Setting], blobs: &dyn Blobs) -> Vec<Result<State, WorldError>>;

    /// Starts a program and waits for its end. All it started is ended with it when it is stopped: asked first, then killed.
    ///
    /// # Errors
    /// It cannot be started. An exit code is not an error here.
    fn run(&self, start: &Start<'_>) -> Result<Ended, WorldError>;

    /// Removes what a cut-off [`Act::set`] left under these staging names, and flushes. What is not there is no error.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    fn tidy(&self, staging: &[String]) -> Result<(), WorldError>;

    /// Puts what lies under a staging name back under the resource's own; what is there then lies under the staging name.
    /// For what [`Act::set`] took out of its place, when it was cut off before it could put it back.
    ///
    /// # Errors
    /// Nothing lies there, or names cannot change places here.
    fn put_back(&self, what: &Resource, staging: &str) -> Result<(), WorldError>;

    /// Makes durable what a program has written or removed: these resources, with everything below them.
    ///
    /// # Errors
    /// It cannot be opened; [`WorldError::Poisoned`] if a flush fails, and nothing may be done after that.
    fn flush(&self, what: &[Resource]) -> Result<(), WorldError>;

    /// The volume of the nearest existing directory of `path`.
    ///
    /// # Errors
    /// It cannot be asked.
    fn volume(&self, path: &str) -> Result<Volume, WorldError>;

    /// Whether names can be made and replaced in a directory, or in the nearest one above it that exists. Nothing is made to
    /// find out.
    ///
    /// # Errors
    /// They cannot, and why.
    fn may_write(&self, dir: &str) -> Result<(), WorldError>;

    /// Whether a file in a directory can be given the owner and group that are named there. Nothing is made to find out.
    fn may_give(&self, _dir: &str, _meta: &Meta) -> bool {
        true
    }

    /// The name beside the target under which a resource is staged, if it is staged at all. `mark` is `RUN-SEQ`.
    fn staging(&self, change: &Change, mark: &str) -> Option<String>;
}

/// A resource to set.
pub struct Setting {
    /// From what to what.
    pub change: Change,
    /// Where the bytes of `after` come from.
    pub source: Source,
    /// Its staging name, as [`Act::staging`] gave it.
    pub staging: Option<String>,
    /// What is told of it while it is being made.
    pub account: Arc<Account>,
}

impl Setting {
    /// With an account of its own.
    pub fn new(change: Change, source: Source, staging: Option<String>) -> Self {
        Self { change, source, staging, account: Arc::default() }
    }
}

/// Where the bytes of a state to be set come from.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// There are none: absence, a directory, a mode, a service.
    #[default]
    Nothing,
    /// These.
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    /// Those of another file, streamed.
    File {
        /// Its path.
        path: String,
    },
    /// Whole directories or files, each under its last name, streamed.
    Trees {
        /// What is copied.
        sources: Vec<String>,
        /// Globs relative to each source.
        exclude: Vec<String>,
        /// Whether a file that cannot be read fails the copy (`false`) or is left out and listed (`true`).
        leave_locked: bool,
    },
    /// Those that were kept as a blob: of a file its bytes, of a tree its manifest, whose files are blobs again.
    Blob(model::digest::Digest),
    /// What the program of the effect before has written to standard output.
    Stdout,
}

/// A program to start, with all it needs.
pub struct Start<'a> {
    /// The program, `argv[0]` an absolute path.
    pub program: &'a Program,
    /// The values of its secret environment entries and standard input.
    pub secrets: Secrets,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// Set to true from outside when a person cancels.
    pub cancelled: &'a AtomicBool,
    /// The lock by which it can be told after a crash of ours whether the program still runs. It is given to the program.
    pub alive: Option<&'a Alive>,
}

/// Resolved secrets of a program.
#[derive(Default)]
pub struct Secrets {
    /// Environment entries.
    pub env: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// Standard input.
    pub stdin: Option<Zeroizing<Vec<u8>>>,
}

/// A program that has ended.
pub struct Ended {
    /// Why.
    pub end: End,
    /// Its standard output, from the beginning.
    pub stdout: Spool,
    /// Its standard error, from the beginning.
    pub stderr: Spool,
}

/// Bytes that a program wrote, wherever they are kept.
pub struct Spool {
    /// Their number.
    pub length: u64,
    /// The bytes.
    pub bytes: Box<dyn Read + Send>,
}
