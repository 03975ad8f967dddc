//! Whether a record is whole: its chain of lines, its seal, the files and blobs that it names, the run before
//! it, and the remarks beside it.
//!
//! Without a signature this shows accidents and clumsy hands: whoever can rewrite the journal can rewrite the seal. A copy of the
//! seal's `head` held elsewhere shows the rest.

mod blobs;
mod chain;
mod fault;
mod line;
mod report;
mod verdict;

pub(crate) use blobs::files as files_of_manifest;
pub use report::{Mark, Report, Row};
pub use verdict::Verdict;

use crate::notes::Notes;
use chain::Chain;
use model::digest::Digest;
use model::event::{Event, RunStarted};
use model::id::RunId;
use model::journal::Reader;
use model::seal::{self, Seal};
use std::io;
use world::error::WorldError;
use world::store::Store;

/// Why a record cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no such run, and no other names it.
    #[error("there is no run `{0}`")]
    NoSuchRun(RunId),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] WorldError),
    /// The journal, or a blob, cannot be read to its end.
    #[error("cannot read the record of `{run}`")]
    Read {
        /// The run.
        run: RunId,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The name of the file in a run's directory that says which of its blobs `prune` has removed: one digest a line.
pub const PRUNED: &str = "pruned";

/// Judges the record of a run.
///
/// # Errors
/// It cannot be judged: see [`VerifyError`].
pub fn verify(store: &dyn Store, run: &RunId) -> Result<Report, VerifyError> {
    let unread = |source| VerifyError::Read { run: run.clone(), source };
    let later = named_by_others(store, run)?;
    let mut report = Report::new(run.clone());
    let journal = match store.journal(run) {
        Ok(journal) => journal,
        Err(wrong) if is_missing(&wrong) && later.is_empty() => return Err(VerifyError::NoSuchRun(run.clone())),
        Err(wrong) if is_missing(&wrong) => {
            report.bad("chain", Verdict::RunMissing(run.clone()));
            return Ok(report);
        }
        Err(wrong) => return Err(wrong.into()),
    };
    let bytes = store.file(run, seal::FILE)?;
    let seal = bytes.as_deref().map(|bytes| Seal::read(bytes).ok());
    let own = seal.as_ref().and_then(Option::as_ref).filter(|seal| seal.run == *run && seal.format == seal::FORMAT);
    let notes = Notes::read(store, run)?;
    let begin = notes.begin();
    let heads: Vec<&Digest> = later.iter().map(|(_, head)| head).chain(&begin).collect();
    let chain = chain::check(journal, run, own, &heads).map_err(unread)?;

    judge_chain(&mut report, &chain, own.is_some());
    if chain.fault.is_some() {
        return Ok(report);
    }
    let Some(first) = &chain.first else {
        report.bad("events", chain.misplaced.clone().unwrap_or(Verdict::EventUnknown(0)));
        return Ok(report);
    };
    judge_seal(&mut report, &chain, seal.as_ref().map(Option::as_ref), first);
    if let Some(misplaced) = chain.misplaced.as_ref().filter(|_| !report.is_bad()) {
        report.bad("events", misplaced.clone());
    }
    report.absent("signature", "not signed: whoever could rewrite the journal could rewrite the seal".to_owned());
    judge_files(&mut report, store, first)?;
    let pruned = pruned(store, run)?;
    blobs::judge(&mut report, store, &chain.wanted, &pruned).map_err(unread)?;
    judge_neighbours(&mut report, store, first, &chain, &later)?;
    judge_notes(&mut report, &notes, &chain);
    Ok(report)
}

fn judge_chain(report: &mut Report, chain: &Chain, sealed: bool) {
    if let Some(fault) = &chain.fault {
        report.bad("chain", fault.clone());
    } else if chain.ended.is_some() || (sealed && !chain.resumed) {
        report.good("chain", format!("{} events, none missing, none altered", chain.lines));
    } else {
        let torn = if chain.torn { "; after it bytes of a line that was cut off" } else { "" };
        report.open("chain", format!("{} events, none missing, none altered; the run has not ended{torn}", chain.lines));
    }
}

/// `seal`: none is there, one is there that is none, or the seal.
fn judge_seal(report: &mut Report, chain: &Chain, seal: Option<Option<&Seal>>, first: &RunStarted) {
    let verdict = match seal {
        None if chain.ended.is_none() => return report.absent("seal", "a run that has not ended has none".to_owned()),
        None => return report.unsealed(),
        Some(None) => Verdict::SealDiffers,
        Some(Some(seal)) if seal.format != seal::FORMAT => Verdict::FormatUnsupported,
        Some(Some(seal)) if seal.run != report.run => Verdict::SealOfOtherRun(seal.run.clone()),
        Some(Some(seal)) if chain.resumed && chain.at_seal.as_ref() == Some(&seal.head) => {
            return report.open("seal", format!("it was sealed after {} events, and resumed since", seal.count));
        }
        Some(Some(seal)) => {
            let (there, last) = (chain.at_seal.as_ref() == Some(&seal.head), chain.head == seal.head);
            if chain.lines < seal.count {
                if last { Verdict::SealDiffers } else { Verdict::ShorterThanSealed { lines: chain.lines, sealed: seal.count } }
            } else if chain.lines > seal.count {
                if there { Verdict::LongerThanSealed { lines: chain.lines, sealed: seal.count } } else { Verdict::SealDiffers }
            } else if !last {
                Verdict::HeadDiffers
            } else if chain.ended.map(|(outcome, _)| outcome) != Some(seal.outcome)
                || seal.files != first.files
                || seal.previous != first.previous
                || seal.blobs != seal::Blobs::of(&chain.wanted.names())
            {
                Verdict::SealDiffers
            } else {
                let at = chain.ended.and_then(|(_, at)| at).map(|at| format!(", {}", at.strftime("%F %T%:z"))).unwrap_or_default();
                return report.good("seal", format!("closing record names event {}{at}", chain.lines - 1));
            }
        }
    };
    report.bad("seal", verdict);
}

fn judge_files(report: &mut Report, store: &dyn Store, first: &RunStarted) -> Result<(), VerifyError> {
    let mut fit = true;
    for (name, digest) in &first.files {
        let found = match store.file(&report.run, name) {
            // A name that leads out of the run's directory.
            Err(WorldError::Refused { .. }) => None,
            found => found?.map(|bytes| Digest::of(&bytes)),
        };
        if found.as_ref() != Some(digest) {
            fit = false;
            let name = name.clone();
            report.bad("files", if found.is_some() { Verdict::FileDiffers(name) } else { Verdict::FileMissing(name) });
        }
    }
    if fit {
        report.good("files", format!("{0} of {0} files match", first.files.len()));
    }
    Ok(())
}

fn judge_neighbours(report: &mut Report, store: &dyn Store, first: &RunStarted, chain: &Chain, later: &[(RunId, Digest)]) -> Result<(), VerifyError> {
    match &first.previous {
        None => report.absent("previous", "this client has no earlier record here".to_owned()),
        Some(previous) => match store.journal(&previous.run) {
            Ok(_) => report.good("previous", format!("{} is there", previous.run)),
            Err(wrong) if is_missing(&wrong) => report.bad("previous", Verdict::RunMissing(previous.run.clone())),
            Err(wrong) => return Err(wrong.into()),
        },
    }
    if let Some((run, _)) = later.iter().find(|(_, head)| !chain.found.contains(head)) {
        report.bad("next", Verdict::RegisterBehind(run.clone()));
    }
    Ok(())
}

fn judge_notes(report: &mut Report, notes: &Notes, chain: &Chain) {
    match (notes.judge(|prev| chain.found.contains(prev)), notes.all().count()) {
        (Some(wrong), _) => report.bad("notes", wrong),
        (None, 0) => {}
        (None, count) => report.good("notes", format!("{count} after the end, chained to it")),
    }
}

/// The other runs that name this one as their client's previous record, with the end of it that they saw.
fn named_by_others(store: &dyn Store, run: &RunId) -> Result<Vec<(RunId, Digest)>, VerifyError> {
    let mut heads = Vec::new();
    for other in store.runs()? {
        if other == *run {
            continue;
        }
        // A journal that is broken is its own matter.
        if let Ok(journal) = store.journal(&other)
            && let Ok(Some(line)) = Reader::new(journal).line()
            && let Event::RunStarted(started) = line.event
            && let Some(previous) = started.previous
            && previous.run == *run
        {
            heads.push((other, previous.head));
        }
    }
    Ok(heads)
}

fn pruned(store: &dyn Store, run: &RunId) -> Result<Vec<Digest>, VerifyError> {
    let text = store.file(run, PRUNED)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).lines().filter_map(Digest::parse).collect())
}

pub(crate) fn is_missing(wrong: &WorldError) -> bool {
    matches!(wrong, WorldError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}
