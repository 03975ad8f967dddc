//! `file.manifest`

use crate::access::{Access, file_or_absent, fresh_mode};
use crate::param::Place;
use crate::put::put;
use model::digest::Digest;
use model::id::StepId;
use model::path;
use model::state::{Content, FileState, State};
use model::value::{May, Value, unknown};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::sync::Arc;
use world::act::Source;
use world::action::{Action, ActionError, Class};
use world::error::WorldError;
use world::manifest::{Kind, Line};
use world::proposal::Proposal;
use world::view::View;
use zeroize::Zeroizing;

/// Writes down the SHA-256 of every file of a directory, as `sha256sum` does: in the directory, `sha256sum -c FILE` checks it
/// again. Two such lists are compared with `assert.file` and `same_as`. Links are not followed and not listed. The list is made
/// when the step runs; undo leaves it, unless `undo: auto`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileManifest {
    /// The directory.
    pub root: Place,
    /// The file that becomes the list. Within the directory it is not listed itself.
    pub to: Place,
    /// What is left out: patterns relative to the directory, such as `logs/**`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether missing directories above `to` are made.
    #[serde(default)]
    pub create_dirs: bool,
}

/// What is in the list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Listed {
    /// SHA-256 of the list, in lower-case hex.
    pub sha256: String,
    /// Number of files in it.
    pub files: u64,
    /// Sum of their lengths in bytes.
    pub bytes: u64,
    /// The files that are not in it because they hold a secret: of a short one a digest would give it away.
    pub left_out: Vec<String>,
}

const OUTPUTS: [&str; 4] = ["sha256", "files", "bytes", "left_out"];

impl Action for FileManifest {
    const KIND: &'static str = "file.manifest";
    const ABOUT: &'static str = "Lists the files of a directory with their SHA-256, for `sha256sum -c`";
    const CLASS: Class = Class::Set;
    type Outputs = Listed;

    fn propose(&self, view: &dyn View) -> Result<Proposal, ActionError> {
        if self.to == self.root {
            return Err(ActionError::Invalid(format!("`root` and `to` are both `{}`", self.root)));
        }
        let before = file_or_absent(view, &self.to)?;
        let mut meta = Access::UNSAID.meta(view, &self.to, &before, fresh_mode(false))?;
        let (content, source, proposal) = match self.list(view)? {
            May::Unknown { until } => {
                let outputs = OUTPUTS.into_iter().fold(Proposal::unchanged(), |proposal, name| proposal.output(name, unknown(&until)));
                (Content::Unknown { until }, Source::Nothing, outputs)
            }
            May::Known(list) => {
                let sha256 = Digest::of(&list.text);
                let outputs = Proposal::unchanged()
                    .output("sha256", sha256.as_str())
                    .output("files", list.files)
                    .output("bytes", list.bytes)
                    .output("left_out", Value::Sequence(list.left_out));
                let length = list.text.len() as u64;
                (Content::Plain { sha256, length }, Source::Bytes(Arc::new(Zeroizing::new(list.text))), outputs)
            }
        };
        if !matches!(&before, State::File(file) if file.content == content) {
            meta.modified = None;
        }
        let after = State::File(FileState { content, meta });
        put(view, proposal, &self.to, (before, after), source, self.create_dirs)
    }
}

/// The list as it is being made.
#[derive(Default)]
struct List {
    text: Vec<u8>,
    files: u64,
    bytes: u64,
    left_out: Vec<Value>,
}

impl FileManifest {
    fn list(&self, view: &dyn View) -> Result<May<List>, ActionError> {
        match view.state(&self.root.resource())? {
            State::Dir(_) | State::Tree(_) => {}
            State::Unknown { until } => return Ok(May::Unknown { until }),
            State::Absent => return Err(ActionError::Invalid(format!("`{}` is not there", self.root))),
            State::File(_) => return Err(ActionError::Invalid(format!("`{}` is a file: name its directory", self.root))),
            other => return Err(ActionError::Invalid(format!("`{}` is {other}, no directory", self.root))),
        }
        let planning: Option<StepId> = match view.at_run() {
            May::Unknown { until } => Some(until),
            May::Known(()) => None,
        };
        if let Some(until) = planning {
            // Its files are not read for a plan, but it is seen that the directory can be.
            return match view.list(&self.root) {
                Ok(_) => Ok(May::Unknown { until }),
                Err(WorldError::Unknown { until }) => Ok(May::Unknown { until }),
                Err(wrong) => Err(wrong.into()),
            };
        }
        let mut list = List::default();
        let mut lines = Lines { partial: Vec::new(), each: &mut |line| self.add(view, &mut list, &line) };
        view.tree(&self.root.resource(), &self.exclude, &mut lines)?;
        Ok(May::Known(list))
    }

    fn add(&self, view: &dyn View, list: &mut List, line: &Line) {
        if line.is != Kind::File {
            return;
        }
        let place = if path::is_windows(&self.root) { line.path.replace('/', "\\") } else { line.path.clone() };
        let place = path::join(&self.root, &place);
        if place == *self.to {
            return;
        }
        if view.sensitive(&place) {
            list.left_out.push(Value::from(place));
            return;
        }
        // Of what is secret there is none.
        let Some(sha256) = &line.sha256 else { return };
        list.files += 1;
        list.bytes += line.length.unwrap_or(0);
        let name = bytes(&line.path);
        // As `sha256sum` writes it: what would break the line is told by a backslash, and that by one before the digest.
        if name.iter().any(|byte| matches!(byte, b'\\' | b'\n')) {
            list.text.push(b'\\');
        }
        list.text.extend_from_slice(sha256.as_str().as_bytes());
        list.text.extend_from_slice(b"  ");
        for byte in name {
            match byte {
                b'\\' => list.text.extend_from_slice(b"\\\\"),
                b'\n' => list.text.extend_from_slice(b"\\n"),
                byte => list.text.push(byte),
            }
        }
        list.text.push(b'\n');
    }
}

/// The bytes of a path of a manifest, in which those that are no Unicode stand as U+0000 and two hex digits.
fn bytes(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('\0') {
        bytes.extend_from_slice(before.as_bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => rest = after,
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Reads a manifest while it is written: of a large directory it is never in memory as a whole.
struct Lines<'e> {
    partial: Vec<u8>,
    each: &'e mut dyn FnMut(Line),
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line = serde_json::from_slice(&self.partial[..end])?;
            self.partial.drain(..=end);
            (self.each)(line);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
