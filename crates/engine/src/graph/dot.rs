//! The graph as Graphviz reads it.

use super::{Edge, Graph, Ix, Work};
use std::fmt::Write as _;

/// What stands in a group itself.
#[derive(Clone, Default)]
struct Within {
    nodes: Vec<usize>,
    groups: Vec<usize>,
}

impl Graph {
    /// As text for `dot`: groups as boxes, edges that only order dotted.
    pub fn dot(&self, title: &str) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "digraph {} {{\n  rankdir=LR;\n  node [shape=box];", quoted(title));
        let mut within = vec![Within::default(); self.groups.len()];
        for (ix, node) in self.nodes.iter().enumerate() {
            within[node.group as usize].nodes.push(ix);
        }
        for (gx, inner) in self.groups.iter().enumerate() {
            if let Some(outer) = inner.parent {
                within[outer as usize].groups.push(gx);
            }
        }
        self.dot_group(0, &within, 1, &mut out);
        for node in 0..self.nodes.len() as Ix {
            for (next, edge) in self.after(node) {
                let style = if edge == Edge::After { " [style=dotted]" } else { "" };
                let _ = writeln!(out, "  n{node} -> n{next}{style};");
            }
        }
        out.push_str("}\n");
        out
    }

    fn dot_group(&self, group: usize, within: &[Within], depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        for &ix in &within[group].nodes {
            let node = &self.nodes[ix];
            let shape = match &node.work {
                Work::Step(step) if step.about.point_of_no_return => ", peripheries=2",
                Work::Step(_) => "",
                Work::Enter(_) | Work::Exit(_) | Work::Join => ", shape=point",
                Work::Unwanted => ", style=dashed",
            };
            let _ = writeln!(out, "{pad}n{ix} [label={}{shape}];", quoted(node.id.as_str()));
        }
        for &gx in &within[group].groups {
            let _ = writeln!(out, "{pad}subgraph cluster_{gx} {{\n{pad}  label={};", quoted(self.groups[gx].id.as_str()));
            self.dot_group(gx, within, depth + 1, out);
            let _ = writeln!(out, "{pad}}}");
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
