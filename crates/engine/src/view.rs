//! The world as a step may see it while it proposes.

use crate::command::kept_name;
use crate::earlier::earlier;
use crate::graph::{Ix, Target};
use crate::listing;
use crate::load::Named;
use crate::plan::Looked;
use crate::run::whole::whole_state;
use crate::scope::Names;
use crate::session::Session;
use crate::stepper;
use crate::template::TemplateFile;
use jiff::Timestamp;
use model::digest::Digest;
use model::effect::Change;
use model::id::StepId;
use model::program::Program;
use model::resource::{Resource, ResourceKind};
use model::state::State;
use model::value::{May, SecretText, Text, Value};
use model::yaml::Source;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};
use world::action::ActionError;
use world::earlier::Earlier;
use world::error::WorldError;
use world::look::{Endpoint, Entry, Look, Output, Process, Reply};
use world::proposal::{Proposal, Verdict};
use world::view::View;
use world::window::Hours;
use zeroize::Zeroizing;

/// What an action is given. One thread uses it, but a `Look` can be shared, hence the mutexes.
pub(crate) struct Sight<'s, 'a> {
    pub(crate) session: &'s Session<'a>,
    pub(crate) look: &'s dyn Look,
    pub(crate) node: Ix,
    /// When planning: the step whose effect makes behaviour unknown; and whether programs may look at all.
    pub(crate) planning: Option<Planning>,
    /// What was looked at; a whole tree is marked.
    pub(crate) seen: Mutex<BTreeSet<(Resource, bool)>>,
    /// Whether a secret went into the proposal.
    pub(crate) revealed: Mutex<bool>,
}

/// How planning dims the sight.
#[derive(Clone)]
pub(crate) struct Planning {
    pub(crate) unknown_since: Option<StepId>,
    pub(crate) programs: bool,
    pub(crate) looked: Arc<Looked>,
}

impl Sight<'_, '_> {
    fn note(&self, resource: &Resource, whole: bool) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert((resource.clone(), whole));
    }

    /// Behaviour is unknown once a step before has had an effect.
    fn behaviour<T>(&self, look: impl FnOnce() -> Result<May<T>, WorldError>) -> Result<May<T>, WorldError> {
        match self.planning.as_ref().and_then(|planning| planning.unknown_since.clone()) {
            Some(until) => Ok(May::Unknown { until }),
            None => look(),
        }
    }

    /// A template file as it was planned with, or as it is.
    fn template_of_machine(&self, path: &str) -> Result<Arc<Source>, ActionError> {
        let session = self.session;
        if let Some(known) = session.files.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok(Arc::clone(known));
        }
        let kept = session.engine.store.file(&session.run, &kept_name(&format!("files/{path}")))?;
        let bytes = match kept {
            Some(bytes) => bytes,
            None => {
                let mut bytes = Vec::new();
                let limit = 1 << 20;
                self.look.open(path)?.take(limit + 1).read_to_end(&mut bytes).map_err(|e| WorldError::io("read", path, e))?;
                if bytes.len() as u64 > limit {
                    return Err(ActionError::Invalid(format!("the template `{path}` is longer than 1 MiB")));
                }
                bytes
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| ActionError::Invalid(format!("the template `{path}` is not UTF-8")))?;
        let source = Arc::new(Source::new(path, text));
        session.files.write().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), Arc::clone(&source));
        Ok(source)
    }

    /// Whether nothing may be started or connected to.
    fn is_unlooked(&self) -> bool {
        self.planning.as_ref().is_some_and(|planning| !planning.programs)
    }

    /// The journal tells secret states by a key only: what is there now shows whether it is one of them.
    fn unmask(&self, resource: &Resource, states: &mut [&mut State]) -> Result<(), WorldError> {
        let sensitive = &self.session.sensitive;
        let whole = states.iter().any(|state| state.is_secret_tree());
        if !whole && !states.iter().any(|state| state.is_keyed()) {
            return Ok(());
        }
        let present = if whole { whole_state(sensitive, self.look, resource) } else { self.look.state(resource) }?;
        let known = sensitive.masked(resource, &present);
        for state in states.iter_mut().filter(|state| if whole { known.same(state) } else { known == ***state }) {
            **state = present.clone();
        }
        Ok(())
    }

    fn target(&self, step: &str) -> Result<&Target, ActionError> {
        let group = self.session.graph.nodes[self.node as usize].group;
        self.session.graph.resolve(group, step).ok_or_else(|| ActionError::Invalid(format!("no step is called `{step}`")))
    }
}

impl Look for Sight<'_, '_> {
    fn folds_case(&self) -> bool {
        self.look.folds_case()
    }

    fn state(&self, what: &Resource) -> Result<State, WorldError> {
        self.note(what, false);
        // A service manager is a program, and what probes a daemon connects.
        if what.kind == ResourceKind::Service && self.is_unlooked() {
            return Ok(State::Unknown { until: self.step().clone() });
        }
        self.look.state(what)
    }

