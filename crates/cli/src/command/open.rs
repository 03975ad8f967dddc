//! Reads the documents of a command: every error at once, then what is missing is asked for.

use crate::args::Subject;
use crate::demo::Site;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::here::Here;
use crate::prompt::answers::Answers;
use crate::prompt::person::Person;
use crate::prompt::secret::Source;
use crate::report::estimate::Estimate;
use actions::BUILTIN;
use engine::input::{self, Layer, Values};
use engine::load::{Document, Kept, Loaded, Reader};
use engine::people::NoAnswer;
use engine::procedure::Procedure;
use engine::questions::Questions;
use jiff::tz::TimeZone;
use model::client::{ClientFile, ServiceManager};
use model::diagnostic::{Diagnostic, Diagnostics, Severity};
use model::plan::Plan;
use model::yaml::At;
use record::past::Past;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use world::disk_store::DiskStore;
use world::real::services::ServiceConfig;

/// Documents that were read, and what follows from them.
pub(crate) struct Opened {
    /// What is to be done.
    pub(crate) procedure: Procedure,
    /// What the client file says beside it.
    pub(crate) client: Client,
    /// The answers.
    pub(crate) answers: Option<Answers>,
}

/// What a client file says about where and how it is worked.
pub(crate) struct Client {
    /// Where secrets come from.
    pub(crate) secrets: BTreeMap<String, Source>,
    /// Who manages the services of this machine.
    pub(crate) services: ServiceConfig,
    /// Where times are shown.
    pub(crate) zone: TimeZone,
}

impl Opened {
    /// The practice site that it is for, if it is one.
    pub(crate) fn practice(&self) -> Option<Site> {
        Site::of_client(&self.procedure.values.client)
    }

    /// A plan, if the answers fit its questions; else all that is wrong with them. `operator`: who is about to begin.
    pub(crate) fn judged(&self, plan: Result<Plan, Failure>, operator: Option<&str>) -> Result<Plan, Failure> {
        let Some(answers) = &self.answers else { return plan };
        let plan = match plan {
            Err(_) if answers.found().errors() > 0 => return Err(invalid(answers.found())),
            plan => plan?,
        };
        let questions = self.procedure.questions(&BUILTIN, &plan).map_err(|wrong| Failure::from_error(Exit::Bug, "questions", &wrong))?;
        self.fit(&questions, operator).map(|()| plan)
    }

    /// Whether the answers fit these questions.
    pub(crate) fn fit(&self, questions: &Questions, operator: Option<&str>) -> Result<(), Failure> {
        let Some(answers) = &self.answers else { return Ok(()) };
        let found = answers.misfits(questions, operator);
        if found.errors() > 0 { Err(invalid(&found)) } else { Ok(()) }
    }

    /// How long a plan takes with so many steps at once, where somebody is told.
    pub(crate) fn estimate(&self, here: &Here, store: &DiskStore, plan: &Plan, jobs: u16) -> Option<Estimate> {
        if here.everywhere.json || here.everywhere.quiet {
            return None;
        }
        let course = self.procedure.course(&BUILTIN, &plan.run).ok()?;
        let past = Past::read(store, &plan.runbook.id, &plan.client, &plan.run);
        Some(Estimate::new(&past, course, plan, jobs.into()))
    }
}

/// Reads and checks a runbook with its client file, and gives its inputs their values.
pub(crate) fn open(here: &Here, runbook: &Path, subject: &Subject) -> Result<Opened, Failure> {
    let mut loaded = load(runbook, subject.client.as_deref(), subject.answers.as_deref()).map_err(|found| invalid(&found))?;
    let answers = checked(&mut loaded)?;
    let mut layers = layers(&loaded, &subject.set);
    let mut values = input::resolve(&loaded, &layers).map_err(|found| invalid(&found))?;
    if !values.missing.is_empty() {
        let asked = ask(here, &loaded, &values)?;
        layers.push(Layer { origin: "an answer".into(), open: false, values: asked });
        values = input::resolve(&loaded, &layers).map_err(|found| invalid(&found))?;
    }
    let client = client(here, loaded.client.as_ref(), &values, None)?;
    let has_files = loaded.client.iter().flat_map(|file| file.form.secrets.iter()).any(|(_, secret)| secret.file.is_some());
    let path = subject.client.as_ref().filter(|_| has_files).and_then(|path| std::path::absolute(path).ok());
    let mut procedure = Procedure::new(loaded, &values);
    procedure.client_path = path.map(|path| path.to_string_lossy().into_owned());
    Ok(Opened { procedure: guarded(procedure, &client), client, answers })
}

