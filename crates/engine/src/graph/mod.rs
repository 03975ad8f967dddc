//! The flat graph of a run: every step of every instance of every group, fixed before the first one starts.

mod build;
mod dot;
mod order;

pub use build::{BuildError, Material};

use crate::load::RunbookFile;
use model::id::StepId;
use model::input::InputType;
use model::value::Value;
use model::yaml::{Raw, Shape};
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Place of a node in [`Graph::nodes`].
pub type Ix = u32;
/// Place of a group in [`Graph::groups`].
pub type Gx = u32;

/// All steps of a run and what stands between them.
pub struct Graph {
    /// The nodes, in the order of the file.
    pub nodes: Vec<Node>,
    /// The groups; the first is the runbook itself.
    pub groups: Vec<Group>,
    /// Who waits for whom. Same indices as `nodes`.
    pub edges: DiGraph<(), Edge, u32>,
    /// The documents: the runbook, then the ones that it uses as groups.
    pub documents: Vec<Arc<RunbookFile>>,
    /// What the expressions of the runbook see.
    pub values: Arc<Values>,
    by_id: HashMap<StepId, Ix>,
}

/// Why one node waits for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// By position: it only orders.
    After,
    /// It needs it: blocked when that fails.
    Needs,
}

/// A node: a step, or the begin or end of a group.
pub struct Node {
    /// Its full name.
    pub id: StepId,
    /// What it does.
    pub work: Work,
    /// The group it is in.
    pub group: Gx,
    /// The group whose `finally` it belongs to, at any depth: it runs whatever happened.
    pub last: Option<Gx>,
}

/// What a node does.
pub enum Work {
    /// A step with an action.
    Step(Box<Step>),
    /// A group instance begins: its `when` is judged.
    Enter(Gx),
    /// A group instance is over: its outputs are made.
    Exit(Gx),
    /// All instances of a `foreach` are over.
    Join,
    /// A step that this client skips.
    Unwanted,
}

/// A step with an action, and what the engine needs to know of it.
pub struct Step {
    /// Place of its action among the kinds.
    pub kind: usize,
    /// Its parameters.
    pub with: Option<Raw>,
    /// Its definition.
    pub about: Arc<Definition>,
    /// Steps that it makes effective.
    pub settles: Vec<Ix>,
}

/// What all instances of a step have in common.
pub struct Definition {
    /// The document it stands in.
    pub document: usize,
    /// Its title.
    pub title: Option<String>,
    /// Its condition.
    pub when: Option<String>,
    /// Outputs made of its result.
    pub outputs: Vec<Output>,
    /// How it is taken back.
    pub undo: Undo,
    /// Why it cannot be taken back.
    pub irreversible: Option<String>,
    /// Whether an undo passes it again.
    pub gate: bool,
    /// Whether no undo goes below it.
    pub point_of_no_return: bool,
    /// What happens when it fails.
    pub on_failure: OnFailure,
    /// How often it is tried.
    pub attempts: u32,
    /// How long between two attempts.
    pub delay: Duration,
    /// Doubled up to this, if set.
    pub max_delay: Option<Duration>,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long it takes, as usual and at most.
    pub takes: Option<(Duration, Duration)>,
    /// Whether users are cut off from here, or no longer.
    pub outage: Option<Outage>,
    /// Checks that tell whether it is done: action and parameters.
    pub done_when: Vec<(usize, Option<Raw>)>,
    /// What is to be attached.
    pub evidence: Vec<crate::people::EvidenceWanted>,
}

/// An output that a step declares.
#[derive(Clone, PartialEq, Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its type, if it says one.
    pub kind: Option<InputType>,
    /// A template over `result`.
    pub from: Raw,
}

/// How a step is taken back.
#[derive(Clone, PartialEq)]
pub enum Undo {
    /// From its before-states.
    Auto,
    /// It is not: what it made stays.
    Keep,
    /// By another action.
    Action(usize, Option<Raw>),
}

/// What happens when a step fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFailure {
    /// The run stops; a person is asked if there is one.
    Stop,
    /// The run is taken back.
    Undo,
    /// The rest goes on.
    Continue,
    /// The group instance is taken back, the rest goes on.
    UndoGroup,
}

/// Where users are cut off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outage {
    /// From here.
    Begins,
    /// To here.
    Ends,
}

/// An instance of a group.
pub struct Group {
    /// `farm[rds01]`; empty for the runbook.
    pub id: StepId,
    /// The group around it.
    pub parent: Option<Gx>,
    /// Its begin and end; none for the runbook, and for an instance of an action with `foreach`.
    pub nodes: Option<(Ix, Ix)>,
    /// Its definition's `when`.
    pub when: Option<String>,
    /// The name and value of its `foreach`.
    pub each: Option<(String, Value)>,
    /// What is inside, by local id.
    pub inside: HashMap<String, Target>,
    /// Its outputs: name and template.
    pub outputs: Vec<(String, Raw)>,
    /// What happens when something inside fails.
    pub on_failure: Option<OnFailure>,
    /// The group whose values expressions see: itself for a group from a file.
    pub values: Gx,
    /// What a group from a file is given: templates of the document around it.
    pub inputs: Option<Raw>,
    /// The document its templates stand in.
    pub document: usize,
    /// Whether names are looked up further outside.
    pub closed: bool,
}

