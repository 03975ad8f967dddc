use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use model::answers::Answers;
use model::client::ClientFile;
use model::diagnostic::{Diagnostic, Diagnostics};
use model::runbook::Runbook;
use model::step::Step;
use model::yaml::{self, At, Map, OneOf, Raw, Sink, Source, Stretch, Tree};
use serde::Deserialize;
use world::action::{Kind, Templated};

use super::document::Document;
use super::partner::Partner;
use super::reader::Reader;
use super::template::{Named, Template};

/// How deep runbooks may run runbooks.
const MOST_DEPTH: usize = 8;
/// The key of a client file whose list adds to that of the partner: what is secret for one is so for both.
const SENSITIVE: &str = "sensitive";
/// The key of a client file whose entries are taken whole: a secret comes from one place.
const SECRETS: &str = "secrets";
/// The action that stands for the steps of another file. The only one that the engine knows by name.
pub(crate) const RUNBOOK: &str = "runbook";

/// All documents of a check, a plan or a run.
#[derive(Debug)]
pub struct Loaded {
    /// The runbook, and after it those that it runs.
    pub files: Vec<RunbookFile>,
    /// The client file.
    pub client: Option<Document<ClientFile>>,
    /// The partner file that it builds on; what the client file leaves open is in its tree already.
    pub partner: Option<Partner>,
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
    /// The template files that its steps name relative to it, by what they are named.
    pub templates: BTreeMap<Box<str>, Template>,
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

    /// That a client has no value of that name, where it was looked for, and where it may be said.
    pub(crate) fn missing(&self, client: &Document<ClientFile>, name: &str) -> Diagnostic {
        let (id, file) = (&*client.form.client.value, client.source().name());
        let partner = self.partner.as_ref().map(|partner| format!("{}, ", partner.tree.source().name())).unwrap_or_default();
        Diagnostic::error("missing-value", format!("`client.{name}` has no value for client `{id}`"))
            .note(format!("looked in: runbook defaults, {partner}{file}"))
            .help(format!("add `{name}:` under `values:` in {file}"))
    }
}

/// Reads a runbook with all that it runs, the template files that these name, and the other files that are given. `kinds` are the
/// actions that there are. Findings are in [`Loaded::found`].
///
/// # Errors
/// The runbook or another given file has no structure to go on with: what was found, in all files.
pub fn load(runbook: &Path, client: Option<&Path>, answers: Option<&Path>, kinds: &[Kind], reader: &mut dyn Reader) -> Result<Loaded, Diagnostics> {
    let sink = Sink::new();
    let templated = kinds.iter().filter_map(|kind| Some((kind.name, kind.template?))).collect();
    let mut loader = Loader { reader, templated, sink: &sink, files: Vec::new(), known: BTreeMap::new(), open: Vec::new() };
    let path = plain(runbook);
    // `.` is no file, and is named as it was given.
    let main = loader.runbook(if path.as_os_str().is_empty() { runbook } else { &path }, None);
    let (client_read, partner) = client.and_then(|path| loader.client(path)).unzip();
    let answers_read = answers.and_then(|path| Document::parse(path, &loader.bytes(path, None)?, loader.sink));
    let files = closed_up(loader.files);
    let found = sink.into_diagnostics();
    if main.is_none() || client_read.is_some() != client.is_some() || answers_read.is_some() != answers.is_some() {
        return Err(found);
    }
    Ok(Loaded { files, client: client_read, partner: partner.flatten(), answers: answers_read, found })
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
    reader: &'l mut dyn Reader,
    /// The actions that have a template file.
    templated: Vec<(&'static str, Templated)>,
    sink: &'l Sink,
    /// Nothing where a file is still being read, or could not be.
    files: Vec<Option<RunbookFile>>,
    known: BTreeMap<PathBuf, usize>,
    /// The files that are being read, outermost first.
    open: Vec<usize>,
}

/// Where a file is named.
type From<'a> = (&'a Tree, Raw);

