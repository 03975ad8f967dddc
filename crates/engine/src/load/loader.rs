use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use model::answers::Answers;
use model::client::ClientFile;
use model::diagnostic::{Diagnostic, Diagnostics};
use model::runbook::Runbook;
use model::step::Step;
use model::yaml::{self, At, Map, Raw, Sink, Source, Stretch};
use serde::Deserialize;

use super::document::Document;

/// How deep runbooks may run runbooks.
const MOST_DEPTH: usize = 8;
/// The action that stands for the steps of another file. The only one that the engine knows by name.
pub(crate) const RUNBOOK: &str = "runbook";

/// All documents of a check, a plan or a run.
#[derive(Debug)]
pub struct Loaded {
    /// The runbook, and after it those that it runs.
    pub files: Vec<RunbookFile>,
    /// The client file.
    pub client: Option<Document<ClientFile>>,
    /// The answers.
    pub answers: Option<Document<Answers>>,
    /// What was found while reading.
    pub found: Diagnostics,
}

/// A runbook and where its `action: runbook` steps lead.
#[derive(Debug)]
pub struct RunbookFile {
    /// The runbook.
    pub document: Document<Runbook>,
    /// By the node of a step's `action`: the index of the file in [`Loaded::files`].
    pub calls: BTreeMap<Raw, usize>,
    /// How deep runbooks lie below it.
    height: usize,
}

/// The parameters of `action: runbook`.
#[derive(Debug, Deserialize)]
pub struct RunbookCall {
    /// The file, relative to the one that names it.
    pub path: At<Box<str>>,
    /// What its inputs are.
    #[serde(default)]
    pub inputs: Map<Raw>,
}

impl Loaded {
    /// The runbook itself.
    ///
    /// # Panics
    /// Never: [`load`] gives nothing without a runbook.
    pub fn runbook(&self) -> &Document<Runbook> {
        &self.files[0].document
    }
}

/// Reads a runbook with all that it runs, and the other files that are given. `read` returns a file's bytes and may stop after
/// one byte more than [`model::yaml::MOST_BYTES`]. Findings are in [`Loaded::found`].
///
/// # Errors
/// The runbook or another given file has no structure to go on with: what was found, in all files.
pub fn load(
    runbook: &Path,
    client: Option<&Path>,
    answers: Option<&Path>,
    read: &mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
) -> Result<Loaded, Diagnostics> {
    let sink = Sink::new();
    let mut loader = Loader { read, sink: &sink, files: Vec::new(), known: BTreeMap::new(), open: Vec::new() };
    let main = loader.runbook(&plain(runbook), None);
    let client_read = client.and_then(|path| Document::parse(path, &loader.bytes(path, None)?, loader.sink));
    let answers_read = answers.and_then(|path| Document::parse(path, &loader.bytes(path, None)?, loader.sink));
    let files = closed_up(loader.files);
    let found = sink.into_diagnostics();
    if main.is_none() || client_read.is_some() != client.is_some() || answers_read.is_some() != answers.is_some() {
        return Err(found);
    }
    Ok(Loaded { files, client: client_read, answers: answers_read, found })
}

/// The files without those that could not be read; calls of these are gone already.
fn closed_up(files: Vec<Option<RunbookFile>>) -> Vec<RunbookFile> {
    let mut read = 0;
    let indices: Vec<usize> = files.iter().map(|file| (read, read += usize::from(file.is_some())).0).collect();
    let mut files: Vec<RunbookFile> = files.into_iter().flatten().collect();
    for index in files.iter_mut().flat_map(|file| file.calls.values_mut()) {
        *index = indices[*index];
    }
    files
}

struct Loader<'l> {
    read: &'l mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    sink: &'l Sink,
    /// Nothing where a file is still being read, or could not be.
    files: Vec<Option<RunbookFile>>,
    known: BTreeMap<PathBuf, usize>,
    /// The files that are being read, outermost first.
    open: Vec<usize>,
}

/// Where a file is named.
type From<'a> = (&'a Document<Runbook>, Raw);

impl Loader<'_> {
    fn bytes(&mut self, path: &Path, from: Option<From<'_>>) -> Option<Vec<u8>> {
        match (self.read)(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    io::ErrorKind::PermissionDenied => "it is not allowed".to_owned(),
                    _ => error.to_string(),
                };
                let found = Diagnostic::error("unreadable-file", format!("cannot read `{}`: {why}", path.display()));
                self.sink.report(match from {
                    Some((document, node)) => document.point(found, node),
                    None => found.at(&Source::new(path.to_string_lossy(), ""), Stretch { start: 0, end: 0 }),
                });
                None
            }
        }
    }

    fn runbook(&mut self, path: &Path, from: Option<From<'_>>) -> Option<usize> {
        let index = self.files.len();
        self.files.push(None);
        self.known.insert(path.to_owned(), index);
        let bytes = self.bytes(path, from)?;
        let document = Document::parse(path, &bytes, self.sink)?;
        self.open.push(index);
        let mut file = RunbookFile { document, calls: BTreeMap::new(), height: 0 };
        let (mut calls, mut height) = (BTreeMap::new(), 0);
        for steps in [&file.document.form.steps, &file.document.form.finally] {
            self.calls(&file.document, steps, &mut calls, &mut height);
        }
        (file.calls, file.height) = (calls, height);
        self.open.pop();
        self.files[index] = Some(file);
        Some(index)
    }

    /// Reads what the steps run. Goes no deeper than the document.
    fn calls(&mut self, document: &Document<Runbook>, steps: &[Step], calls: &mut BTreeMap<Raw, usize>, height: &mut usize) {
        for step in steps {
            for inner in [step.steps.as_deref().unwrap_or_default(), &step.finally] {
                self.calls(document, inner, calls, height);
            }
            let Some(action) = step.action.as_ref().filter(|action| &*action.value == RUNBOOK) else { continue };
            let Some(call) = yaml::read_parameters::<RunbookCall>(&document.tree, step.with, action.node, self.sink) else { continue };
            if let Some(index) = self.call(document, &call.path) {
                calls.insert(action.node, index);
                *height = (*height).max(1 + self.files[index].as_ref().map_or(0, |file| file.height));
            }
        }
    }

    fn call(&mut self, document: &Document<Runbook>, path: &At<Box<str>>) -> Option<usize> {
        let text = document.tree.text(path.node)?; // else it was reported
        let refuse = |code, message: String| {
            self.sink.report(document.point(Diagnostic::error(code, message), path.node));
            None
        };
        if text.contains("{{") {
            return refuse("template-not-here", "the path of a runbook is no template: the graph is fixed before the first step".to_owned());
        }
        let path_from_here = plain(&document.path.parent().unwrap_or(Path::new("")).join(text));
        if let Some(known) = self.known.get(&path_from_here).copied() {
            if self.open.contains(&known) {
                return refuse("recursion", format!("`{text}` runs itself"));
            }
            let height = self.files.get(known)?.as_ref()?.height;
            return if self.open.len() + height + 1 > MOST_DEPTH { refuse("too-deep", too_deep()) } else { Some(known) };
        }
        if self.open.len() >= MOST_DEPTH {
            return refuse("too-deep", too_deep());
        }
        self.runbook(&path_from_here, Some((document, path.node)))
    }
}

fn too_deep() -> String {
    format!("runbooks run runbooks more than {MOST_DEPTH} deep")
}

/// A path without `.` and with `..` taken together with what stands before it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
