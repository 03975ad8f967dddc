//! Remarks that came after the end of a run. A journal that has ended is never written again: they stand beside it.

use crate::verify::Verdict;
use jiff::Timestamp;
use model::digest::Digest;
use model::id::RunId;
use serde::{Deserialize, Serialize};
use world::error::WorldError;
use world::store::Store;

/// The name of their file in the directory of their run: one JSON object a line.
pub const FILE: &str = "notes.ndjson";

/// A remark.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Note {
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// SHA-256 of the remark before it, without its line end; of the first, that of the journal's last line at that time.
    pub prev: Digest,
    /// What it says.
    pub text: String,
}

/// The remarks beside a journal, as they lie in their file.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    bytes: Vec<u8>,
}

impl Notes {
    /// Those of a run; none if there is no such file.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn read(store: &dyn Store, run: &RunId) -> Result<Self, WorldError> {
        Ok(Self { bytes: store.file(run, FILE)?.unwrap_or_default() })
    }

    /// Adds one. `head` is the digest of the journal's last line.
    ///
    /// # Errors
    /// None is known.
    pub fn add(&mut self, at: Timestamp, by: &str, text: &str, head: &Digest) -> Result<(), serde_json::Error> {
        let prev = self.lines().last().map_or_else(|| head.clone(), Digest::of);
        let line = model::json::line(&Note { at, by: by.to_owned(), prev, text: text.to_owned() })?;
        if self.bytes.last().is_some_and(|last| *last != b'\n') {
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(line.as_bytes());
        self.bytes.push(b'\n');
        Ok(())
    }

    /// The bytes of their file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Each of them, `None` for what is no remark.
    pub fn all(&self) -> impl Iterator<Item = Option<Note>> {
        self.lines().map(|line| serde_json::from_slice(line).ok())
    }

    /// The digest that the first names as that of a line of the journal.
    pub(crate) fn begin(&self) -> Option<Digest> {
        self.all().next().flatten().map(|note| note.prev)
    }

    /// What is wrong with them. `known`: whether the journal has a line of that digest. Nothing names the last one.
    pub(crate) fn judge(&self, known: impl Fn(&Digest) -> bool) -> Option<Verdict> {
        let mut before: Option<Digest> = None;
        for (n, line) in self.lines().enumerate() {
            let Ok(note) = serde_json::from_slice::<Note>(line) else { return Some(Verdict::NoteAltered(n)) };
            match &before {
                None if !known(&note.prev) => return Some(Verdict::NotesDiffer),
                Some(before) if *before != note.prev => return Some(Verdict::NoteAltered(n - 1)),
                None | Some(_) => {}
            }
            before = Some(Digest::of(line));
        }
        None
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
    }
}
