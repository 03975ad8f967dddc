//! A machine and a state directory in memory, and everything an engine is given, so that a test states only what matters.

use crate::baton::Baton;
use engine::command::{self, Options, Refusal, UndoOptions};
use engine::context::{Clock, Engine, Sink, Stop, Turns};
use engine::people::{Answer, Choice, Given, NoAnswer, People, Question};
use engine::procedure::Procedure;
use engine::run::Ending;
use engine::undo::Agreed;
use engine::{check, input, load};
use jiff::Timestamp;
use model::effect::{Ask, Form};
use model::event::{Line, Scope};
use model::id::{RunId, StepId};
use model::plan::Plan;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use world::act::Act;
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::store::Store;
use zeroize::Zeroizing;

/// Everything that an engine is given, over a world and a store of the test's own.
pub struct Lab {
    /// Time.
    pub clock: Arc<Ticks>,
    /// Whoever answers.
    pub people: Answers,
    /// What was told.
    pub told: Told,
    /// A wish to stop.
    pub stop: Stop,
    /// Whose turn it is, if threads are to take turns.
    pub turns: Option<Arc<Baton>>,
    seed: AtomicU64,
    files: BTreeMap<PathBuf, String>,
    /// The runbook is read once, however often it runs.
    procedure: Arc<OnceLock<Result<Procedure, String>>>,
    /// How many steps at once.
    pub jobs: usize,
    /// age identities.
    pub identities: Vec<String>,
}

/// A clock that stands still but for a tick at every look, and does not wait.
#[derive(Default)]
pub struct Ticks(AtomicU64, AtomicI64);

impl Ticks {
    /// Somebody sets the wall clock, by so many seconds.
    pub fn set(&self, by: i64) {
        self.1.fetch_add(by * 1000, Ordering::SeqCst);
    }

    /// Time passes.
    pub fn pass(&self, long: Duration) {
        self.0.fetch_add(u64::try_from(long.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let ticks = i64::try_from(self.0.fetch_add(1, Ordering::SeqCst)).unwrap_or(0) + self.1.load(Ordering::SeqCst);
        Timestamp::from_millisecond(1_772_913_600_000 + ticks).unwrap_or(Timestamp::UNIX_EPOCH)
    }
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.fetch_add(1, Ordering::SeqCst))
    }
    fn wait(&self, long: Duration, _: &Stop) {
        self.pass(long);
    }
}

/// Answers by step, in the shape of an answers file; choices in order; secrets by input.
#[derive(Default)]
pub struct Answers {
    /// By step: fields and their values.
    pub given: BTreeMap<String, serde_json::Value>,
    /// What is chosen, first to last.
    pub choices: Mutex<Vec<String>>,
    /// Every choice that was offered.
    pub offered: Mutex<Vec<Choice>>,
    /// Secrets by input.
    pub secrets: BTreeMap<String, String>,
}

impl People for Answers {
    fn ready(&self, questions: &[(StepId, Ask, Vec<engine::people::EvidenceWanted>)]) -> Result<(), Vec<String>> {
        let missing: Vec<String> = questions
            .iter()
            .filter(|(step, ask, _)| !self.given.contains_key(step.as_str()) && !matches!(ask.form, Form::Step { .. } | Form::Confirm { .. }))
            .map(|(step, _, _)| format!("`{step}`"))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    }
    fn ask(&self, question: &Question<'_>) -> Result<Answer, NoAnswer> {
        let given = self.given.get(question.step.as_str()).cloned().unwrap_or(serde_json::json!({}));
        if given == serde_json::json!("nobody") {
            return Err(NoAnswer::Missing(vec![question.step.to_string()]));
        }
        let secret = |name: &str| match &question.ask.form {
            Form::Fields { fields, .. } => fields.iter().any(|f| f.name == name && f.kind == model::effect::FieldType::Secret),
            _ => false,
        };
        let given = match given {
            serde_json::Value::Object(map) => map
                .into_iter()
                .map(|(name, value)| {
                    let value = match value.as_str() {
                        Some(text) if secret(&name) => Given::Secret(Zeroizing::new(text.as_bytes().to_vec())),
                        _ => Given::Plain(value),
                    };
                    (name, value)
                })
                .collect(),
            other => BTreeMap::from([("choice".to_owned(), Given::Plain(other))]),
        };
        Ok(Answer { by: "pat".into(), given, evidence: BTreeMap::new() })
    }
    fn choose(&self, choice: &Choice) -> Result<String, NoAnswer> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner).push(choice.clone());
        let mut choices = self.choices.lock().unwrap_or_else(PoisonError::into_inner);
        if choices.is_empty() { Err(NoAnswer::Missing(vec![choice.about.clone()])) } else { Ok(choices.remove(0)) }
    }
    fn secret(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let value = self.secrets.get(name).ok_or_else(|| NoAnswer::Missing(vec![format!("the secret `{name}`")]))?;
        Ok(Zeroizing::new(value.as_bytes().to_vec()))
    }
}

