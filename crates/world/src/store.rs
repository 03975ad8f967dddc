//! The state directory: journals, blobs, locks.

use crate::alive::Alive;
use crate::error::WorldError;
use crate::volume::Volume;
use model::digest::Digest;
use model::id::RunId;
use std::io::Read;

/// So many bytes are held in reserve, so that a full disk still takes the end of a journal and an undo.
pub const RESERVE: u64 = 16 << 20;

/// Where runs and blobs are kept. On disk, or in memory for tests.
pub trait Store: Blobs {
    /// Makes the directory of a new run and its empty journal, durably.
    ///
    /// # Errors
    /// It exists already ([`WorldError::Refused`]), or cannot be made.
    fn create(&self, run: &RunId) -> Result<Box<dyn Journal + '_>, WorldError>;

    /// Opens the journal of a run that was cut off, for appending, after `whole` bytes: these are first copied into a new
    /// file, flushed, and put in the old one's place, for after a failed flush the old one may exist only in memory.
    ///
    /// # Errors
    /// There is no such run, or it cannot be written.
    fn reopen(&self, run: &RunId, whole: u64) -> Result<Box<dyn Journal + '_>, WorldError>;

    /// The bytes of a run's journal.
    ///
    /// # Errors
    /// There is no such run, or it is no regular file.
    fn journal(&self, run: &RunId) -> Result<Box<dyn Read + '_>, WorldError>;

    /// The runs, sorted by name.
    ///
    /// # Errors
    /// The state directory cannot be read.
    fn runs(&self) -> Result<Vec<RunId>, WorldError>;

    /// Writes a file of a run's directory (`runbook.yaml`, `plan.json`, `files/NAME`), durably.
    ///
    /// # Errors
    /// It cannot be written.
    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) -> Result<(), WorldError>;

    /// Reads a file of a run's directory; `None` if it is not there.
    ///
    /// # Errors
    /// It is there and cannot be read.
    fn file(&self, run: &RunId, name: &str) -> Result<Option<Vec<u8>>, WorldError>;

    /// Takes the lock of this name (`client NAME`, `root exclusive PATH`, `root shared PATH`) until it is dropped or the
    /// process ends. Locks on roots are taken in a place common to all state directories of the machine.
    ///
    /// # Errors
    /// [`WorldError::Refused`] with who holds it.
    fn lock(&self, lock: &LockName, holder: &str) -> Result<Box<dyn Lock>, WorldError>;

    /// Holds the lock that every program of a run inherits, until it is dropped and they are gone. `None` where programs are
    /// not of this machine.
    ///
    /// # Errors
    /// [`WorldError::Refused`] if a program that an earlier process started for this run still holds it.
    fn alive(&self, _run: &RunId) -> Result<Option<Alive>, WorldError> {
        Ok(None)
    }

    /// A key that stays the same for this state directory: 32 random bytes, made by the first run. `None` if there is none
    /// yet and `make` is not set.
    ///
    /// # Errors
    /// It cannot be read or made.
    fn key(&self, make: Make) -> Result<Option<[u8; 32]>, WorldError>;

    /// Holds bytes in reserve before a run, if none are held.
    ///
    /// # Errors
    /// There is no room for them.
    fn hold_reserve(&self) -> Result<(), WorldError> {
        Ok(())
    }

    /// Before something is taken back or settled: frees the reserve if the disk has less room than that.
    ///
    /// # Errors
    /// The reserve cannot be removed.
    fn make_room(&self) -> Result<(), WorldError> {
        Ok(())
    }

    /// The volume of the state directory; what is held in reserve counts as free. `None` where none is known.
    ///
    /// # Errors
    /// It cannot be asked.
    fn volume(&self) -> Result<Option<Volume>, WorldError> {
        Ok(None)
    }

    /// Frees the bytes held in reserve so that a full disk still takes the end of a journal and an undo.
    ///
    /// # Errors
    /// The reserve cannot be removed.
    fn release_reserve(&self) -> Result<(), WorldError>;

    /// Removes a blob. For `prune` only.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    fn remove_blob(&self, blob: &Digest) -> Result<(), WorldError>;

    /// All blobs with their lengths, sorted.
    ///
    /// # Errors
    /// The state directory cannot be read.
    fn blobs(&self) -> Result<Vec<(Digest, u64)>, WorldError>;
}

/// Whether the key is made if it is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Make {
    /// It is.
    IfMissing,
    /// It is not: a plan writes nothing.
    Never,
}

/// A lock's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockName {
    /// One run a client and state directory.
    Client(String),
    /// A directory that a run may change: nobody else may, nor anything above or below it.
    Root(String),
    /// A directory above such a one.
    Above(String),
}

/// A lock that is held.
pub trait Lock: Send + Sync {
    /// Whether the locked file is still the one under its name.
    fn holds(&self) -> bool;
}

/// A journal that is being written.
pub trait Journal: Send {
    /// Appends whole lines, each with its line end, in one write.
    ///
    /// # Errors
    /// They cannot be written; then nothing of them stays.
    fn append(&mut self, lines: &[u8]) -> Result<(), WorldError>;

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// [`WorldError::Poisoned`]; nothing may be done after that.
    fn flush(&mut self) -> Result<(), WorldError>;
}

/// Bytes kept under their digest.
pub trait Blobs: Sync {
    /// Keeps all that `contents` give, durably, as one round; gives their digests in order. What is there already is compared,
    /// and written anew unless the run that wrote it ended clean.
    ///
    /// # Errors
    /// They cannot be read or written.
    fn keep(&self, contents: &mut [&mut dyn Read]) -> Result<Vec<Digest>, WorldError>;

    /// Opens a blob for reading. Its bytes are checked against its name: the reader gives an error at the end if they differ.
    ///
    /// # Errors
    /// There is none.
    fn open(&self, blob: &Digest) -> Result<Box<dyn Read + '_>, WorldError>;
}
