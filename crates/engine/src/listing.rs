//! What a directory holds, as the engine may know and keep it: which files in it hold secrets, and of these no digest that
//! could be guessed from.

use crate::sensitive::Sensitive;
use globset::GlobSet;
use model::digest::Digest;
use model::path::{join, name};
use model::resource::Resource;
use model::state::{State, TreeState};
use sha2::{Digest as _, Sha256};
use std::io::{self, Write};
use world::error::WorldError;
use world::look::{EntryKind, Look};
use world::manifest::{self, Kind, Line};

/// [`Look::tree`] of a directory that tells whether it holds secrets. What is written to `list` may be kept. `named`: under which
/// name it is judged, for a directory that lies beside its place.
pub(crate) fn tree(
    sensitive: &Sensitive,
    look: &dyn Look,
    (at, named): (&Resource, &Resource),
    exclude: &[String],
    list: &mut dyn Write,
) -> Result<State, WorldError> {
    if !sensitive.any() {
        return look.tree(at, exclude, list);
    }
    let mut masking = Masking::new(sensitive, named, list);
    let state = look.tree(at, exclude, &mut masking)?;
    Ok(masking.finish(state))
}

/// A tree that was listed already, and its list as it may be kept.
pub(crate) fn masked(sensitive: &Sensitive, dir: &Resource, state: State, listed: Vec<u8>) -> (State, Vec<u8>) {
    if !sensitive.any() {
        return (state, listed);
    }
    let mut list = Vec::new();
    let mut masking = Masking::new(sensitive, dir, &mut list);
    match masking.write_all(&listed) {
        Ok(()) => (masking.finish(state), list),
        // It is no list: nothing in it can be told.
        Err(_) => (State::Foreign { what: "a directory".to_owned() }, Vec::new()),
    }
}

/// A file in a directory, by the path of its line in a manifest.
pub(crate) fn inside(dir: &Resource, relative: &str) -> Resource {
    Resource::file(&relative.split('/').filter(|part| !part.is_empty()).fold(dir.name.to_string(), |path, part| join(&path, part)))
}

/// What a copy of these sources in `to` will hold of secrets: how many files, and how long they are. They are known from then on.
pub(crate) fn copied(
    sensitive: &Sensitive,
    look: &dyn Look,
    sources: &[String],
    exclude: &[String],
    to: &Resource,
) -> Result<(u64, u64), WorldError> {
    let exclude = manifest::globs(exclude)?;
    let (mut files, mut bytes) = (0, 0);
    for source in sources {
        let copy = inside(to, name(source).unwrap_or_default());
        let mut see = |relative: &str, length: u64| {
            let (from, to) = (inside(&Resource::file(source), relative), inside(&copy, relative));
            if sensitive.holds(&from) && !sensitive.holds(&to) {
                sensitive.add(&to);
            }
            if sensitive.holds(&to) {
                (files, bytes) = (files + 1, bytes + length);
            }
        };
        match look.state(&Resource::file(source))? {
            State::Dir(_) | State::Tree(_) => each_file(look, source, &exclude, &mut see)?,
            State::File(_) => see("", 0),
            _ => {}
        }
    }
    Ok((files, bytes))
}

/// Every file in a directory: its path in it and its length.
fn each_file(look: &dyn Look, dir: &str, exclude: &GlobSet, see: &mut dyn FnMut(&str, u64)) -> Result<(), WorldError> {
    let mut open = vec![(dir.to_owned(), String::new())];
    while let Some((directory, below)) = open.pop() {
        for entry in look.list(&directory)? {
            let relative = if below.is_empty() { entry.name.clone() } else { format!("{below}/{}", entry.name) };
            match entry.kind {
                _ if exclude.is_match(&relative) => {}
                EntryKind::File => see(&relative, entry.length),
                EntryKind::Dir => open.push((join(&directory, &entry.name), relative)),
                EntryKind::Foreign => {}
            }
        }
    }
    Ok(())
}

/// Passes a manifest on, of files that hold secrets with keyed digests.
struct Masking<'l> {
    sensitive: &'l Sensitive,
    dir: &'l Resource,
    to: &'l mut dyn Write,
    /// A line that has not come whole yet.
    rest: Vec<u8>,
    passed_on: Sha256,
    secret: bool,
    /// Of the files that hold no secrets.
    bytes: u64,
}

impl<'l> Masking<'l> {
    fn new(sensitive: &'l Sensitive, dir: &'l Resource, to: &'l mut dyn Write) -> Self {
        Self { sensitive, dir, to, rest: Vec::new(), passed_on: Sha256::new(), secret: false, bytes: 0 }
    }

    fn line(&mut self, text: &[u8]) -> io::Result<()> {
        let line: Line = serde_json::from_slice(text)?;
        if line.is == Kind::File && self.sensitive.holds(&inside(self.dir, &line.path)) {
            self.secret = true;
            return self.pass_on((model::json::line(&hidden(self.sensitive, line))? + "\n").as_bytes());
        }
        self.bytes += line.length.unwrap_or(0);
        self.pass_on(text)
    }

    fn pass_on(&mut self, text: &[u8]) -> io::Result<()> {
        self.passed_on.update(text);
        self.to.write_all(text)
    }

    /// The state of the tree: with the digest of what was passed on.
    fn finish(self, state: State) -> State {
        match state {
            State::Tree(tree) if self.secret => {
                let passed_on = Digest::from_sha256(self.passed_on.finalize().into());
                State::Tree(TreeState { manifest: tree.manifest.map(|_| passed_on), bytes: self.bytes, secret: true, ..tree })
            }
            state => state,
        }
    }
}

impl Write for Masking<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whole lists come as one, of many thousand lines.
        let mut left = bytes;
        while let Some(end) = left.iter().position(|byte| *byte == b'\n') {
            let (line, after) = left.split_at(end + 1);
            self.rest.extend_from_slice(line);
            let line = std::mem::take(&mut self.rest);
            self.line(&line)?;
            left = after;
        }
        self.rest.extend_from_slice(left);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The line of a file that holds a secret: by a keyed digest, and not how long it is.
pub(crate) fn hidden(sensitive: &Sensitive, line: Line) -> Line {
    Line { hmac: line.sha256.as_ref().and_then(|sha256| sensitive.keyed(sha256)), sha256: None, length: None, ..line }
}
