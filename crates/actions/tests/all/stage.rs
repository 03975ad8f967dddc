//! A view for tests: a world in memory, and what the engine would know of the run.

use actions::BUILTIN;
use jiff::Timestamp;
use model::digest::Digest;
use model::effect::{Change, Effect};
use model::id::StepId;
use model::program::Program;
use model::resource::Resource;
use model::state::{FileState, Meta, State};
use model::value::{May, SecretText, Text, Value};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use world::act::{Act, Setting};
use world::action::ActionError;
use world::earlier::Earlier;
use world::error::WorldError;
use world::look::{Endpoint, Entry, Look, Output, Process, Reply};
use world::memory::Memory;
use world::memory_store::MemoryStore;
use world::proposal::{Out, Proposal, Verdict};
use world::view::View;
use world::window::Hours;
use zeroize::Zeroizing;

/// What a step sees.
pub(crate) struct Stage<'w> {
    pub(crate) look: &'w dyn Look,
    pub(crate) step: StepId,
    /// None when planning.
    pub(crate) secret: Option<&'static str>,
    pub(crate) sensitive: Vec<&'static str>,
    pub(crate) facts: BTreeMap<&'static str, May<bool>>,
    pub(crate) changes: Vec<(&'static str, Vec<Change>)>,
    pub(crate) again: Vec<(&'static str, Verdict)>,
    pub(crate) four_eyes: bool,
    pub(crate) template: May<Text>,
    pub(crate) blind: bool,
    pub(crate) now: Timestamp,
    pub(crate) hours: Hours,
    pub(crate) earlier: Vec<Earlier>,
    pub(crate) planning: bool,
}

impl<'w> Stage<'w> {
    pub(crate) fn new(look: &'w dyn Look) -> Self {
        Self {
            look,
            step: StepId::new("me"),
            secret: None,
            sensitive: Vec::new(),
            facts: BTreeMap::new(),
            changes: Vec::new(),
            again: Vec::new(),
            four_eyes: false,
            template: May::Known(Text::Plain(String::new())),
            blind: false,
            now: Timestamp::UNIX_EPOCH,
            hours: Hours::Any,
            earlier: Vec::new(),
            planning: false,
        }
    }

    /// What the action proposes with these parameters, written as YAML.
    pub(crate) fn propose(&self, kind: &str, with: &str) -> Result<Proposal, ActionError> {
        self.propose_value(kind, &serde_yaml::from_str(with).expect("the test writes YAML"))
    }

    /// What it proposes with parameters that YAML cannot write: unknowns and secrets.
    pub(crate) fn propose_value(&self, kind: &str, with: &Value) -> Result<Proposal, ActionError> {
        let kind = BUILTIN.iter().find(|known| known.name == kind).expect("the test names an action");
        (kind.propose)(with, self)
    }

    /// What it says of a proposal that cannot be made.
    pub(crate) fn refusal(&self, kind: &str, with: &str) -> String {
        match self.propose(kind, with) {
            Ok(proposal) => panic!("it proposes {proposal:?}"),
            Err(wrong) => wrong.to_string(),
        }
    }

    fn behaviour<T>(&self, look: impl FnOnce() -> Result<May<T>, WorldError>) -> Result<May<T>, WorldError> {
        if self.blind { Ok(May::Unknown { until: StepId::new("before") }) } else { look() }
    }
}

impl Look for Stage<'_> {
    fn folds_case(&self) -> bool {
        self.look.folds_case()
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        self.look.state(what)
    }
    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        self.look.tree(what, exclude, manifest)
    }
    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        self.look.open(path)
    }
    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.look.list(path)
    }
    fn services(&self) -> Result<Vec<String>, WorldError> {
        self.look.services()
    }
    fn program(&self, name: &str) -> Result<String, WorldError> {
        self.look.program(name)
    }
    fn room(&self, path: &str) -> Result<May<u64>, WorldError> {
        self.behaviour(|| self.look.room(path))
    }
    fn processes(&self) -> Result<May<Vec<Process>>, WorldError> {
        self.behaviour(|| self.look.processes())
    }
    fn connect(&self, endpoint: &Endpoint) -> Result<May<Reply>, WorldError> {
        self.behaviour(|| self.look.connect(endpoint))
    }
    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        self.behaviour(|| self.look.output(program))
    }
}