/// The files that secrets come from are secret too.
fn guarded(mut procedure: Procedure, client: &Client) -> Procedure {
    for source in client.secrets.values() {
        let Source::File { path, .. } = source else { continue };
        let path = std::path::absolute(path).ok().and_then(|path| model::path::normal(&path.to_string_lossy()).ok());
        procedure.sensitive.extend(path.map(|path| format!("file:{}", engine::radius::literal(&path))));
    }
    procedure
}

/// Checks documents. What is wrong in the answers alone is told later, with what only the questions can tell.
fn checked(loaded: &mut Loaded) -> Result<Option<Answers>, Failure> {
    let found = engine::check::check(loaded, &BUILTIN).diagnostics;
    let file = loaded.answers.as_ref().map(|document| document.source().name().to_owned());
    let of_answers = |one: &Diagnostic| file.is_some() && one.at.as_ref().map(|at| &at.file) == file.as_ref();
    if found.iter().any(|one| one.severity == Severity::Error && !of_answers(one)) {
        return Err(invalid(&found));
    }
    let (mut of_answers_found, mut others) = (Diagnostics::default(), Diagnostics::default());
    found.iter().for_each(|one| if of_answers(one) { of_answers_found.push(one.clone()) } else { others.push(one.clone()) });
    loaded.found = others;
    Ok(loaded.answers.take().map(|document| Answers::new(document, of_answers_found)))
}

/// The procedure that a plan embeds.
pub(crate) fn embedded(here: &Here, plan: &Plan, answers: Option<&Path>) -> Result<Opened, Failure> {
    let procedure = engine::command::embedded(plan, &BUILTIN).map_err(super::refusal)?;
    let file = |name: &str| plan.files.get(name).map(|text| text.clone().into_bytes());
    kept(here, procedure, &file, plan.client_path.as_deref(), answers)
}

/// What belongs to a procedure that is kept, with a run or in a plan. `client_path`: where its client file was.
pub(crate) fn kept(
    here: &Here,
    procedure: Procedure,
    file: &dyn Fn(&str) -> Option<Vec<u8>>,
    client_path: Option<&str>,
    answers: Option<&Path>,
) -> Result<Opened, Failure> {
    let client_file = file("client.yaml").map(|_| Path::new("client.yaml"));
    let mut reader = KeptWith { kept: Kept { file }, answers };
    let mut loaded = engine::load::load(Path::new("runbook.yaml"), client_file, answers, &BUILTIN, &mut reader).map_err(|found| invalid(&found))?;
    let answers = checked(&mut loaded)?;
    let values = input::resolve(&loaded, &[]).map_err(|found| invalid(&found))?;
    let client = client(here, loaded.client.as_ref(), &values, client_path.and_then(|path| Path::new(path).parent()))?;
    Ok(Opened { procedure: guarded(procedure, &client), client, answers })
}

/// Reads documents without checking them.
pub(crate) fn load(runbook: &Path, client: Option<&Path>, answers: Option<&Path>) -> Result<Loaded, Diagnostics> {
    engine::load::load(runbook, client, answers, &BUILTIN, &mut Disk)
}

/// All that was found in documents.
pub(crate) fn invalid(found: &Diagnostics) -> Failure {
    let errors = found.errors();
    let message = format!("{}. Nothing was touched", crate::report::layout::count(errors, "error"));
    Failure::new(Exit::Invalid, "invalid", message).findings(found.to_string()).more("diagnostics", diagnostics(found))
}

/// Findings for programs.
pub(crate) fn diagnostics(found: &Diagnostics) -> Json {
    found.iter().map(|one| json!(one)).collect()
}

/// The files of this machine.
struct Disk;

impl Reader for Disk {
    /// At most one byte more than a document may have.
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(model::yaml::MOST_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn read_partner(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        // Nothing writes into a pipe that a document names.
        if std::fs::metadata(path)?.is_file() { self.read(path) } else { Err(io::Error::other("it is no file")) }
    }

    fn read_below(&mut self, directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let (directory, real) = (directory.canonicalize()?, path.canonicalize()?);
        if !real.starts_with(directory) {
            return Err(io::Error::other("a link leads out of the directory of the file that names it"));
        }
        self.read(&real)
    }
}

/// What is kept, with answers of this machine.
struct KeptWith<'k> {
    kept: Kept<'k>,
    answers: Option<&'k Path>,
}

