//! An order in which the nodes may run.

use super::{Graph, Ix};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

impl Graph {
    /// Every node after all it waits for; of those that may come next, the first in the file. Nodes on a cycle are left out,
    /// but a checked runbook has none.
    pub fn order(&self) -> Vec<Ix> {
        let mut waiting: Vec<usize> = (0..self.nodes.len() as Ix).map(|node| self.before(node).count()).collect();
        let mut ready: BinaryHeap<Reverse<Ix>> = (0..self.nodes.len() as Ix).filter(|node| waiting[*node as usize] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(Reverse(node)) = ready.pop() {
            order.push(node);
            for (next, _) in self.after(node) {
                waiting[next as usize] -= 1;
                if waiting[next as usize] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        order
    }

    /// Whether a node belongs to the `finally` of the run itself.
    pub fn ends_run(&self, node: Ix) -> bool {
        self.nodes[node as usize].last == Some(0)
    }
}
