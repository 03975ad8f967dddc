//! A runbook for a client, read and checked: all that a plan, a run or an undo needs to know of the files.

use crate::context::Engine;
use crate::course::Course;
use crate::graph::{BuildError, Graph, Material, Values};
use crate::input;
use crate::load::{CLIENT_FILE, Document, Kept, Loaded, PARTNER_FILE, RUNBOOK_FILE, RunbookFile, kept_as, load};
use crate::questions::{self, Questions};
use crate::radius::{Radius, literal};
use crate::run::images::Keeper;
use crate::secrets::Secrets;
use crate::sensitive::Sensitive;
use crate::session::Session;
use crate::template::{Found, Scope, Segment, Text};
use crate::values::Plain;
use crate::windows::Windows;
use model::diagnostic::{Diagnostic, Diagnostics, Severity};
use model::id::RunId;
use model::plan::Plan;
use model::value::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Component, Path};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use world::action::Kind;

/// A runbook for a client.
pub struct Procedure {
    /// The runbook, then those that it uses.
    pub documents: Vec<Arc<RunbookFile>>,
    /// The client's id; `local` without a client file.
    pub client: String,
    /// `inputs` and `client`; `vars` are worked out with the name of the run. Secret inputs as markers.
    pub values: Values,
    /// The names of the secret inputs.
    pub secrets: Vec<String>,
    /// Steps that this client skips.
    pub skip: HashSet<String>,
    /// Timeouts of this client.
    pub timeouts: HashMap<String, Duration>,
    /// Whether the operator may not confirm what somebody else has to.
    pub four_eyes: bool,
    /// When this client lets the point of no return be passed.
    pub windows: Windows,
    /// The age recipients of sealed images: people and the client's own.
    pub recipients: Vec<String>,
    /// Resources that are declared sensitive, as patterns.
    pub sensitive: Vec<String>,
    /// The files it was read from, as they are kept with a run: `runbook.yaml`, `client.yaml`, `partner.yaml`, `files/...`.
    pub files: BTreeMap<String, String>,
    /// Where the client file was, absolute, if whoever reads secrets has to know.
    pub client_path: Option<String>,
    /// What was given with `--set`.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Worth knowing.
    pub warnings: Vec<String>,
    /// The graph for the run that was asked after first: who plans a run, estimates it, asks its questions and runs it needs the same.
    graph: OnceLock<(RunId, Arc<Graph>)>,
}

/// A procedure for a run of that name.
pub(crate) struct Bound<'p> {
    pub(crate) procedure: &'p Procedure,
    pub(crate) run: RunId,
    pub(crate) graph: Arc<Graph>,
    pub(crate) radius: Radius,
    sensitive: Vec<String>,
}

/// Why a procedure cannot be bound to a run: of what, and why.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The graph cannot be made.
    #[error(transparent)]
    Graph(#[from] BuildError),
    /// A variable cannot be worked out.
    #[error("{0}")]
    Var(String),
    /// A pattern of `touches` or `sensitive` is none.
    #[error("`{pattern}`: {reason}")]
    Pattern {
        /// Which.
        pattern: String,
        /// Why.
        reason: String,
    },
}