impl Loader<'_> {
    fn bytes(&mut self, path: &Path, from: Option<From<'_>>) -> Option<Vec<u8>> {
        let read = self.reader.read(path);
        self.report(path, read, from)
    }

    /// What was read, if it could be.
    fn report(&self, path: &Path, read: io::Result<Vec<u8>>, from: Option<From<'_>>) -> Option<Vec<u8>> {
        match read {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let why = match error.kind() {
                    io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
                    io::ErrorKind::PermissionDenied => "it is not allowed".to_owned(),
                    _ => error.to_string(),
                };
                let found = Diagnostic::error("unreadable-file", format!("cannot read `{}`: {why}", path.display()));
                self.sink.report(match from {
                    Some((tree, node)) => tree.point(found, node),
                    None => found.at(&Source::new(path.to_string_lossy(), ""), Stretch { start: 0, end: 0 }),
                });
                None
            }
        }
    }

    /// A client file, laid over the partner file that it names.
    fn client(&mut self, path: &Path) -> Option<(Document<ClientFile>, Option<Partner>)> {
        let bytes = self.bytes(path, None)?;
        let tree = yaml::parse(&path.to_string_lossy(), &bytes, self.sink)?;
        let extends = tree.get(tree.root(), "extends").and_then(|node| Some((node, tree.text(node)?)));
        let Some((node, named)) = extends else { return Some((Document::read(path, &bytes, tree, self.sink)?, None)) };
        let partner = plain(&path.parent().unwrap_or(Path::new("")).join(named));
        let read = self.reader.read_partner(&partner);
        let partner = Partner::parse(&partner, &self.report(&partner, read, Some((&tree, node)))?, self.sink)?;
        let laid = tree.over(&partner.tree, &[SENSITIVE], &[SECRETS]);
        Some((Document::read(path, &bytes, laid, self.sink)?, Some(partner)))
    }

    fn runbook(&mut self, path: &Path, from: Option<From<'_>>) -> Option<usize> {
        let index = self.files.len();
        self.files.push(None);
        self.known.insert(path.to_owned(), index);
        let bytes = self.bytes(path, from)?;
        let document = Document::parse(path, &bytes, self.sink)?;
        self.open.push(index);
        let mut file = RunbookFile { document, calls: BTreeMap::new(), templates: BTreeMap::new(), height: 0 };
        let (mut calls, mut height) = (BTreeMap::new(), 0);
        for steps in [&file.document.form.steps, &file.document.form.finally] {
            self.calls(&file.document, steps, &mut calls, &mut height);
        }
        (file.calls, file.height) = (calls, height);
        file.templates = self.templates(&file.document);
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
            let Some(call) = yaml::read_parameters::<RunbookCall>(&document.tree, step.with, action.node, &yaml::Foresight::new(), self.sink) else {
                continue;
            };
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
        self.runbook(&path_from_here, Some((&document.tree, path.node)))
    }

    /// Reads the template files that the steps of a document name from its directory.
    fn templates(&mut self, document: &Document<Runbook>) -> BTreeMap<Box<str>, Template> {
        let mut found = BTreeMap::new();
        let mut steps: Vec<&Step> = document.form.steps.iter().chain(&document.form.finally).collect();
        while let Some(step) = steps.pop() {
            steps.extend(step.steps.iter().flatten().chain(&step.finally));
            let undo = match step.undo.as_deref().map(|at| &at.value) {
                Some(OneOf::Map(undo)) => Some((&undo.action, undo.with)),
                _ => None,
            };
            for (action, with) in step.action.as_ref().map(|action| (action, step.with)).into_iter().chain(undo) {
                let templated = self.templated.iter().find(|(name, _)| *name == &*action.value);
                let node = templated.and_then(|(_, templated)| document.tree.get(with?, templated.file));
                let Some((node, name)) = node.and_then(|node| Some((node, document.tree.text(node)?))) else { continue };
                if !found.contains_key(name)
                    && let Some(template) = self.template(document, node, name)
                {
                    found.insert(name.into(), template);
                }
            }
        }
        found
    }

    fn template(&mut self, document: &Document<Runbook>, node: Raw, name: &str) -> Option<Template> {
        let below = match Named::parse(name) {
            Named::Below(below) => below,
            Named::Absolute => return None,
            Named::Wrong(wrong) => {
                self.sink.report(document.point(Diagnostic::error("wrong-template-path", wrong), node));
                return None;
            }
        };
        let directory = document.path.parent().unwrap_or(Path::new(""));
        let path = directory.join(below);
        let read = self.reader.read_below(directory, &path);
        let bytes = self.report(&path, read, Some((&document.tree, node)))?;
        let text = String::from_utf8(bytes).map_err(|wrong| {
            let valid = wrong.utf8_error().valid_up_to();
            let source = Source::new(path.to_string_lossy(), String::from_utf8_lossy(wrong.as_bytes()));
            let place = Stretch { start: valid as u32, end: valid as u32 };
            let found = Diagnostic::error("not-utf-8", "from here on the file is not UTF-8").at(&source, place).help("save it as UTF-8");
            self.sink.report(document.tree.note_at(found, "it is named here", node));
        });
        let text = text.ok()?;
        Some(Template { source: Source::new(path.to_string_lossy(), text).into(), path })
    }
}

fn too_deep() -> String {
    format!("runbooks run runbooks more than {MOST_DEPTH} deep")
}

/// A path without `.` and with `..` taken together with what stands before it.
pub(super) fn plain(path: &Path) -> PathBuf {
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
