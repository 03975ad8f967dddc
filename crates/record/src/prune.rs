//! Which blobs no undo needs any more. Journals, evidence and the output of programs are never removed.

use crate::read::{Record, RecordError, load};
use crate::standing::standing;
use crate::verify::{PRUNED, files_of_manifest};
use jiff::{SignedDuration, Timestamp};
use model::digest::Digest;
use model::fold::{EffectFold, EffectStatus};
use model::id::RunId;
use model::named::Role;
use model::state::Bytes;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use world::error::WorldError;
use world::store::Store;

/// Which runs shall stay such that they can be taken back. Neither: all that can be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Keep {
    /// Only the newest so many of each client.
    pub newest: Option<usize>,
    /// Only those that ended less than this ago.
    pub within: Option<SignedDuration>,
}

/// What would be removed. Its text says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Pruning {
    /// 1.
    pub format: u32,
    /// The runs that can no longer be taken back, or are already, and what is removed of each.
    pub runs: Vec<PrunedRun>,
    /// Blobs that no run names.
    pub leftovers: BTreeMap<Digest, u64>,
    /// Whether leftovers stay because a run has not ended.
    pub leftovers_stay: bool,
    /// How many runs can still be taken back.
    pub needed: usize,
}

/// What is removed of one run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PrunedRun {
    /// The run.
    pub run: RunId,
    /// Why nothing of it is needed.
    pub because: Because,
    /// Its blobs with their lengths.
    pub blobs: BTreeMap<Digest, u64>,
}

/// Why no undo needs the blobs of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// All it changed is taken back, or it changed nothing.
    NothingStands,
    /// It is old; it can then not be taken back.
    Old,
    /// There are enough newer ones; it can then not be taken back.
    NewerOnes,
}

/// Why it cannot be told what is needed.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] WorldError),
    /// A record cannot be read: what it needs is not known, so nothing is removed.
    #[error("what is needed is not known, so nothing is removed")]
    Record(#[from] RecordError),
    /// A list of files cannot be read.
    #[error("the list of files `{0}` cannot be read, so nothing is removed")]
    Manifest(Digest),
}

/// Works out what can be removed. Removes nothing.
///
/// # Errors
/// A record cannot be read.
pub fn prune(store: &dyn Store, keep: Keep, now: Timestamp) -> Result<Pruning, PruneError> {
    let all = store.runs()?;
    let there: BTreeMap<Digest, u64> = store.blobs()?.into_iter().collect();
    let mut records = all.iter().map(|run| load(store, run)).collect::<Result<Vec<Record>, _>>()?;
    records.sort_by_key(|record| std::cmp::Reverse((record.run.began, record.run.id().clone())));

    let (mut needed, mut named, mut prunable) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let (mut of_client, mut needed_runs, mut open) = (BTreeMap::<String, usize>::new(), 0, false);
    for record in &records {
        let run = &record.run;
        let mine = images(store, record, &there)?;
        named.extend(run.blobs.iter().chain(&mine).cloned());
        needed.extend(run.effects.iter().flat_map(said).cloned());
        // An undo belongs to the run that it undoes: it is no run of the client's that others could push out.
        let place = of_client.entry(run.started.client.clone()).or_default();
        *place += usize::from(run.started.undo_of.is_none());
        let stands = standing(store, record, &all)?;
        let ended = run.ended.map(|ended| ended.at);
        open |= ended.is_none();
        let because = match ended {
            None => None,
            Some(_) if stands.is_empty() => Some(Because::NothingStands),
            Some(at) if keep.within.is_some_and(|within| now.duration_since(at) > within) => Some(Because::Old),
            Some(_) if keep.newest.is_some_and(|newest| *place > newest) => Some(Because::NewerOnes),
            Some(_) => None,
        };
        match because {
            None => {
                needed_runs += 1;
                needed.extend(run.blobs.iter().cloned());
                // All of it, so that what is taken back in part and given back can be taken back again.
                needed.extend(mine);
            }
            Some(because) => prunable.push((run.id().clone(), because, mine)),
        }
    }
    let mut gone = BTreeSet::new();
    let mut runs: Vec<PrunedRun> = Vec::new();
    for (run, because, mine) in prunable {
        let free = mine.into_iter().filter(|blob| !needed.contains(blob));
        let blobs: BTreeMap<Digest, u64> = free.filter_map(|blob| there.get(&blob).map(|length| (blob, *length))).collect();
        gone.extend(blobs.keys().cloned());
        if !blobs.is_empty() {
            runs.push(PrunedRun { run, because, blobs });
        }
    }
    let leftovers = there.into_iter().filter(|(blob, _)| !named.contains(blob) && !needed.contains(blob) && !gone.contains(blob));
    // A run that goes on keeps blobs before it names them.
    let leftovers = if open { BTreeMap::new() } else { leftovers.collect() };
    Ok(Pruning { format: 1, runs, leftovers, leftovers_stay: open, needed: needed_runs })
}

