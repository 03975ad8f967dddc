//! The blobs that a record names: there, and with the bytes that they had.

use super::is_missing;
use super::report::Report;
use super::verdict::Verdict;
use model::digest::Digest;
use model::event::Event;
use model::named::Role;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use world::error::WorldError;
use world::store::Store;

/// The blobs that the events of a record name.
#[derive(Default)]
pub(super) struct Wanted {
    /// Whether each is a manifest.
    kept: BTreeMap<Digest, bool>,
    /// Name, blob and length.
    evidence: Vec<(String, Digest, u64)>,
}

/// How a blob is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Whole(u64),
    Altered,
    Missing,
}

impl Wanted {
    pub(super) fn add(&mut self, event: &Event) {
        for named in event.blobs() {
            match named.role {
                Role::Image | Role::List | Role::Output => drop(self.kept.entry(named.blob.clone()).or_insert(false)),
                Role::Manifest => drop(self.kept.insert(named.blob.clone(), true)),
                Role::Evidence(name, length) => self.evidence.push((name.to_owned(), named.blob.clone(), length)),
            }
        }
    }

    /// All of them.
    pub(super) fn names(&self) -> BTreeSet<Digest> {
        self.kept.keys().chain(self.evidence.iter().map(|(_, blob, _)| blob)).cloned().collect()
    }
}

/// Looks at each. `pruned` may be missing.
pub(super) fn judge(report: &mut Report, store: &dyn Store, wanted: &Wanted, pruned: &[Digest]) -> io::Result<()> {
    let pruned: BTreeSet<&Digest> = pruned.iter().collect();
    let (mut fit, mut gone, mut bad) = (0_u64, 0_u64, false);
    let mut below = BTreeSet::new();
    for (blob, is_manifest) in &wanted.kept {
        let found = if *is_manifest { manifest(store, blob, &mut below)? } else { look(store, blob)? };
        tally(report, blob, found, &pruned, &mut fit, &mut gone, &mut bad);
    }
    for blob in below.difference(&wanted.kept.keys().cloned().collect()) {
        let found = look(store, blob)?;
        tally(report, blob, found, &pruned, &mut fit, &mut gone, &mut bad);
    }
    if !bad {
        let pruned = if gone > 0 { format!(", {gone} removed by prune") } else { String::new() };
        report.good("blobs", format!("{fit} of {} match{pruned}", fit + gone));
    }
    let mut bad = false;
    for (name, blob, length) in &wanted.evidence {
        match look(store, blob)? {
            Found::Whole(found) if found == *length => {}
            Found::Whole(_) | Found::Altered => {
                bad = true;
                report.bad("evidence", Verdict::EvidenceAltered(name.clone()));
            }
            Found::Missing => {
                bad = true;
                report.bad("evidence", Verdict::EvidenceMissing(name.clone()));
            }
        }
    }
    match wanted.evidence.len() {
        0 => report.absent("evidence", "none was attached".to_owned()),
        count if !bad => report.good("evidence", format!("{count} of {count} files match")),
        _ => {}
    }
    Ok(())
}

fn tally(report: &mut Report, blob: &Digest, found: Found, pruned: &BTreeSet<&Digest>, fit: &mut u64, gone: &mut u64, bad: &mut bool) {
    match found {
        Found::Whole(_) => *fit += 1,
        Found::Missing if pruned.contains(blob) => *gone += 1,
        Found::Missing => {
            *bad = true;
            report.bad("blobs", Verdict::BlobMissing(blob.to_string()));
        }
        Found::Altered => {
            *bad = true;
            report.bad("blobs", Verdict::BlobAltered(blob.to_string()));
        }
    }
}

/// As [`look`], and adds the blobs that its lines name.
fn manifest(store: &dyn Store, blob: &Digest, below: &mut BTreeSet<Digest>) -> io::Result<Found> {
    let found = look(store, blob)?;
    if let Found::Whole(_) = found {
        below.extend(files(store, blob)?);
    }
    Ok(found)
}

/// The blobs of the files that a manifest lists.
pub(crate) fn files(store: &dyn Store, manifest: &Digest) -> io::Result<Vec<Digest>> {
    #[derive(serde::Deserialize)]
    struct Entry {
        is: String,
        sha256: Option<Digest>,
        /// Of a file that holds a secret.
        sealed: Option<Digest>,
    }
    let mut files = Vec::new();
    for line in BufReader::new(store.open(manifest).map_err(io::Error::other)?).lines() {
        if let Ok(Entry { is, sha256, sealed }) = serde_json::from_str(&line?)
            && is == "file"
        {
            files.extend(sealed.or(sha256));
        }
    }
    Ok(files)
}

fn look(store: &dyn Store, blob: &Digest) -> io::Result<Found> {
    let mut bytes = match store.open(blob) {
        Ok(bytes) => bytes,
        Err(wrong) if is_missing(&wrong) => return Ok(Found::Missing),
        Err(WorldError::Damaged(_)) => return Ok(Found::Altered),
        Err(wrong) => return Err(io::Error::other(wrong)),
    };
    let (mut sha, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 64 << 10]);
    loop {
        match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => {
                sha.update(&buffer[..count]);
                length += count as u64;
            }
            Err(wrong) if wrong.kind() == io::ErrorKind::Interrupted => {}
            // The store checks too, and says so at the end.
            Err(wrong) if wrong.kind() == io::ErrorKind::InvalidData => return Ok(Found::Altered),
            Err(wrong) => return Err(wrong),
        }
    }
    Ok(if Digest::from_sha256(sha.finalize().into()) == *blob { Found::Whole(length) } else { Found::Altered })
}