/// Everything that was told.
#[derive(Default)]
pub struct Told {
    /// The lines of all journals, in order.
    pub lines: Mutex<Vec<Line>>,
    /// How far long copies had come: step, bytes written, bytes in all.
    pub progress: Mutex<Vec<(StepId, u64, u64)>>,
}

impl Sink for Told {
    fn line(&self, line: &Line) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
    }
    fn say(&self, _: &str) {}
    fn progress(&self, step: &StepId, written: u64, total: u64) {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).push((step.clone(), written, total));
    }
}

impl Lab {
    /// With a runbook, and a client file if there is one.
    pub fn new(runbook: &str, client: Option<&str>) -> Self {
        let mut files = BTreeMap::from([(PathBuf::from("runbook.yaml"), runbook.to_owned())]);
        files.extend(client.map(|client| (PathBuf::from("client.yaml"), client.to_owned())));
        Self {
            clock: Arc::default(),
            people: Answers::default(),
            told: Told::default(),
            stop: Stop::default(),
            turns: None,
            seed: AtomicU64::new(1),
            files,
            procedure: Arc::default(),
            jobs: 1,
            identities: Vec::new(),
        }
    }

    /// Another one for the same runbook, which is not read again.
    #[must_use]
    pub fn again(&self) -> Self {
        let procedure = Arc::clone(&self.procedure);
        Self { procedure, files: self.files.clone(), ..Self::new("", None) }
    }

    /// These choices are made from now on.
    pub fn chosen(&self, choices: &[&str]) {
        *self.people.choices.lock().unwrap_or_else(PoisonError::into_inner) = choices.iter().map(|choice| (*choice).to_owned()).collect();
    }