/// What a local id names.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// A step.
    Step(Ix),
    /// A group.
    Group(Gx),
    /// The instances of a `foreach`, in list order, and the node where all are over.
    Each(Vec<(String, Self)>, Ix),
}

/// What expressions see beside steps.
#[derive(Clone, Default)]
pub struct Values {
    /// `inputs`.
    pub inputs: BTreeMap<String, Value>,
    /// `client`.
    pub client: BTreeMap<String, Value>,
    /// `vars`.
    pub vars: BTreeMap<String, Value>,
}

impl Graph {
    /// Where something below a node of a document is written: `FILE:LINE:COLUMN`. `within`: bytes of the text there.
    pub fn place_of(&self, document: usize, node: Raw, path: &[String], within: Option<std::ops::Range<usize>>) -> String {
        let tree = &self.documents[document].document.tree;
        let mut at = node;
        for part in path {
            let below = match tree.shape(at) {
                Shape::List => part.parse().ok().and_then(|index| tree.items(at).nth(index)),
                _ => tree.get(at, part),
            };
            // What a template has brought is not written below it.
            let Some(below) = below else { break };
            at = below;
        }
        let place = within.map_or_else(|| tree.place(at), |bytes| tree.place_within(at, bytes));
        let (line, column) = tree.source_of(at).position(place.start);
        format!("{}:{line}:{column}", tree.source_of(at).name())
    }

    /// Where the parameters of a step are written; nothing for what has none.
    pub fn place_of_step(&self, node: Ix) -> Option<String> {
        let step = self.step(node)?;
        Some(self.place_of(step.about.document, step.with?, &[], None))
    }

    /// The step of a node, if it is one.
    pub fn step(&self, node: Ix) -> Option<&Step> {
        match &self.nodes[node as usize].work {
            Work::Step(step) => Some(step),
            _ => None,
        }
    }

    /// The node of this full name.
    pub fn find(&self, id: &str) -> Option<Ix> {
        self.by_id.get(&StepId::new(id)).copied()
    }

    /// All nodes with an action that a target means.
    pub fn steps_of(&self, target: &Target) -> Vec<Ix> {
        match target {
            Target::Step(ix) => vec![*ix],
            Target::Each(instances, _) => instances.iter().flat_map(|(_, t)| self.steps_of(t)).collect(),
            Target::Group(gx) => (0..self.nodes.len() as Ix).filter(|ix| self.step(*ix).is_some() && self.within(*ix, *gx)).collect(),
        }
    }

    /// Whether a node stands in a group, at any depth.
    pub fn within(&self, node: Ix, group: Gx) -> bool {
        let mut at = Some(self.nodes[node as usize].group);
        while let Some(gx) = at {
            if gx == group {
                return true;
            }
            at = self.groups[gx as usize].parent;
        }
        false
    }

    /// The innermost group instance around a node that is taken back as a whole when something in it fails.
    pub fn undo_group(&self, node: Ix) -> Option<Gx> {
        let mut at = Some(self.nodes[node as usize].group);
        while let Some(gx) = at {
            let group = &self.groups[gx as usize];
            if group.on_failure == Some(OnFailure::UndoGroup) {
                return Some(gx);
            }
            at = group.parent;
        }
        None
    }

    /// What a local id means, seen from a group: its own first, then outwards.
    pub fn resolve(&self, from: Gx, id: &str) -> Option<&Target> {
        let mut at = Some(from);
        while let Some(gx) = at {
            let group = &self.groups[gx as usize];
            if let Some(target) = group.inside.get(id) {
                return Some(target);
            }
            at = if group.closed { None } else { group.parent };
        }
        None
    }

    /// The nodes before a node, and why.
    pub fn before(&self, node: Ix) -> impl Iterator<Item = (Ix, Edge)> + '_ {
        use petgraph::visit::EdgeRef;
        self.edges.edges_directed(NodeIndex::new(node as usize), petgraph::Direction::Incoming).map(|e| (e.source().index() as Ix, *e.weight()))
    }

    /// The nodes after a node, and why.
    pub fn after(&self, node: Ix) -> impl Iterator<Item = (Ix, Edge)> + '_ {
        use petgraph::visit::EdgeRef;
        self.edges.edges(NodeIndex::new(node as usize)).map(|e| (e.target().index() as Ix, *e.weight()))
    }
}
