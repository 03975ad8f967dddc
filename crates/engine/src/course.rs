//! The way through a graph: what waits for what, and how long it takes from the first step to the last.

use crate::graph::Graph;
use model::id::StepId;
use std::time::Duration;

/// The nodes of a graph, each after all it waits for.
pub struct Course {
    legs: Vec<Leg>,
}

/// A node.
pub struct Leg {
    /// Its full name.
    pub id: StepId,
    /// How long its author thinks that it takes, as usual and at most.
    pub takes: Option<(Duration, Duration)>,
    before: Vec<usize>,
}

impl Course {
    pub(crate) fn of(graph: &Graph) -> Self {
        let order = graph.order();
        let mut place = vec![0; graph.nodes.len()];
        order.iter().enumerate().for_each(|(n, node)| place[*node as usize] = n);
        let leg = |node: &u32| Leg {
            id: graph.nodes[*node as usize].id.clone(),
            takes: graph.step(*node).and_then(|step| step.about.takes),
            before: graph.before(*node).map(|(before, _)| place[before as usize]).collect(),
        };
        Self { legs: order.iter().map(leg).collect() }
    }

    /// The nodes, in an order in which they may run.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// How long the whole takes where each node takes so long, with so many at once: the longest path, but no less than all of
    /// them shared out.
    pub fn length(&self, long: &[Duration], jobs: usize) -> Duration {
        let mut ends: Vec<Duration> = Vec::with_capacity(self.legs.len());
        for (leg, long) in self.legs.iter().zip(long) {
            let begin = leg.before.iter().filter_map(|before| ends.get(*before)).max().copied().unwrap_or_default();
            ends.push(begin.saturating_add(*long));
        }
        let all = long.iter().fold(Duration::ZERO, |all, long| all.saturating_add(*long));
        let share = all / u32::try_from(jobs.max(1)).unwrap_or(u32::MAX);
        ends.into_iter().max().unwrap_or_default().max(share)
    }
}