    /// The same with another file beside the runbook.
    #[must_use]
    pub fn with_file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(path.into(), text.to_owned());
        self
    }

    /// Does something with an engine.
    pub fn engine<T>(&self, world: &dyn Act, store: &dyn Store, work: impl FnOnce(Engine<'_>) -> T) -> T {
        let random = |bytes: &mut [u8]| {
            for byte in bytes {
                // A linear congruential generator: the same names in every run of a test.
                let next = self.seed.load(Ordering::SeqCst).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                self.seed.store(next, Ordering::SeqCst);
                *byte = (next >> 56) as u8;
            }
        };
        work(Engine {
            kinds: &actions::BUILTIN,
            world,
            store,
            clock: &*self.clock,
            random: &random,
            people: &self.people,
            sink: &self.told,
            stop: &self.stop,
            turns: self.turns.as_deref().map(|baton| baton as &dyn Turns),
            operator: "pat",
            host: "lab",
            tool: "retrace test",
        })
    }

    /// The runbook, checked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn procedure(&self) -> Result<&Procedure, String> {
        self.procedure.get_or_init(|| self.checked()).as_ref().map_err(Clone::clone)
    }

    fn checked(&self) -> Result<Procedure, String> {
        let mut read = |path: &Path| self.files.get(path).map(|text| text.clone().into_bytes()).ok_or_else(|| std::io::ErrorKind::NotFound.into());
        let client = self.files.contains_key(Path::new("client.yaml")).then(|| Path::new("client.yaml"));
        let loaded = load::load(Path::new("runbook.yaml"), client, None, &actions::BUILTIN, &mut read).map_err(|found| found.to_string())?;
        let found = check::check(&loaded, &actions::BUILTIN).diagnostics;
        if found.errors() > 0 {
            return Err(found.to_string());
        }
        let values = input::resolve(&loaded, &[]).map_err(|found| found.to_string())?;
        Ok(Procedure::new(loaded, &values))
    }

    /// The plan for a run of that name.
    ///
    /// # Errors
    /// Why there is none.
    pub fn plan(&self, world: &dyn Act, store: &dyn Store, run: &str) -> Result<Plan, String> {
        let procedure = self.procedure()?;
        self.engine(world, store, |engine| command::plan(engine, procedure, &id(run), true)).map_err(|refusal| format!("{refusal:?}"))
    }

    /// Plans and runs.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn run(&self, world: &dyn Act, store: &dyn Store, run: &str) -> Result<Ending, Refusal> {
        let procedure = self.procedure().map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
        self.engine(world, store, |engine| {
            let plan = command::plan(engine, procedure, &id(run), true)?;
            command::run(engine, procedure, &plan, &self.options())
        })
    }

    /// Runs what was planned before.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn run_plan(&self, world: &dyn Act, store: &dyn Store, plan: &Plan) -> Result<Ending, Refusal> {
        let procedure = self.procedure().map_err(|wrong| Refusal::Invalid(vec![wrong]))?;
        self.engine(world, store, |engine| command::run(engine, procedure, plan, &self.options()))
    }

    /// Goes on with a run, from what is kept with it.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn resume(&self, world: &dyn Act, store: &dyn Store, run: &str) -> Result<Ending, Refusal> {
        let procedure = kept(store, run)?;
        self.engine(world, store, |engine| command::resume(engine, &procedure, &id(run), &self.options()))
    }

    /// Takes a run back, from what is kept with it.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn undo(&self, world: &dyn Act, store: &dyn Store, run: &str) -> Result<Ending, Refusal> {
        self.undo_with(world, store, run, &UndoOptions { scope: Scope::All, agreed: Agreed::default(), past_no_return: false })
    }

    /// Takes a run back as told.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn undo_with(&self, world: &dyn Act, store: &dyn Store, run: &str, wanted: &UndoOptions) -> Result<Ending, Refusal> {
        let procedure = kept(store, run)?;
        self.engine(world, store, |engine| command::undo(engine, &procedure, &id(run), wanted, &self.options()))
    }

    /// What an undo would do.
    ///
    /// # Errors
    /// Why there is no plan of it.
    pub fn undo_plan(&self, world: &dyn Act, store: &dyn Store, run: &str) -> Result<Plan, Refusal> {
        let procedure = kept(store, run)?;
        let wanted = UndoOptions { scope: Scope::All, agreed: Agreed::default(), past_no_return: false };
        self.engine(world, store, |engine| command::undo_plan(engine, &procedure, &id(run), &wanted, &self.identities))
    }

    fn options(&self) -> Options {
        Options { jobs: self.jobs, identities: self.identities.clone() }
    }
}

fn kept(store: &dyn Store, run: &str) -> Result<Procedure, Refusal> {
    command::kept(store, &actions::BUILTIN, &id(run))
}

fn id(run: &str) -> RunId {
    RunId::parse(run).unwrap_or_else(|| unreachable!("a test names its runs well"))
}

/// A machine in memory with some files, and an empty store.
pub fn machine(files: &[(&str, &str)]) -> (Memory, MemoryStore) {
    let memory = Memory::new()
        .program("/bin/true", |_, _, _| (model::program::End::Code(0), Vec::new(), Vec::new()))
        .program("/bin/false", |_, _, _| (model::program::End::Code(1), Vec::new(), b"no\n".to_vec()));
    for (path, text) in files {
        memory.machine().write(path, *text);
    }
    (memory, MemoryStore::new())
}
