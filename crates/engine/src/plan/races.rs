//! Two steps on one resource, one of them setting it, with no path between them.
//!
//! By resource, its users in topological order ask only: last setter -> next setter or reader, each reader -> next setter;
//! transitivity does the rest. The questions are answered 256 at a time, as bits swept along the order.

use crate::graph::{Graph, Ix};
use crate::plan::imagine::Use;
use crate::radius::below;
use model::resource::{Resource, ResourceKind};
use std::collections::{BTreeMap, BTreeSet};

/// One sentence for each race.
pub(crate) fn races(graph: &Graph, uses: &[Vec<Use>]) -> Vec<String> {
    let order = graph.order();
    let mut place = vec![0_u32; graph.nodes.len()];
    for (at, node) in order.iter().enumerate() {
        place[*node as usize] = at as u32;
    }
    let mut questions: Vec<(u32, u32, Resource)> = Vec::new();
    for (resource, users) in by_resource(uses) {
        let mut users: Vec<(Ix, bool)> = users.into_iter().collect();
        users.sort_by_key(|(node, _)| place[*node as usize]);
        let mut setter: Option<Ix> = None;
        let mut readers: Vec<Ix> = Vec::new();
        for (node, sets) in users {
            if sets {
                let before: Vec<Ix> = if readers.is_empty() { setter.into_iter().collect() } else { std::mem::take(&mut readers) };
                questions.extend(before.into_iter().map(|from| (place[from as usize], place[node as usize], resource.clone())));
                setter = Some(node);
            } else {
                questions.extend(setter.map(|from| (place[from as usize], place[node as usize], resource.clone())));
                readers.push(node);
            }
        }
    }
    questions.extend(with_directories(uses).into_iter().map(|(a, b, resource)| {
        let (a, b) = (place[a as usize], place[b as usize]);
        (a.min(b), a.max(b), resource)
    }));
    questions.sort_by_key(|(from, to, _)| (*from, *to));
    let mut found = BTreeSet::new();
    for block in questions.chunks(256) {
        unanswered(graph, &order, &place, block, &mut found);
    }
    found.into_iter().collect()
}

/// The users of each resource that somebody sets and somebody else uses, and whether they set it.
fn by_resource(uses: &[Vec<Use>]) -> BTreeMap<Resource, BTreeMap<Ix, bool>> {
    let mut users: BTreeMap<Resource, BTreeMap<Ix, bool>> = BTreeMap::new();
    for (node, node_uses) in uses.iter().enumerate() {
        for used in node_uses {
            *users.entry(used.resource.clone()).or_default().entry(node as Ix).or_default() |= used.sets;
        }
    }
    users.retain(|_, users| users.len() > 1 && users.values().any(|sets| *sets));
    users
}

/// Pairs of a step that uses a directory as a whole and one that uses something below it, one of them setting.
fn with_directories(uses: &[Vec<Use>]) -> BTreeSet<(Ix, Ix, Resource)> {
    let mut below_it: BTreeMap<&str, BTreeMap<Ix, bool>> = BTreeMap::new();
    let mut whole: BTreeMap<&str, BTreeMap<Ix, bool>> = BTreeMap::new();
    for (node, node_uses) in uses.iter().enumerate() {
        for used in node_uses.iter().filter(|u| u.resource.kind == ResourceKind::File) {
            *below_it.entry(&used.resource.name).or_default().entry(node as Ix).or_default() |= used.sets;
            if used.whole {
                *whole.entry(&used.resource.name).or_default().entry(node as Ix).or_default() |= used.sets;
            }
        }
    }
    let mut pairs = BTreeSet::new();
    for (directory, users) in whole {
        // Names are sorted by bytes: what lies below a directory follows it, with at most its longer neighbours between.
        let inside = below_it.range(directory..).take_while(|(name, _)| name.starts_with(directory)).filter(|(name, _)| below(name, directory));
        for (_, others) in inside {
            for ((a, a_sets), (b, b_sets)) in users.iter().flat_map(|user| others.iter().map(move |other| (user, other))) {
                if a != b && (*a_sets || *b_sets) {
                    pairs.insert((*a.min(b), *a.max(b), Resource::file(directory)));
                }
            }
        }
    }
    pairs
}

type Bits = [u64; 4];

fn unanswered(graph: &Graph, order: &[Ix], place: &[u32], block: &[(u32, u32, Resource)], found: &mut BTreeSet<String>) {
    let Some(first) = block.first().map(|(from, _, _)| *from) else { return };
    let last = block.iter().map(|(_, to, _)| *to).max().unwrap_or(first);
    let mut bits: Vec<Bits> = vec![[0; 4]; (last - first + 1) as usize];
    for (n, (from, _, _)) in block.iter().enumerate() {
        bits[(*from - first) as usize][n / 64] |= 1 << (n % 64);
    }
    for at in first..last {
        let here = bits[(at - first) as usize];
        if here == [0; 4] {
            continue;
        }
        for (next, _) in graph.after(order[at as usize]) {
            let next = place[next as usize];
            if next <= last {
                for (word, more) in bits[(next - first) as usize].iter_mut().zip(here) {
                    *word |= more;
                }
            }
        }
    }
    for (n, (from, to, resource)) in block.iter().enumerate() {
        if bits[(*to - first) as usize][n / 64] & (1 << (n % 64)) == 0 {
            let (a, b) = (&graph.nodes[order[*from as usize] as usize].id, &graph.nodes[order[*to as usize] as usize].id);
            found.insert(format!("`{a}` and `{b}` both use {resource}, one of them sets it, and neither waits for the other"));
        }
    }
}