/// Removes what was worked out. First each run's directory says what is missing from then on.
///
/// # Errors
/// Something cannot be written or removed; what was removed until then stays removed.
pub fn remove(store: &dyn Store, pruning: &Pruning) -> Result<(), WorldError> {
    for run in &pruning.runs {
        let mut text = String::from_utf8_lossy(&store.file(&run.run, PRUNED)?.unwrap_or_default()).into_owned();
        for blob in run.blobs.keys() {
            text.push_str(blob.as_str());
            text.push('\n');
        }
        store.put(&run.run, PRUNED, text.as_bytes())?;
    }
    let blobs: BTreeSet<&Digest> = pruning.runs.iter().flat_map(|run| run.blobs.keys()).chain(pruning.leftovers.keys()).collect();
    blobs.into_iter().try_for_each(|blob| store.remove_blob(blob))
}

/// The before-images of a run, trees with all their files.
fn images(store: &dyn Store, record: &Record, there: &BTreeMap<Digest, u64>) -> Result<BTreeSet<Digest>, PruneError> {
    let mut images = BTreeSet::new();
    for effect in &record.run.effects {
        for (blob, role) in effect_blobs(effect) {
            match role {
                Role::Image => drop(images.insert(blob.clone())),
                Role::Manifest => images.extend(tree(store, blob, there)?),
                Role::List | Role::Output | Role::Evidence(..) => {}
            }
        }
    }
    Ok(images)
}

fn tree(store: &dyn Store, manifest: &Digest, there: &BTreeMap<Digest, u64>) -> Result<Vec<Digest>, PruneError> {
    let mut blobs = vec![manifest.clone()];
    // Removed by an earlier pruning, with its files.
    if there.contains_key(manifest) {
        blobs.extend(files_of_manifest(store, manifest).map_err(|_| PruneError::Manifest(manifest.clone()))?);
    }
    Ok(blobs)
}

/// What a program wrote and what people attached: part of what happened.
fn said(effect: &EffectFold) -> Vec<&Digest> {
    match &effect.status {
        EffectStatus::Applied { exit: Some(exit), .. } => [&exit.stdout, &exit.stderr].into_iter().flatten().map(|out| &out.blob).collect(),
        EffectStatus::Answered { evidence, .. } => evidence.values().map(|evidence| &evidence.blob).collect(),
        EffectStatus::Applied { exit: None, .. } | EffectStatus::Intended | EffectStatus::Asked | EffectStatus::NotHappened => Vec::new(),
    }
}

fn effect_blobs(effect: &EffectFold) -> impl Iterator<Item = (&Digest, Role<'_>)> {
    effect.images.iter().map(|image| (&image.blob, model::named::role(&effect.effect, image)))
}

impl Pruning {
    /// How many blobs, and how many bytes.
    pub fn total(&self) -> (usize, u64) {
        let blobs: BTreeMap<&Digest, &u64> = self.runs.iter().flat_map(|run| &run.blobs).chain(&self.leftovers).collect();
        (blobs.len(), blobs.values().copied().sum())
    }
}

impl fmt::Display for Pruning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, bytes) = self.total();
        if count == 0 {
            f.write_str("Nothing can be removed")?;
        } else {
            write!(f, "{count} blobs, {}, are needed by no undo:", Bytes(bytes))?;
        }
        for run in &self.runs {
            let because = match run.because {
                Because::NothingStands => "nothing of it stands",
                Because::Old => "old; cannot be taken back then",
                Because::NewerOnes => "there are newer ones; cannot be taken back then",
            };
            let bytes = Bytes(run.blobs.values().sum());
            write!(f, "\n  {}   {} blobs, {bytes}   {because}", run.run, run.blobs.len())?;
        }
        if !self.leftovers.is_empty() {
            write!(f, "\n  no run   {} blobs, {}   named nowhere", self.leftovers.len(), Bytes(self.leftovers.values().sum()))?;
        }
        write!(f, "{}Journals, evidence, output of programs and what {} runs need stay.", if count == 0 { ". " } else { "\n" }, self.needed)
    }
}