impl Procedure {
    /// From what was read and resolved.
    pub fn new(loaded: Loaded, values: &input::Values) -> Self {
        let map = |mapping: &serde_yaml::Mapping| {
            mapping.iter().filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value.clone()))).collect::<BTreeMap<_, _>>()
        };
        let inputs = map(&values.inputs);
        let plain = inputs.iter().filter(|(_, value)| !matches!(value, Value::Tagged(_)));
        let set = plain.map(|(name, value)| (name.clone(), model::value::to_json(value))).collect();
        let client = loaded.client.as_ref().map(|document| &document.form);
        let main = &loaded.files[0].document;
        let entry = client.and_then(|client| client.runbooks.get(&main.form.runbook.value));
        let mut sensitive: Vec<String> = main.form.sensitive.iter().map(|at| at.value.to_string()).collect();
        sensitive.extend(client.into_iter().flat_map(|client| &client.sensitive).map(|at| at.value.to_string()));
        let mut recipients: Vec<String> = client
            .into_iter()
            .flat_map(|client| client.people.iter())
            .filter_map(|(_, person)| Some(person.age.as_ref()?.value.to_string()))
            .collect();
        recipients.extend(client.and_then(|client| client.recovery.as_ref()).map(|at| at.value.to_string()));
        let mut files = BTreeMap::from([(RUNBOOK_FILE.to_owned(), text_of(main))]);
        if let Some(document) = &loaded.client {
            files.insert(CLIENT_FILE.to_owned(), text_of(document));
        }
        if let Some(partner) = &loaded.partner {
            files.insert(PARTNER_FILE.to_owned(), partner.tree.source().text().to_string());
        }
        let from = main.path.parent().unwrap_or(Path::new("")).to_owned();
        for file in &loaded.files[1..] {
            files.insert(relative(&from, &file.document.path), text_of(&file.document));
        }
        for template in loaded.files.iter().flat_map(|file| file.templates.values()) {
            files.insert(relative(&from, &template.path), template.source.text().to_string());
        }
        Self {
            client: client.map_or("local", |client| &client.client.value).to_owned(),
            values: Values { inputs, client: map(&values.client), vars: BTreeMap::new() },
            secrets: values.secrets.iter().map(|need| need.name.clone()).collect(),
            skip: entry.into_iter().flat_map(|entry| &entry.skip).map(|at| at.value.to_string()).collect(),
            timeouts: entry
                .into_iter()
                .flat_map(|entry| entry.timeouts.iter())
                .map(|(id, span)| (id.value.to_string(), span.value.duration()))
                .collect(),
            four_eyes: client.and_then(|client| client.policy.as_ref()).is_some_and(|policy| policy.four_eyes),
            windows: client.map(Windows::of).unwrap_or_default(),
            recipients,
            sensitive,
            files,
            client_path: None,
            set,
            warnings: loaded.found.iter().filter(|found| found.severity == Severity::Warning).map(in_a_line).collect(),
            documents: loaded.files.into_iter().map(Arc::new).collect(),
            graph: OnceLock::new(),
        }
    }

    /// From what is kept with a run, or embedded in a plan: `file` gives a kept file by its name, `inputs` are those of then.
    ///
    /// # Errors
    /// What is kept does not pass the check any more.
    pub fn kept(kinds: &[Kind], file: &dyn Fn(&str) -> Option<Vec<u8>>, inputs: &BTreeMap<String, serde_json::Value>) -> Result<Self, Diagnostics> {
        let client = file(CLIENT_FILE).map(|_| Path::new(CLIENT_FILE));
        let loaded = load(Path::new(RUNBOOK_FILE), client, None, kinds, &mut Kept { file })?;
        let found = crate::check::check(&loaded, kinds).diagnostics;
        if found.errors() > 0 {
            return Err(found);
        }
        let values = input::resolve(&loaded, &[])?;
        let mut procedure = Self::new(loaded, &values);
        for (name, value) in inputs {
            procedure.values.inputs.insert(name.clone(), model::value::from_json(value));
        }
        procedure.set = inputs.clone();
        Ok(procedure)
    }

    /// The directories below which a run of that name may set files; none if it is not said.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn roots(&self, run: &RunId) -> Result<Vec<String>, BindError> {
        Ok(self.radius(&self.values_of(run)?, run, false)?.roots())
    }

    /// The graph for Graphviz.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn dot(&self, kinds: &[Kind], run: &RunId) -> Result<String, BindError> {
        Ok(self.bind_with(kinds, run, false)?.graph.dot(&self.documents[0].document.form.runbook.value))
    }

    /// The way through the graph of a run of that name, for whoever adds up times.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn course(&self, kinds: &[Kind], run: &RunId) -> Result<Course, BindError> {
        Ok(Course::of(&self.bind_with(kinds, run, false)?.graph))
    }

    /// What people will be asked in a run of that plan, whichever way they decide.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn questions(&self, kinds: &[Kind], plan: &Plan) -> Result<Questions, BindError> {
        let graph = self.bind_with(kinds, &plan.run, false)?.graph;
        let asked = questions::asked(&graph, plan).into_iter().chain(questions::otherwise(&graph, plan)).collect();
        Ok(Questions::new(&graph, kinds, asked))
    }

    /// Makes the graph and everything else that depends on the name of the run.
    ///
    /// # Errors
    /// See [`BindError`].
    pub(crate) fn bind(&self, engine: &Engine<'_>, run: &RunId) -> Result<Bound<'_>, BindError> {
        self.bind_with(engine.kinds, run, engine.world.folds_case())
    }

    fn bind_with(&self, kinds: &[Kind], run: &RunId, folds: bool) -> Result<Bound<'_>, BindError> {
        let values = self.values_of(run)?;
        let radius = self.radius(&values, run, folds)?;
        let graph = match self.graph.get().filter(|(of, _)| of == run) {
            Some((_, graph)) => Arc::clone(graph),
            None => {
                let (documents, skip, timeouts) = (self.documents.clone(), self.skip.clone(), self.timeouts.clone());
                let graph = Arc::new(Graph::build(&Material { documents, values: Arc::new(values), kinds, skip, timeouts })?);
                let _ = self.graph.set((run.clone(), Arc::clone(&graph)));
                graph
            }
        };
        Sensitive::new(&self.sensitive, folds, None).map_err(|wrong| no_pattern(&wrong))?;
        Ok(Bound { procedure: self, run: run.clone(), graph, radius, sensitive: self.sensitive.clone() })
    }

    fn values_of(&self, run: &RunId) -> Result<Values, BindError> {
        let mut values = self.values.clone();
        crate::values::vars(&self.documents[0], &mut values, run.as_str()).map_err(BindError::Var)?;
        Ok(values)
    }

    fn radius(&self, values: &Values, run: &RunId, folds: bool) -> Result<Radius, BindError> {
        let document = &self.documents[0];
        let names = Plain { values, run: Some(run.as_str()) };
        let touches = match &document.document.form.touches {
            None => None,
            Some(list) => {
                let mut patterns = Vec::new();
                for raw in list {
                    patterns.extend(pattern(document, *raw, &names)?);
                }
                Some(patterns)
            }
        };
        Radius::new(touches, folds).map_err(|wrong| no_pattern(&wrong))
    }
}

