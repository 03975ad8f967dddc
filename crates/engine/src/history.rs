//! Runs as their journals tell them.

use crate::context::Engine;
use crate::run::scribe::{Dead, Scribe};
use jiff::Timestamp;
use model::digest::Digest;
use model::event::Event;
use model::fold::Run;
use model::id::RunId;
use model::journal::{ReadError, Reader};
use world::store::Store;

/// A journal that was read.
pub struct Read {
    /// What it tells.
    pub run: Run,
    /// Number of whole lines.
    pub lines: u64,
    /// Bytes of whole lines.
    pub whole: u64,
    /// SHA-256 of what stands after them, if anything does.
    pub torn: Option<Digest>,
    /// Digest of the last whole line.
    pub head: Digest,
}

/// Reads a run's journal.
///
/// # Errors
/// There is none, or it is damaged; in words.
pub fn read(store: &dyn Store, id: &RunId) -> Result<Read, String> {
    begun(store, id)?.ok_or_else(|| format!("run `{id}` has no first line: it never began"))
}

/// Reads a run's journal; none if it has no whole first line: it was cut off before it began, and did nothing.
///
/// # Errors
/// There is none, or it is damaged; in words.
pub fn begun(store: &dyn Store, id: &RunId) -> Result<Option<Read>, String> {
    let mut reader = Reader::new(store.journal(id).map_err(|wrong| crate::plan::chain(&wrong))?);
    let mut run: Option<Run> = None;
    loop {
        let line = match reader.line() {
            Err(ReadError::Damaged { .. }) if world::planted::bug(23) => None,
            line => line.map_err(|wrong| crate::plan::chain(&wrong))?,
        };
        let Some(line) = line else { break };
        let follows = match &mut run {
            Some(run) => run.apply(&line),
            None => Run::begin(&line).map(|begun| run = Some(begun)),
        };
        follows.map_err(|wrong| format!("line {}: {wrong}", line.seq))?;
    }
    Ok(run.map(|run| Read { lines: run.lines(), whole: reader.whole(), torn: reader.torn().cloned(), head: reader.head().clone(), run }))
}

/// The latest time that the journals of a client tell, as far as they can be read.
pub(crate) fn latest(store: &dyn Store, client: &str) -> Option<Timestamp> {
    let mut latest = None;
    for id in store.runs().ok()? {
        let Ok(journal) = store.journal(&id) else { continue };
        let mut reader = Reader::new(journal);
        let Ok(Some(first)) = reader.line() else { continue };
        if !matches!(&first.event, Event::RunStarted(started) if started.client == client) {
            continue;
        }
        latest = latest.max(Some(first.at));
        while let Ok(Some(line)) = reader.line() {
            latest = latest.max(Some(line.at));
        }
    }
    latest
}

/// Writes the seal of a run that has ended.
///
/// # Errors
/// Nothing more may be done.
pub(crate) fn seal(engine: &Engine<'_>, scribe: &Scribe<'_>) -> Result<(), Dead> {
    let (head, _) = scribe.head();
    let Some(seal) = scribe.fold(|run| model::seal::Seal::of(run, &head)) else { return Ok(()) };
    let Some(seal) = seal else { return Ok(()) };
    let text = model::json::pretty(&seal).map_err(|wrong| Dead(wrong.to_string()))?;
    let put = || engine.store.put(&seal.run, "seal.json", text.as_bytes());
    let sealed = match put() {
        Err(wrong) if wrong.is_full() => engine.store.release_reserve().and_then(|()| put()),
        sealed => sealed,
    };
    sealed.map_err(|wrong| scribe.die(&crate::plan::chain(&wrong)))
}

/// What the first line names as the one before it.
pub(crate) fn zeros() -> Digest {
    Digest::from_sha256([0; 32])
}