impl Reader for KeptWith<'_> {
    fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        if self.answers == Some(path) { Disk.read(path) } else { self.kept.read(path) }
    }

    fn read_partner(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.kept.read_partner(path)
    }

    fn read_below(&mut self, directory: &Path, path: &Path) -> io::Result<Vec<u8>> {
        self.kept.read_below(directory, path)
    }
}

/// What is given from outside: by the environment, then by `--set`.
pub(crate) fn layers(loaded: &Loaded, set: &[(String, String)]) -> Vec<Layer> {
    vec![
        Layer { origin: "the environment".into(), open: true, values: environment(loaded) },
        Layer { origin: "--set".into(), open: false, values: set.to_vec() },
    ]
}

/// `RETRACE_INPUT_NAME`, for each input that is no secret.
fn environment(loaded: &Loaded) -> Vec<(String, String)> {
    let names = loaded.runbook().form.inputs.names();
    names.filter_map(|name| Some((name.to_owned(), std::env::var(variable(name)).ok()?))).collect()
}

fn variable(input: &str) -> String {
    format!("RETRACE_INPUT_{}", input.to_uppercase())
}

fn ask(here: &Here, loaded: &Loaded, values: &Values) -> Result<Vec<(String, String)>, Failure> {
    let document = loaded.runbook();
    let missing: Vec<_> = values.missing.iter().filter_map(|name| Some((name, document.form.inputs.get(name)?))).collect();
    let Some(console) = here.console() else {
        let all = missing.iter().map(|(name, def)| format!("input `{name}` ({})", def.kind.value.word())).collect();
        return Err(Failure::missing(all).help("give them with `--set NAME=VALUE`, in the client file, or run it at a terminal"));
    };
    let person = Person { console, paper: here.err, operator: &here.operator, place: None };
    let mut given = Vec::new();
    for (name, def) in missing {
        let fits = |text: &str| input::parse_text(def, &document.tree, text).map(drop).map_err(|misfit| misfit.message);
        match person.input(name, def.about.as_deref(), def.kind.value.word(), &fits) {
            Ok(text) => given.push((name.clone(), text)),
            Err(NoAnswer::Missing(what)) => return Err(Failure::missing(what)),
            Err(NoAnswer::Stopped | NoAnswer::Otherwise(_)) => return Err(Failure::new(Exit::Stopped, "stopped", "nothing was started")),
        }
    }
    Ok(given)
}

/// `base`: where the client file was, if it is read from elsewhere.
fn client(here: &Here, file: Option<&Document<ClientFile>>, values: &Values, base: Option<&Path>) -> Result<Client, Failure> {
    let identities = here.identities()?;
    // A path in a partner file begins there.
    let dir = |node| {
        let dir = file.and_then(|file| Path::new(file.tree.source_of(node).name()).parent()).unwrap_or(Path::new(""));
        base.map_or_else(|| dir.to_owned(), |base| base.join(dir))
    };
    let source = |need: &input::SecretNeed| {
        let variable = variable(&need.name);
        let source = match &need.source {
            _ if std::env::var_os(&variable).is_some() => Source::Env(variable),
            Some(At { node, value: source }) => match (&source.file, &source.env) {
                (Some(path), _) => Source::File { path: dir(*node).join(&**path), identities: identities.clone() },
                (None, Some(name)) => Source::Env(name.to_string()),
                (None, None) => Source::Person,
            },
            None => Source::Person,
        };
        (need.name.clone(), source)
    };
    let secrets = values.secrets.iter().map(source).collect();
    let form = file.map(|file| &file.form);
    let local = form.into_iter().flat_map(|form| form.hosts.iter()).map(|(_, host)| host).find(|host| host.local);
    let services = match local.and_then(|host| host.services).map(|manager| manager.value) {
        Some(ServiceManager::Pidfile) => {
            let daemons = form.into_iter().flat_map(|form| form.daemons.iter());
            ServiceConfig::Pidfile(daemons.map(|(name, daemon)| (name.value.to_string(), daemon.clone())).collect())
        }
        Some(ServiceManager::Systemd) => ServiceConfig::Systemd,
        Some(ServiceManager::Windows) => ServiceConfig::None,
        None if cfg!(target_os = "linux") => ServiceConfig::Systemd,
        None => ServiceConfig::None,
    };
    let zone = here.zone(form.and_then(|form| form.zone.as_ref()).map(|zone| &*zone.value));
    Ok(Client { secrets, services, zone })
}