    fn tree(&self, what: &Resource, exclude: &[String], manifest: &mut dyn Write) -> Result<State, WorldError> {
        self.note(what, true);
        listing::tree(&self.session.sensitive, self.look, (what, what), exclude, manifest)
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + '_>, WorldError> {
        self.note(&Resource::file(path), false);
        self.look.open(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.note(&Resource::file(path), true);
        self.look.list(path)
    }

    fn services(&self) -> Result<Vec<String>, WorldError> {
        if self.is_unlooked() {
            return Err(WorldError::Unknown { until: self.step().clone() });
        }
        self.look.services()
    }

    fn reload(&self, service: &str) -> Result<Program, WorldError> {
        self.look.reload(service)
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
        if self.is_unlooked() {
            return Ok(May::Unknown { until: self.step().clone() });
        }
        self.behaviour(|| match &self.planning {
            Some(planning) => planning.looked.reply(self.node, endpoint, || self.look.connect(endpoint)),
            None => self.look.connect(endpoint),
        })
    }

    fn output(&self, program: &Program) -> Result<May<Output>, WorldError> {
        if self.is_unlooked() {
            return Ok(May::Unknown { until: self.step().clone() });
        }
        self.behaviour(|| match &self.planning {
            Some(planning) => planning.looked.output(self.node, program, || self.look.output(program)),
            None => self.look.output(program),
        })
    }
}

impl View for Sight<'_, '_> {
    fn step(&self) -> &StepId {
        &self.session.graph.nodes[self.node as usize].id
    }

    fn reveal(&self, secret: &SecretText) -> Result<May<Zeroizing<Vec<u8>>>, ActionError> {
        *self.revealed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        if self.planning.is_some() {
            return Ok(May::Unknown { until: self.step().clone() });
        }
        let missing = || ActionError::Invalid(format!("the secret {} is not at hand", secret.names().join(", ")));
        self.session.secrets.reveal(secret).map(May::Known).ok_or_else(missing)
    }

    fn judge(&self, expression: &str, more: &[(&str, Value)]) -> Result<May<bool>, ActionError> {
        let group = self.session.graph.nodes[self.node as usize].group;
        stepper::judge(expression, &Names { session: self.session, group, more })
    }

    fn check(&self, kind: &str, with: &Value) -> Result<Proposal, ActionError> {
        let kind = self.session.engine.kind(kind).ok_or_else(|| ActionError::Invalid(format!("no action is called `{kind}`")))?;
        (kind.propose)(with, self)
    }

    fn again(&self, step: &str) -> Result<Vec<(StepId, Verdict)>, ActionError> {
        let session = self.session;
        let mut found = Vec::new();
        for node in session.graph.steps_of(self.target(step)?) {
            let Some(definition) = session.graph.step(node) else { continue };
            let is_check = session.engine.kinds[definition.kind].class == world::action::Class::Check;
            if !is_check || session.known(node).outcome == Some("skipped") {
                continue;
            }
            let sight = Sight { node, planning: self.planning.clone(), seen: Mutex::default(), revealed: Mutex::default(), ..*self };
            let proposal = stepper::propose(&sight)?;
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(sight.seen.into_inner().unwrap_or_else(PoisonError::into_inner));
            found.push((session.graph.nodes[node as usize].id.clone(), proposal.verdict));
        }
        Ok(found)
    }

    fn changes(&self, step: &str) -> Result<Vec<Change>, ActionError> {
        let target = self.target(step)?;
        let mut changes = self.session.changes_of(target);
        for Change { resource, before, after } in &mut changes {
            self.note(resource, false);
            self.unmask(resource, &mut [before, after])?;
        }
        Ok(changes)
    }

    fn left(&self, what: &Resource) -> Option<State> {
        let mut left = self.session.left(self.node, what)?;
        // What cannot be looked at stays as the journal tells it.
        let _ = self.unmask(what, &mut [&mut left]);
        Some(left)
    }

    fn template(&self, path: &str, vars: &Value) -> Result<May<Text>, ActionError> {
        let source = match Named::parse(path) {
            Named::Absolute => self.template_of_machine(path)?,
            Named::Below(_) => {
                let document = self.session.graph.step(self.node).map_or(0, |step| step.about.document);
                let known = self.session.graph.documents[document].templates.get(path);
                // Only a name that is made of values was not read with the document.
                let known =
                    known.ok_or_else(|| ActionError::Invalid(format!("the template `{path}` is not named outright, and so must be absolute")))?;
                Arc::clone(&known.source)
            }
            Named::Wrong(wrong) => return Err(ActionError::Invalid(format!("the template `{path}`: {wrong}"))),
        };
        TemplateFile::parse(source.text()).and_then(|file| file.render(vars)).map_err(|wrong| {
            let (line, column) = source.position(wrong.at.start as u32);
            ActionError::Invalid(format!("template `{}:{line}:{column}`: {}", source.name(), wrong.message))
        })
    }

    fn four_eyes(&self) -> bool {
        self.session.four_eyes
    }

    fn earlier(&self, runbook: &str) -> Result<Vec<Earlier>, WorldError> {
        earlier(self.session, runbook)
    }

    fn at_run(&self) -> May<()> {
        if self.planning.is_some() { May::Unknown { until: self.step().clone() } } else { May::Known(()) }
    }

    fn hours(&self) -> Hours {
        match self.session.windows.at(self.now()) {
            // By the time that the step runs it may have come.
            Hours::Shut { next: Some(next) } if self.planning.is_some() => Hours::Later { next, until: self.step().clone() },
            hours => hours,
        }
    }

    fn sensitive(&self, path: &str) -> bool {
        self.session.sensitive.holds(&Resource::file(path))
    }

    fn keyed(&self, sha256: &Digest) -> May<Digest> {
        self.session.sensitive.keyed(sha256).map_or_else(|| May::Unknown { until: self.step().clone() }, May::Known)
    }

    fn now(&self) -> Timestamp {
        self.session.engine.clock.now()
    }
}
