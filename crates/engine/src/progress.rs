//! Which nodes are over, and which may start.

use crate::graph::{Edge, Graph, Gx, Ix};
use model::event::Outcome;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The state of every node while a plan or a run goes on. The lowest ready node in the order of the file comes first.
pub(crate) struct Progress<'g> {
    graph: &'g Graph,
    waiting: Vec<u32>,
    over: Vec<Option<Outcome>>,
    blocked: Vec<bool>,
    ready: BinaryHeap<Reverse<Ix>>,
}

impl<'g> Progress<'g> {
    /// At the beginning.
    pub(crate) fn new(graph: &'g Graph) -> Self {
        let count = graph.nodes.len();
        let waiting: Vec<u32> = (0..count).map(|ix| graph.before(ix as Ix).count() as u32).collect();
        let ready = (0..count).filter(|ix| waiting[*ix] == 0 && !graph.ends_run(*ix as Ix)).map(|ix| Reverse(ix as Ix)).collect();
        Self { graph, waiting, over: vec![None; count], blocked: vec![false; count], ready }
    }

    /// The next node that may start.
    pub(crate) fn take(&mut self) -> Option<Ix> {
        self.ready.pop().map(|Reverse(ix)| ix)
    }

    /// The next node that may start, left where it is.
    pub(crate) fn peek(&self) -> Option<Ix> {
        self.ready.peek().map(|Reverse(ix)| *ix)
    }

    /// Gives back a node that was taken and not started.
    pub(crate) fn put_back(&mut self, node: Ix) {
        self.ready.push(Reverse(node));
    }

    /// How many may start.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How a node ended.
    pub(crate) fn outcome(&self, node: Ix) -> Option<Outcome> {
        self.over[node as usize]
    }

    /// Whether something that a node needs has failed.
    pub(crate) fn is_blocked(&self, node: Ix) -> bool {
        self.blocked[node as usize]
    }

    /// Whether the group around a node was skipped: the next one that has a begin, for the instances of a `foreach` action have none.
    pub(crate) fn is_skipped_with_group(&self, node: Ix) -> bool {
        let groups = &self.graph.groups;
        let mut around = std::iter::successors(Some(self.graph.nodes[node as usize].group), |group| groups[*group as usize].parent);
        let enter = around.find_map(|group| groups[group as usize].nodes).map(|(enter, _)| enter);
        enter.is_some_and(|enter| enter != node && self.over[enter as usize] == Some(Outcome::Skipped))
    }

    /// A node is over.
    pub(crate) fn finish(&mut self, node: Ix, outcome: Outcome) {
        if self.over[node as usize].replace(outcome).is_some() {
            return;
        }
        let failed = matches!(outcome, Outcome::Failed | Outcome::Blocked);
        let after: Vec<(Ix, Edge)> = self.graph.after(node).collect();
        for (next, edge) in after {
            self.waiting[next as usize] -= 1;
            if failed && edge == Edge::Needs {
                self.blocked[next as usize] = true;
            }
            if self.waiting[next as usize] == 0 && self.over[next as usize].is_none() && !self.graph.ends_run(next) {
                self.ready.push(Reverse(next));
            }
        }
    }

    /// Everything in a group that is not over is given up, but for its `finally`.
    pub(crate) fn give_up(&mut self, group: Gx) {
        let inside: Vec<Ix> = (0..self.over.len() as Ix)
            .filter(|ix| self.over[*ix as usize].is_none() && self.graph.nodes[*ix as usize].last.is_none() && self.graph.within(*ix, group))
            .collect();
        for node in inside {
            if Some(node) == self.graph.groups[group as usize].nodes.map(|(_, exit)| exit) {
                self.blocked[node as usize] = true;
            } else {
                self.finish(node, Outcome::Blocked);
            }
        }
        let over = &self.over;
        self.ready.retain(|Reverse(ix)| over[*ix as usize].is_none());
    }
}
