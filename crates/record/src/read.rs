//! Reading a run from the store.

use model::digest::Digest;
use model::fold::{IllegalEvent, Run};
use model::id::RunId;
use model::journal::{ReadError, Reader};
use world::error::WorldError;
use world::store::Store;

/// A run as its journal tells it.
#[derive(Clone, Debug)]
pub struct Record {
    /// What is known of it.
    pub run: Run,
    /// Digest of its last whole line.
    pub head: Digest,
    /// How many bytes its whole lines take.
    pub whole: u64,
    /// SHA-256 of the bytes after its last whole line, if there are any.
    pub torn: Option<Digest>,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("run `{run}`")]
pub struct RecordError {
    /// Of which run.
    pub run: RunId,
    /// Why.
    #[source]
    pub cause: RecordCause,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordCause {
    /// The store cannot give it.
    #[error(transparent)]
    Store(#[from] WorldError),
    /// A line is broken.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A line does not follow.
    #[error(transparent)]
    Fold(#[from] IllegalEvent),
    /// It has no line yet.
    #[error("its journal is empty")]
    Empty,
}

/// Reads a run whole.
///
/// # Errors
/// There is no such run, its journal is damaged, or its events do not follow each other.
pub fn load(store: &dyn Store, run: &RunId) -> Result<Record, RecordError> {
    read(store, run).map_err(|cause| RecordError { run: run.clone(), cause })
}

fn read(store: &dyn Store, id: &RunId) -> Result<Record, RecordCause> {
    let mut reader = Reader::new(store.journal(id)?);
    let mut run = Run::begin(&reader.line()?.ok_or(RecordCause::Empty)?)?;
    while let Some(line) = reader.line()? {
        run.apply(&line)?;
    }
    Ok(Record { run, head: reader.head().clone(), whole: reader.whole(), torn: reader.torn().cloned() })
}