fn no_pattern(wrong: &globset::Error) -> BindError {
    BindError::Pattern { pattern: wrong.glob().unwrap_or_default().to_owned(), reason: wrong.kind().to_string() }
}

impl Bound<'_> {
    /// A fresh memory.
    pub(crate) fn session<'a>(&'a self, engine: Engine<'a>, secrets: &'a Secrets, key: Option<[u8; 32]>) -> Session<'a> {
        let sensitive = Sensitive::new(&self.sensitive, engine.world.folds_case(), key).unwrap_or_default();
        Session::new(engine, &self.graph, self.run.clone(), secrets, sensitive, self.procedure)
    }

    /// What keeps before-images, for these identities.
    pub(crate) fn keeper(&self, identities: &[String]) -> Result<Keeper, String> {
        Keeper::new(&self.procedure.recipients, identities)
    }
}

/// A pattern of `touches`: what is placed inside is literal, the entries of a list that is placed whole are patterns.
fn pattern(document: &RunbookFile, raw: model::yaml::Raw, names: &Plain<'_>) -> Result<Vec<String>, BindError> {
    let Some(source) = document.document.tree.text(raw) else { return Ok(Vec::new()) };
    let wrong = |reason: String| BindError::Pattern { pattern: source.to_owned(), reason };
    let text = Text::parse(source).map_err(|e| wrong(e.message))?;
    if text.is_lone() {
        return match text.render(names).map_err(|e| wrong(e.message))? {
            Value::String(one) => Ok(vec![literal(&one)]),
            Value::Sequence(items) => {
                items.into_iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong("an entry is no text".into()))).collect()
            }
            _ => Err(wrong("it is neither text nor a list".into())),
        };
    }
    match text.render(&Literal(names)).map_err(|e| wrong(e.message))? {
        Value::String(one) => Ok(vec![one]),
        _ => Err(wrong("it is no text".into())),
    }
}

/// Names whose text is literal inside a pattern.
struct Literal<'n, 'v>(&'n Plain<'v>);

impl Scope for Literal<'_, '_> {
    fn lookup(&self, name: &[Segment]) -> Found {
        match self.0.lookup(name) {
            Found::Value(Value::String(text)) => Found::Value(literal(&text).into()),
            found => found,
        }
    }
}

/// A finding as it stands in a plan: in a line, and the same from wherever the plan is made.
fn in_a_line(found: &Diagnostic) -> String {
    let file = |file: &str| Path::new(file).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = found.at.as_ref().map(|at| format!("{}:{}:{}: ", file(&at.file), at.line, at.column)).unwrap_or_default();
    let help = found.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{place}{}{help}", found.message)
}

fn text_of<T>(document: &Document<T>) -> String {
    String::from_utf8_lossy(&document.bytes()).into_owned()
}

/// The name under which a file is kept, from the directory of the runbook.
fn relative(from: &Path, path: &Path) -> String {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), path.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    kept_as(std::iter::repeat_n(Component::ParentDir, from.len() - shared).chain(to[shared..].iter().copied()))
}
