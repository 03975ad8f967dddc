//! The seal: one small file that says where a journal ends. Whoever holds a copy of it, or a signature over it, sees when
//! lines are cut off, added or rewritten.

use crate::digest::Digest;
use crate::event::{Head, RunOutcome};
use crate::fold::Run;
use crate::id::RunId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The format of seals that this version writes.
pub const FORMAT: u32 = 1;

/// The name of a seal in the directory of its run.
pub const FILE: &str = "seal.json";

/// What `seal.json` says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Seal {
    /// 1.
    pub format: u32,
    /// The run.
    pub run: RunId,
    /// Number of lines of its journal.
    pub count: u64,
    /// SHA-256 of the last line without its line end.
    pub head: Digest,
    /// How the run ended.
    pub outcome: RunOutcome,
    /// Digests of the files of the run's directory, by name, as in the first line.
    pub files: BTreeMap<String, Digest>,
    /// The blobs that the journal names.
    pub blobs: Blobs,
    /// This client's previous record, as in the first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Head>,
}

/// The blobs that a journal names: before-images, output of programs, evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Blobs {
    /// How many different ones.
    pub count: u64,
    /// SHA-256 over their digests, sorted, each with a line end.
    pub root: Digest,
}

impl Seal {
    /// The seal of a run that has ended and whose last line has this digest; none while it goes on.
    pub fn of(run: &Run, head: &Digest) -> Option<Self> {
        Some(Self {
            format: FORMAT,
            run: run.id().clone(),
            count: run.lines(),
            head: head.clone(),
            outcome: run.ended?.outcome,
            files: run.started.files.clone(),
            blobs: Blobs::of(&run.blobs),
            previous: run.started.previous.clone(),
        })
    }

    /// As it stands in its file: one line of ASCII JSON with its line end.
    ///
    /// # Errors
    /// None is known.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        crate::json::line(self).map(|line| line + "\n")
    }

    /// From the bytes of its file.
    ///
    /// # Errors
    /// It is no seal.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

impl Blobs {
    /// Of these.
    pub fn of(blobs: &BTreeSet<Digest>) -> Self {
        let mut root = Sha256::new();
        for blob in blobs {
            root.update(blob.as_str());
            root.update("\n");
        }
        Self { count: blobs.len() as u64, root: Digest::from_sha256(root.finalize().into()) }
    }
}
