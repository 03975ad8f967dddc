//! The graph as Graphviz reads it.

use super::{Edge, Graph, Gx, Ix, Work};
use std::fmt::Write as _;

impl Graph {
    /// As text for `dot`: groups as boxes, edges that only order dotted.
    pub fn dot(&self, title: &str) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "digraph {} {{\n  rankdir=LR;\n  node [shape=box];", quoted(title));
        self.dot_group(0, 1, &mut out);
        for node in 0..self.nodes.len() as Ix {
            for (next, edge) in self.after(node) {
                let style = if edge == Edge::After { " [style=dotted]" } else { "" };
                let _ = writeln!(out, "  n{node} -> n{next}{style};");
            }
        }
        out.push_str("}\n");
        out
    }

    fn dot_group(&self, group: Gx, depth: usize, out: &mut String) {
        let pad = "  ".repeat(depth);
        for (ix, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.group == group) {
            let shape = match &node.work {
                Work::Step(step) if step.about.point_of_no_return => ", peripheries=2",
                Work::Step(_) => "",
                Work::Enter(_) | Work::Exit(_) | Work::Join => ", shape=point",
                Work::Unwanted => ", style=dashed",
            };
            let _ = writeln!(out, "{pad}n{ix} [label={}{shape}];", quoted(node.id.as_str()));
        }
        for (gx, inner) in self.groups.iter().enumerate().filter(|(_, inner)| inner.parent == Some(group)) {
            let _ = writeln!(out, "{pad}subgraph cluster_{gx} {{\n{pad}  label={};", quoted(inner.id.as_str()));
            self.dot_group(gx as Gx, depth + 1, out);
            let _ = writeln!(out, "{pad}}}");
        }
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
