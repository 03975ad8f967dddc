//! The list of everything in a directory, one JSON object a line.

use crate::error::WorldError;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use model::digest::Digest;
use model::state::{Content, FileState, Meta, State, TreeState};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

/// One line of a manifest. The first is the directory itself, with an empty path.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Relative to the directory, parts separated by `/`. Bytes that are not Unicode as U+0000 and two hex digits each.
    pub path: String,
    /// What it is.
    pub is: Kind,
    /// Of a file: SHA-256 of its bytes. None in an imagined world, where it may not be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Digest>,
    /// Of a file that holds a secret, in place of the SHA-256: the keyed one. Only in what is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<Digest>,
    /// Of a file that holds a secret: the blob in which it is kept sealed. Only in what is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Digest>,
    /// Of a file: number of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Of a link: what it says. It is written down and never followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Permission bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// Owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Extended attributes and access lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub extra: BTreeMap<String, String>,
    /// Time of the last write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
}

/// What a line of a manifest is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A fifo, a device, a mount: listed, and a reason not to set the tree.
    Foreign,
}

/// How [`State::Foreign`] words begin for a symbolic link.
pub(crate) const LINK: &str = "link to ";

impl Line {
    /// The line for a state of something in a directory; none for what is not there or not known.
    pub(crate) fn of(path: &str, state: &State) -> Option<Self> {
        let blank = |is, meta: &Meta| Self {
            path: path.to_owned(),
            is,
            sha256: None,
            hmac: None,
            sealed: None,
            length: None,
            to: None,
            mode: meta.mode,
            owner: meta.owner.clone(),
            group: meta.group.clone(),
            extra: meta.extra.clone(),
            modified: meta.modified,
        };
        match state {
            State::File(file) => Some(match &file.content {
                Content::Plain { sha256, length } => Self { sha256: Some(sha256.clone()), length: Some(*length), ..blank(Kind::File, &file.meta) },
                Content::Keyed { .. } | Content::Hidden | Content::Unknown { .. } => blank(Kind::File, &file.meta),
            }),
            State::Dir(meta) => Some(blank(Kind::Dir, meta)),
            State::Foreign { what } => Some(match what.strip_prefix(LINK) {
                Some(to) => Self { to: Some(to.to_owned()), ..blank(Kind::Link, &Meta::default()) },
                None => blank(Kind::Foreign, &Meta::default()),
            }),
            State::Absent | State::Tree(_) | State::Service(_) | State::Unknown { .. } => None,
        }
    }

    /// What it carries beside its bytes.
    pub fn meta(&self) -> Meta {
        Meta { mode: self.mode, owner: self.owner.clone(), group: self.group.clone(), extra: self.extra.clone(), modified: self.modified }
    }

    /// The state that it describes, if that is a file's.
    pub fn file(&self) -> Option<FileState> {
        let content = Content::Plain { sha256: self.sha256.clone()?, length: self.length? };
        (self.is == Kind::File).then(|| FileState { content, meta: self.meta() })
    }
}

/// The state of the tree that these lines list, and the manifest itself.
///
/// # Errors
/// A line cannot be written.
pub fn write(lines: impl IntoIterator<Item = Line>) -> Result<(TreeState, Vec<u8>), WorldError> {
    let mut manifest = Vec::new();
    let mut writer = Writer::new(&mut manifest);
    lines.into_iter().try_for_each(|line| writer.write(&line))?;
    let state = writer.finish();
    Ok((state, manifest))
}

/// Reads a manifest line by line.
///
/// # Errors
/// Each line that cannot be read, or is none.
pub fn read(from: impl BufRead) -> impl Iterator<Item = Result<Line, WorldError>> {
    from.lines().map(|line| {
        let line = line.map_err(|e| WorldError::io("read", "manifest", e))?;
        serde_json::from_str(&line).map_err(|e| WorldError::io("read", "manifest", e.into()))
    })
}

/// Writes a manifest and sums it up.
pub(crate) struct Writer<'w> {
    to: &'w mut dyn Write,
    whole: Sha256,
    content: Sha256,
    files: u64,
    bytes: u64,
    complete: bool,
}

impl<'w> Writer<'w> {
    pub(crate) fn new(to: &'w mut dyn Write) -> Self {
        Self { to, whole: Sha256::new(), content: Sha256::new(), files: 0, bytes: 0, complete: true }
    }

    pub(crate) fn write(&mut self, line: &Line) -> Result<(), WorldError> {
        let text = model::json::line(line).map_err(|e| WorldError::io("write", "manifest", e.into()))? + "\n";
        self.to.write_all(text.as_bytes()).map_err(|e| WorldError::io("write", "manifest", e))?;
        self.whole.update(text.as_bytes());
        let timeless = Line { modified: None, ..line.clone() };
        let text = model::json::line(&timeless).map_err(|e| WorldError::io("write", "manifest", e.into()))? + "\n";
        self.content.update(text.as_bytes());
        if line.is == Kind::File {
            self.files += 1;
            self.bytes += line.length.unwrap_or(0);
            self.complete &= line.sha256.is_some();
        }
        Ok(())
    }

    /// The state of the tree. In an imagined world, where bytes may be unknown, it may have no digests.
    pub(crate) fn finish(self) -> TreeState {
        let digest = |sha: Sha256| self.complete.then(|| Digest::from_sha256(sha.finalize().into()));
        TreeState { manifest: digest(self.whole), content: digest(self.content), files: self.files, bytes: self.bytes, secret: false }
    }
}

/// The globs of an `exclude`, relative to the directory; `*` does not cross a `/`.
///
/// # Errors
/// One is no glob.
pub fn globs(exclude: &[String]) -> Result<GlobSet, WorldError> {
    let mut set = GlobSetBuilder::new();
    for pattern in exclude {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        set.add(glob.map_err(|e| WorldError::Refused { name: pattern.clone(), reason: e.kind().to_string() })?);
    }
    set.build().map_err(|e| WorldError::Refused { name: exclude.join(" "), reason: e.kind().to_string() })
}

/// Whether a relative path, or a directory above it, is excluded.
pub(crate) fn is_excluded(exclude: &GlobSet, relative: &str) -> bool {
    !relative.is_empty() && std::iter::successors(Some(relative), |path| path.rfind('/').map(|end| &path[..end])).any(|path| exclude.is_match(path))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly")]
mod tests {
    use super::*;

    #[test]
    fn the_content_digest_does_not_know_times() {
        let line = |seconds| {
            let meta = Meta { mode: Some(0o644), modified: Some(Timestamp::from_second(seconds).unwrap()), ..Meta::default() };
            Line::of("a", &State::file(Digest::of(b"x"), 1, meta)).unwrap()
        };
        let sum = |seconds| {
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes);
            writer.write(&line(seconds)).unwrap();
            let tree = writer.finish();
            assert_eq!(read(&bytes[..]).next().unwrap().unwrap(), line(seconds));
            assert_eq!(tree.manifest.clone().unwrap(), Digest::of(&bytes));
            tree
        };
        assert_ne!(sum(1).manifest, sum(2).manifest);
        assert_eq!(sum(1).content, sum(2).content);
    }
}
