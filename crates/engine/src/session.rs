//! What is known while a plan or a run goes on.

use crate::context::Engine;
use crate::graph::{Graph, Gx, Ix, Target, Values};
use crate::procedure::Procedure;
use crate::scope::Names;
use crate::secrets::Secrets;
use crate::sensitive::Sensitive;
use crate::template;
use crate::windows::Windows;
use jiff::Timestamp;
use model::effect::Change;
use model::id::{RunId, StepId};
use model::resource::Resource;
use model::state::State;
use model::value::{May, Value};
use model::yaml::Source;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};
use world::action::ActionError;

/// Outputs by name.
pub type Outputs = BTreeMap<String, Value>;

/// The shared memory of a plan or a run.
pub struct Session<'a> {
    /// What it works with.
    pub engine: Engine<'a>,
    /// Its steps.
    pub graph: &'a Graph,
    /// Its name.
    pub run: RunId,
    /// Secrets; empty when planning.
    pub secrets: &'a Secrets,
    /// Resources whose bytes are secret.
    pub sensitive: Sensitive,
    /// For whom.
    pub client: &'a str,
    /// The policy of the client.
    pub four_eyes: bool,
    /// When the client lets the point of no return be passed.
    pub windows: &'a Windows,
    /// Template files that are named by where they lie on the machine, as they were read first.
    pub files: RwLock<BTreeMap<String, Arc<Source>>>,
    /// The outcome of the run, once `finally` runs; unknown when planning.
    pub outcome: RwLock<Option<May<&'static str>>>,
    steps: RwLock<Vec<Known>>,
    changes: RwLock<Vec<(Ix, Change)>>,
    /// What the expressions of groups from files see, once they are entered.
    values: RwLock<HashMap<Gx, Arc<Values>>>,
}

/// What is known of a node.
#[derive(Clone, Default)]
pub struct Known {
    /// Its outputs by name, once it is over; none of a skipped one. A list: most have two, and a map takes a kilobyte.
    pub outputs: Option<Arc<[(String, Value)]>>,
    /// When its first attempt began.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub finished: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// `done`, `unchanged`, `skipped`, `failed`, `blocked`.
    pub outcome: Option<&'static str>,
    /// The step until which what it did is unknown. When planning.
    pub until: Option<StepId>,
}

impl<'a> Session<'a> {
    /// With nothing known yet.
    pub fn new(engine: Engine<'a>, graph: &'a Graph, run: RunId, secrets: &'a Secrets, sensitive: Sensitive, procedure: &'a Procedure) -> Self {
        Self {
            engine,
            graph,
            run,
            secrets,
            sensitive,
            client: &procedure.client,
            four_eyes: procedure.four_eyes,
            windows: &procedure.windows,
            files: RwLock::default(),
            outcome: RwLock::default(),
            steps: RwLock::new(vec![Known::default(); graph.nodes.len()]),
            changes: RwLock::default(),
            values: RwLock::new(HashMap::from([(0, Arc::clone(&graph.values))])),
        }
    }

    /// What is known of a node.
    pub fn known(&self, node: Ix) -> Known {
        self.steps.read().unwrap_or_else(PoisonError::into_inner)[node as usize].clone()
    }

    /// Changes what is known of a node.
    pub fn learn(&self, node: Ix, change: impl FnOnce(&mut Known)) {
        change(&mut self.steps.write().unwrap_or_else(PoisonError::into_inner)[node as usize]);
    }

    /// What the expressions of a group see.
    pub fn values(&self, owner: Gx) -> Arc<Values> {
        self.values.read().unwrap_or_else(PoisonError::into_inner).get(&owner).cloned().unwrap_or_default()
    }

    /// A group from a file is entered: what it is given is worked out.
    ///
    /// # Errors
    /// One of its inputs cannot be.
    pub fn enter(&self, group: Gx) -> Result<(), ActionError> {
        let definition = &self.graph.groups[group as usize];
        let (true, Some(parent)) = (definition.closed, definition.parent) else { return Ok(()) };
        let around = &self.graph.groups[parent as usize];
        let (here, document) = (&self.graph.documents[around.document], &self.graph.documents[definition.document]);
        let mut values = Values { client: self.values(around.values).client.clone(), ..Values::default() };
        for (name, input) in document.document.form.inputs.iter() {
            let default = input.default.map_or(Value::Null, |default| document.document.tree.value(default));
            values.inputs.insert(name.value.to_string(), default);
        }
        let names = Names { session: self, group: parent, more: &[] };
        for (key, value) in definition.inputs.into_iter().flat_map(|inputs| here.document.tree.entries(inputs)) {
            let Some(key) = here.document.tree.text(key) else { continue };
            let value = template::render(here.document.tree.value(value), &names)
                .map_err(|wrong| ActionError::Invalid(format!("input `{key}`: {}", wrong.message)))?;
            values.inputs.insert(key.to_owned(), value);
        }
        crate::values::vars(document, &mut values, self.run.as_str()).map_err(ActionError::Invalid)?;
        self.values.write().unwrap_or_else(PoisonError::into_inner).insert(group, Arc::new(values));
        Ok(())
    }

    /// Notes what a step has set.
    pub fn changed(&self, node: Ix, change: Change) {
        self.changes.write().unwrap_or_else(PoisonError::into_inner).push((node, change));
    }

    /// The state in which a step has left a resource so far; none if it did not set it.
    pub fn left(&self, node: Ix, what: &Resource) -> Option<State> {
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        changes.iter().rev().find(|(of, change)| *of == node && change.resource == *what).map(|(_, change)| change.after.clone())
    }

    /// What the steps of a target have set, latest first: in the order in which a plan goes through them, whichever of those that
    /// ran at once was first.
    pub fn changes_of(&self, target: &Target) -> Vec<Change> {
        let steps = self.graph.steps_of(target);
        let place: BTreeMap<Ix, usize> =
            self.graph.order().into_iter().filter(|node| steps.contains(node)).enumerate().map(|(place, node)| (node, place)).collect();
        let changes = self.changes.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(usize, &Change)> = changes.iter().rev().filter_map(|(node, change)| Some((*place.get(node)?, change))).collect();
        found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        found.into_iter().map(|(_, change)| change.clone()).collect()
    }
}