impl View for Stage<'_> {
    fn step(&self) -> &StepId {
        &self.step
    }
    fn reveal(&self, _: &SecretText) -> Result<May<Zeroizing<Vec<u8>>>, ActionError> {
        Ok(match self.secret {
            Some(secret) => May::Known(Zeroizing::new(secret.as_bytes().to_vec())),
            None => May::Unknown { until: self.step.clone() },
        })
    }
    fn judge(&self, expression: &str, more: &[(&str, Value)]) -> Result<May<bool>, ActionError> {
        if let Some(path) = expression.strip_prefix("checks.") {
            let (_, checks) = more.iter().find(|(name, _)| *name == "checks").expect("`checks` is there");
            let value = path.split('.').try_fold(checks, |value, part| value.get(part));
            return Ok(May::Known(value.and_then(Value::as_bool).unwrap_or(false)));
        }
        self.facts.get(expression).cloned().ok_or_else(|| ActionError::Invalid(format!("`{expression}` is not known to the test")))
    }
    fn check(&self, kind: &str, with: &Value) -> Result<Proposal, ActionError> {
        let kind = BUILTIN.iter().find(|known| known.name == kind);
        (kind.ok_or_else(|| ActionError::Invalid("no such action".to_owned()))?.propose)(with, self)
    }
    fn again(&self, step: &str) -> Result<Vec<(StepId, Verdict)>, ActionError> {
        Ok(self.again.iter().filter(|(name, _)| name.starts_with(step)).map(|(name, verdict)| (StepId::new(name), verdict.clone())).collect())
    }
    fn changes(&self, step: &str) -> Result<Vec<Change>, ActionError> {
        Ok(self.changes.iter().find(|(name, _)| *name == step).map(|(_, changes)| changes.clone()).unwrap_or_default())
    }
    fn template(&self, _: &str, _: &Value) -> Result<May<Text>, ActionError> {
        Ok(self.template.clone())
    }
    fn four_eyes(&self) -> bool {
        self.four_eyes
    }
    fn earlier(&self, _: &str) -> Result<Vec<Earlier>, WorldError> {
        Ok(self.earlier.clone())
    }
    fn at_run(&self) -> May<()> {
        if self.planning { May::Unknown { until: self.step.clone() } } else { May::Known(()) }
    }
    fn hours(&self) -> Hours {
        self.hours.clone()
    }
    fn sensitive(&self, path: &str) -> bool {
        self.sensitive.contains(&path)
    }
    fn now(&self) -> Timestamp {
        self.now
    }
    fn keyed(&self, sha256: &Digest) -> May<Digest> {
        match self.secret {
            Some(_) => May::Known(Digest::parse(&format!("hmac:{}", Digest::of(sha256.as_str().as_bytes()))).expect("a digest")),
            None => May::Unknown { until: self.step.clone() },
        }
    }
}

/// Carries the `Set` effects of a proposal out.
pub(crate) fn apply(world: &Memory, store: &MemoryStore, proposal: Proposal) -> Vec<Change> {
    let mut done = Vec::new();
    for proposed in proposal.effects {
        let Effect::Set(change) = proposed.effect else { panic!("only sets are applied here: {:?}", proposed.effect) };
        let (resource, before) = (change.resource.clone(), change.before.clone());
        keep(world, store, &change);
        let setting = Setting::new(change, proposed.source, None);
        let after = world.set(&[setting], store).remove(0).unwrap_or_else(|wrong| panic!("{wrong}: {wrong:?}"));
        done.push(Change { resource, before, after });
    }
    done.reverse();
    done
}

/// Keeps what a change overwrites, as the engine does.
fn keep(world: &Memory, store: &MemoryStore, change: &Change) {
    use world::store::Blobs as _;
    let keep = |path: &str| {
        let bytes = world.machine().read(path);
        if let Some(bytes) = bytes {
            store.keep(&mut [&mut &bytes[..]]).expect("kept");
        }
    };
    match &change.before {
        State::File(_) => keep(&change.resource.name),
        State::Tree(_) => {
            let mut manifest = Vec::new();
            world.tree(&change.resource, &[], &mut manifest).expect("a tree");
            store.keep(&mut [&mut &manifest[..]]).expect("kept");
            let below: Vec<String> = world.snapshot().into_keys().filter(|path| path.starts_with(&*change.resource.name)).collect();
            below.iter().for_each(|path| keep(path));
        }
        _ => {}
    }
}

/// The effects as the plan prints them.
pub(crate) fn words(proposal: &Proposal) -> Vec<String> {
    proposal.effects.iter().map(|proposed| proposed.effect.to_string()).collect()
}

/// A known output.
pub(crate) fn output(proposal: &Proposal, name: &str) -> Value {
    match proposal.outputs.get(name) {
        Some(Out::Value(value)) => value.clone(),
        other => panic!("output {name} is {other:?}"),
    }
}

/// What is proposed of a file: its state afterwards.
pub(crate) fn file_after(proposal: &Proposal) -> FileState {
    match proposal.effects.last().map(|proposed| &proposed.effect) {
        Some(Effect::Set(Change { after: State::File(file), .. })) => file.clone(),
        other => panic!("the last effect is {other:?}"),
    }
}

/// The mode that is proposed.
pub(crate) fn mode_after(proposal: &Proposal) -> Option<u32> {
    match proposal.effects.last().map(|proposed| &proposed.effect) {
        Some(Effect::Set(Change { after: State::File(FileState { meta: Meta { mode, .. }, .. }) | State::Dir(Meta { mode, .. }), .. })) => *mode,
        other => panic!("the last effect is {other:?}"),
    }
}

/// What a check expected and found.
pub(crate) fn failure(proposal: &Proposal) -> (&str, &str) {
    match &proposal.verdict {
        Verdict::Fails { expected, found } => (expected, found),
        other => panic!("it is {other:?}"),
    }
}

/// Parameters with one of them replaced by a value that YAML cannot write.
pub(crate) fn with(yaml: &str, name: &str, value: Value) -> Value {
    let mut with: Value = serde_yaml::from_str(yaml).expect("the test writes YAML");
    with.as_mapping_mut().expect("a mapping").insert(name.into(), value);
    with
}
