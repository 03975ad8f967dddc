//! The steps of one level, what comes before what, and circles.

use std::collections::{HashMap, VecDeque};

use model::diagnostic::Diagnostic;
use model::step::Step;
use model::yaml::{Sink, Source, Stretch};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

/// How many edges of a circle are shown.
const SHOWN: usize = 60;

/// The siblings among which a step stands.
pub(super) struct Frame<'a> {
    pub(super) steps: &'a [Step],
    pub(super) ids: HashMap<&'a str, u32>,
    /// The step that is being checked, or whose inside is; nothing for outputs and for what is done finally.
    pub(super) current: Option<u32>,
    edges: Vec<Edge>,
}

/// One step waits for another.
struct Edge {
    /// The one that comes first.
    first: u32,
    /// The one that waits.
    then: u32,
    at: Stretch,
    why: Why,
}

/// Why a step waits for another.
#[derive(Clone, Copy)]
pub(super) enum Why {
    /// It is written after it.
    Position,
    /// It says so.
    Needs,
    /// It makes it effective.
    Settles,
    /// It uses what it found.
    Reference,
}

impl<'a> Frame<'a> {
    pub(super) fn new(steps: &'a [Step]) -> Self {
        let mut ids = HashMap::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            ids.entry(&*step.id.value).or_insert(index as u32);
        }
        Self { steps, ids, current: None, edges: Vec::new() }
    }

    /// The current step waits for `first`.
    pub(super) fn waits_for(&mut self, first: u32, at: Stretch, why: Why) {
        if let Some(then) = self.current {
            self.edges.push(Edge { first, then, at, why });
        }
    }

    /// Reports every circle of steps that wait for each other.
    pub(super) fn report_cycles(&self, source: &Source, sink: &Sink) {
        // Without an edge against the order of the file there is no circle.
        if self.edges.iter().all(|edge| edge.first < edge.then) {
            return;
        }
        let mut graph: DiGraph<(), u32, u32> = DiGraph::with_capacity(self.steps.len(), self.edges.len());
        for _ in self.steps {
            graph.add_node(());
        }
        for (index, edge) in self.edges.iter().enumerate() {
            graph.add_edge(NodeIndex::new(edge.then as usize), NodeIndex::new(edge.first as usize), index as u32);
        }
        let mut circles: Vec<_> = kosaraju_scc(&graph).into_iter().filter(|part| part.len() > 1).collect();
        circles.iter_mut().for_each(|part| part.sort_unstable());
        circles.sort_unstable();
        for part in circles {
            self.report_cycle(&self.shortest(&graph, &part), source, sink);
        }
    }

    /// The edges of a shortest circle through the first step of a part in which all wait for all.
    fn shortest(&self, graph: &DiGraph<(), u32, u32>, part: &[NodeIndex]) -> Vec<u32> {
        let start = part[0];
        let mut came: HashMap<NodeIndex, u32> = HashMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(node) = next.pop_front() {
            for edge in graph.edges(node) {
                let target = petgraph::visit::EdgeRef::target(&edge);
                if part.binary_search(&target).is_err() || came.contains_key(&target) {
                    continue;
                }
                came.insert(target, *edge.weight());
                next.push_back(target);
            }
        }
        let mut path = Vec::new();
        let mut node = start;
        while let Some(edge) = came.get(&node) {
            path.push(*edge);
            node = NodeIndex::new(self.edges[*edge as usize].then as usize);
            if node == start {
                break;
            }
        }
        path.reverse();
        path
    }

    fn report_cycle(&self, path: &[u32], source: &Source, sink: &Sink) {
        let name = |index: u32| &*self.steps[index as usize].id.value;
        let edges: Vec<&Edge> = path.iter().map(|edge| &self.edges[*edge as usize]).collect();
        let Some(first) = edges.first() else { return };
        let mut names: Vec<&str> = edges.iter().map(|edge| name(edge.then)).collect();
        names.push(name(first.then));
        if names.len() > SHOWN {
            names.splice(SHOWN / 2..names.len() - SHOWN / 2, ["..."]);
        }
        let mut found = Diagnostic::error("cycle", format!("these steps wait for each other: {}", names.join(" -> "))).at(source, first.at);
        for (index, edge) in edges.iter().enumerate() {
            if index == SHOWN {
                found = found.note(format!("and {} more", edges.len() - SHOWN));
                break;
            }
            let (then, first) = (name(edge.then), name(edge.first));
            let why = match edge.why {
                Why::Position => format!("`{then}` is written after `{first}`"),
                Why::Needs => format!("`{then}` needs `{first}`"),
                Why::Settles => format!("`{then}` settles `{first}`"),
                Why::Reference => format!("`{then}` uses `steps.{first}`"),
            };
            found = found.note_at(why, source, edge.at);
        }
        sink.report(found);
    }
}
